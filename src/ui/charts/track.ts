import { html, svg } from "lit/html.js"
import type { Stage } from "../model/stages.ts"
import { short } from "./scale.ts"

/** The stages of a request as a line that fills: fetch, look beside listen, describe, answer. */
export const track = (stages: ReadonlyArray<Stage>) => {
  const areTwo = stages.filter(({ place }) => place === 1).length > 1
  const first = STARTS[stages[0]?.place ?? 0] ?? 0
  const right = (place: number) => (((STARTS[place] ?? END) - first) / (END - first)) * 120
  const bars = stages.map(({ is, name, place, share }) => {
    const [y, height] = areTwo && place === 1 ? [name === "look" ? 1 : 8, 5] : [4, 6]
    const left = right(place)
    const bar = (kind: string, share: number) =>
      svg`<rect class="${kind} ${is}" rx="1.5" y=${y} height=${height}
        x=${short(left + 1)} width=${short((right(place + 1) - left - 2) * share)} />`
    return [bar("bed", 1), share > 0 ? bar("fill", share) : ""]
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

/** Where each place begins, as far as it usually takes. */
const STARTS = [0, 3, 8, 11]
const END = 15
