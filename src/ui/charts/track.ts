import { html, svg } from "lit/html.js"
import type { Stage, StageName } from "../model/stages.ts"
import { short } from "./scale.ts"

/** The stages of a request as a line that fills: fetch, look beside listen, describe, answer. */
export const track = (stages: ReadonlyArray<Stage>) => {
  const names = new Set(stages.map(({ name }) => name))
  const areTwo = names.has("look") && names.has("listen")
  const widthOf = (name: StageName) => (areTwo && name === "listen" ? 0 : WEIGHTS[name])
  const total = stages.reduce((sum, { name }) => sum + widthOf(name), 0)
  let right = 0
  const bars = stages.map(({ is, name, share }) => {
    const left = areTwo && name === "listen" ? right - WEIGHTS.look : right
    right = left + WEIGHTS[name]
    const half = areTwo && (name === "look" || name === "listen")
    const [y, height] = half ? [name === "look" ? 1 : 8, 5] : [4, 6]
    const bar = (
      kind: string,
      share: number
    ) => svg`<rect class="${kind} ${is}" rx="1.5" y=${y} height=${height}
      x=${short((left / total) * 120 + 1)} width=${short(((WEIGHTS[name] / total) * 120 - 2) * share)} />`
    return svg`${bar("bed", 1)}${share > 0 ? bar("fill", share) : ""}`
  })
  return html`<svg
    class="track"
    viewBox="0 0 120 14"
    preserveAspectRatio="none"
    role="img"
    aria-label=${stages.map(({ is, name }) => `${name} ${WORDS[is]}`).join(", ")}
  >
    ${bars}
  </svg>`
}

const WORDS = { done: "done", now: "under way", ahead: "to come" }
const WEIGHTS: { readonly [Name in StageName]: number } = {
  fetch: 3,
  look: 5,
  listen: 5,
  describe: 3,
  answer: 4
}
