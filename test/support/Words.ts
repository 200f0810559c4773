import { readFileSync } from "node:fs"
import { join } from "node:path"
import { root } from "../../scripts/fresh.mjs"

/** Small recordings with known contents; `test/fixtures/make/audio.mjs` makes them. */
export const fixture = (name: string): string => join(root, "test", "fixtures", "audio", name)

/** What is said in them, by the name of the text. */
export const spoken: { readonly library: string; readonly kitchen: string } = JSON.parse(
  readFileSync(fixture("words.json"), "utf8")
)

/** Word errors: how many words must be changed, added or taken away, as a share of those that were said. */
export const wordErrors = (said: string, heard: string): number => {
  const [truth, claim] = [wordsOf(said), wordsOf(heard)]
  let row = claim.map((_, index) => index + 1)
  truth.forEach((word, index) => {
    const next: Array<number> = []
    claim.forEach((other, at) => {
      const left = at === 0 ? index + 1 : (next[at - 1] ?? 0)
      const above = row[at] ?? 0
      const corner = at === 0 ? index : (row[at - 1] ?? 0)
      next.push(Math.min(left + 1, above + 1, corner + (word === other ? 0 : 1)))
    })
    row = next
  })
  return (claim.length === 0 ? truth.length : (row.at(-1) ?? 0)) / truth.length
}

const wordsOf = (text: string): ReadonlyArray<string> =>
  text
    .toLowerCase()
    .split(/[^\p{L}\p{N}']+/u)
    .filter((word) => word !== "")
