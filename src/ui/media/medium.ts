import { html, nothing } from "lit/html.js"
import type { MediumDetail } from "../api/media.ts"
import { requestLink } from "../drawer/link.ts"
import { table } from "../drawer/table.ts"
import { plural } from "../format/count.ts"
import { duration } from "../format/duration.ts"
import { evidenceView } from "./evidence.ts"
import { factsOf, moment, nameOf, useOf } from "./facts.ts"

/** What may be done with a medium, once it is confirmed. */
export type Deed = "forget" | "again"

/** One medium of the memory: everything that is known of it, who asked for it, and what may be done with it. */
export const mediumView = (medium: MediumDetail, utc: boolean, ask: (deed: Deed) => () => unknown) =>
  html`<h2><bdi>${nameOf(medium)}</bdi></h2>
    <p class="muted"><bdi>${factsOf(medium)} · ${medium.label}</bdi></p>
    <p class="muted">${useOf(medium, utc)}</p>
    <p class="row">
      ${medium.can_look_again ? html`<button @click=${ask("again")}>Look again…</button>` : nothing}
      <button class="err" @click=${ask("forget")}>Forget…</button>
    </p>
    ${evidenceView(medium)}
    <h3>${plural(medium.requests.length, "request")}</h3>
    ${table(
      ["Request", "Model", "Memory", "Took"],
      medium.requests.map(({ internal_request_id: id, model, ms, remembered, timestamp }) => [
        requestLink(id, moment(timestamp, utc)),
        html`<bdi>${model}</bdi>`,
        remembered ? "remembered" : "looked at",
        duration(ms)
      ]),
      1
    )}`

/** Asks before anything is done. */
export const question = (deed: Deed, act: () => unknown, close: () => void) =>
  html`<dialog
    class="box"
    aria-labelledby="question"
    @close=${close}
    @keydown=${(event: Event) => event.stopPropagation()}
  >
    <h2 id="question">${deed === "forget" ? "Forget this medium?" : "Look at it again?"}</h2>
    <p>
      ${
        deed === "forget"
          ? "Its pictures and words are deleted, until a request has it looked at anew."
          : "It is forgotten, fetched and looked at anew."
      }
    </p>
    <p class="row">
      <button class="primary" @click=${act}>${deed === "forget" ? "Forget" : "Look again"}</button>
      <button autofocus @click=${close}>Cancel</button>
    </p>
  </dialog>`
