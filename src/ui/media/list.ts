import { html, nothing } from "lit/html.js"
import type { Media, Medium } from "../api/media.ts"
import { query } from "../controllers/place.ts"
import { mediumLink } from "../drawer/link.ts"
import { bytes } from "../format/bytes.ts"
import { plural } from "../format/count.ts"
import { type } from "../parts/toolbar.ts"
import { factsOf, nameOf, useOf } from "./facts.ts"
import { picture } from "./picture.ts"

/** What the list shows, and whom it tells of changes. */
interface Asked {
  readonly kind: string
  readonly choose: (event: Event) => void
  readonly more: (known: Media) => () => unknown
}

/** All media that are remembered, or those that were asked for. */
export const listView = ({ choose, kind, more }: Asked, media: Media | undefined) => {
  const { search, utc } = query
  return html`<div class="row">
      <h2>Media</h2>
      <select aria-label="Kind" @change=${choose}>
        ${KINDS.map((one) => html`<option value=${one} ?selected=${one === kind}>${one || "all kinds"}</option>`)}
      </select>
      <input
        type="search"
        aria-label="Search media"
        placeholder="Titles, words"
        .value=${search}
        @input=${type}
      />
      <span class="muted" role="status">${media && roomOf(media)}</span>
    </div>
    <ul class="pictures">
      ${media?.items.map((medium) => html`<li>${mediumLink(medium.id, card(medium, utc), "card box")}</li>`)}
    </ul>
    ${media?.items.length === 0 ? (search || kind ? html`<p>Nothing in the memory matches.</p>` : NOTHING_YET) : nothing}
    ${media?.next_cursor ? html`<button @click=${more(media)}>Show more</button>` : nothing}`
}

const card = (medium: Medium, utc: boolean) => {
  const { cover, requests, words } = medium
  return html`${cover ? picture(cover, "") : html`<span class="none muted">no picture</span>`}
    <strong class="cut"><bdi>${nameOf(medium)}</bdi></strong>
    <bdi class="small">${words}</bdi>
    <bdi class="small muted">${factsOf(medium)}</bdi>
    <span class="small muted">${plural(Number(requests), "request")}, ${useOf(medium, utc)}</span>`
}

const roomOf = ({ limit_bytes, total_bytes, total_items }: Media) =>
  `${total_items} known, ${bytes(total_bytes)} of ${bytes(limit_bytes)}`

const NOTHING_YET = html`<p>Nothing has been seen or heard yet.</p>
  <p class="muted">What a request has or links to is looked at once and remembered here.</p>`
const KINDS = ["", "image", "video", "audio"]
