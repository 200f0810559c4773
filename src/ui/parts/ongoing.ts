import { html } from "lit/html.js"
import type { Ongoing } from "../api/live.ts"
import { track } from "../charts/track.ts"
import { live } from "../controllers/page.ts"
import { go, query } from "../controllers/place.ts"
import { draw, drawIn } from "../drawing.ts"
import { duration } from "../format/duration.ts"
import { isStalled, progressOf } from "../model/stages.ts"
import { icon } from "./icon.ts"

/** The requests under way, each with its stages. What is over in a moment is not shown. */
export const ongoing = () => {
  const now = Date.now()
  const shown = live.ongoing.filter(({ began, kind }) => kind === "main" && now - began >= MOMENT)
  const few = Math.min(shown.length, MOST)
  const most = Math.min(shown.length, MOST_OPEN)
  // Room that is no longer needed is given back line by line.
  if (room > few && now - roomAt >= SECOND) room--
  if (room !== lastRoom) roomAt = now
  lastRoom = room = Math.max(room, few)
  if (live.ongoing[0] || room > 0) drawIn(SECOND)
  return html`<percept-ongoing>
    <ul class=${isOpen ? "all" : ""}>
      ${shown.slice(0, isOpen ? most : MOST).map((request) => line(request, now))}
    </ul>
    ${Array.from({ length: room - few }, () => html`<div class="room"></div>`)}
    ${
      shown.length > MOST
        ? html`<button class="plain muted" aria-expanded=${isOpen} @click=${toggle}>
            ${isOpen ? "Show fewer" : `Show ${most - MOST} more`}
          </button>`
        : ""
    }
  </percept-ongoing>`
}

const line = (request: Ongoing, now: number) => {
  const { began, endpoint_called, internal_request_id: id, model_requested_by_client: model } = request
  const kinds = live.ongoing.flatMap(({ kind, parent_request_id }) => (parent_request_id === id ? kind : []))
  const { media, stages, words } = progressOf(request, kinds)
  const isLate = isStalled(request, now) && !kinds[0]
  return html`<li>
    <button
      class="plain line ${isLate ? "stalled" : ""}"
      aria-current=${query.selected === id}
      title=${model ?? endpoint_called}
      @click=${() => go({ selected: id })}
    >
      <span>${media && icon(media)}<span class="hidden">${media}</span></span>
      <span class="cut">${model ?? endpoint_called}</span>
      ${track(stages)}
      <span class="cut words muted">${words}${isLate ? html` <b>· no news</b>` : ""}</span>
      <span>${elapsed(now - began)}</span>
    </button>
  </li>`
}

const toggle = (): void => {
  isOpen = !isOpen
  draw()
}

/** Whole seconds: tenths that fly by say nothing. */
const elapsed = (millis: number): string => {
  const seconds = Math.max(0, Math.floor(millis / SECOND))
  return seconds < 60 ? `${seconds} s` : duration(seconds * SECOND)
}

let isOpen = false
/** Lines that are kept free, so that the page does not jump with each request that ends. */
let room = 0
let lastRoom = 0
let roomAt = 0

/** Milliseconds. */
const MOMENT = 700
const SECOND = 1000

/** Lines. */
const MOST = 5
const MOST_OPEN = 50
