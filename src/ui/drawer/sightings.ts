import { html, nothing } from "lit/html.js"
import type { Sighting } from "../api/detail.ts"
import { duration } from "../format/duration.ts"
import { evidenceView } from "../media/evidence.ts"
import type { Known } from "./known.ts"
import { mediumLink } from "./link.ts"
import { textView } from "./text.ts"

/** The media of a request: where each came from, what became of it, and what the model got of it. */
export const sightingsView = (sightings: ReadonlyArray<Sighting>, known: Known) =>
  sightings.length === 0
    ? nothing
    : html`<section>
        <h3>Media</h3>
        ${sightings.map((sighting, at) => sightingView(sighting, at < OPENED, known.get(sighting.param)))}
      </section>`

const sightingView = (sighting: Sighting, isOpen: boolean, medium: ReturnType<Known["get"]>) => {
  const { entry, failure, kind, label, ms, param, remembered, shown } = sighting
  return html`<details class="lined" ?open=${isOpen}>
    <summary>
      <span class="chip">${kind}</span><bdi class="cut">${label}</bdi>
      ${failure ? FAILED : remembered ? REMEMBERED : html`<span class="chip">looked at</span>`}
      <span class="muted">${duration(ms)}</span>
    </summary>
    <dl>
      <dt>Where</dt>
      <dd><code>${param}</code> <bdi>${label}</bdi></dd>
      <dt>Shown as</dt>
      <dd>${SHOWN[shown] ?? shown}</dd>
    </dl>
    ${failure ? html`<p class="err"><bdi>${failure}</bdi></p>` : nothing}
    ${
      medium && entry
        ? html`${evidenceView(medium)}
            ${
              medium.block
                ? html`<h4>As a model reads it</h4>
                    ${textView(medium.block, "mono")}`
                : nothing
            }
            <p>${mediumLink(entry, "All that is known of it", "button")}</p>`
        : nothing
    }
  </details>`
}

const FAILED = html`<span class="chip err">✕ failed</span>`
const REMEMBERED = html`<span class="chip ok">✓ remembered</span>`
const OPENED = 3
const SHOWN: { readonly [name: string]: string } = {
  whole: "the file itself",
  evidence: "the pictures below, with what was said",
  description: "another model's words for its pictures",
  note: "a note why it could not be had"
}
