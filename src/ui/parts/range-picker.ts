import { html } from "lit"
import type { Go } from "../events.ts"
import { clock, fieldTime, fromField } from "../format/time.ts"
import { RANGES } from "../model/query.ts"
import type { Query } from "../model/query.ts"
import { menu } from "./menu.ts"

/** How far back the page looks. */
export const rangePicker = ({ from, range, to, utc }: Query, go: Go) =>
  html`<div class="ranges" role="group" aria-label="Time range">
    ${RANGES.map(
      (name) =>
        html`<button
          aria-pressed=${range === name}
          @click=${() => go({ range: name, from: undefined, to: undefined })}
        >
          ${name}
        </button>`
    )}
    ${menu(
      "custom",
      range === "custom" ? `${from ? clock(from, utc) : "…"} – ${to ? clock(to, utc) : "now"}` : "Custom",
      html`<form
        class="fields"
        @submit=${(event: SubmitEvent) => {
          event.preventDefault()
          if (!(event.target instanceof HTMLFormElement)) return
          go(chosen(new FormData(event.target), utc))
          event.target.parentElement?.hidePopover()
        }}
      >
        <label
          >From (${utc ? "UTC" : "local time"})
          <input type="datetime-local" name="from" .value=${fieldTime(from, utc)} />
        </label>
        <label>To <input type="datetime-local" name="to" .value=${fieldTime(to, utc)} /></label>
        <button class="primary">Show this time</button>
      </form>`
    )}
  </div>`

const chosen = (fields: FormData, utc: boolean): Partial<Query> => {
  const moments = ["from", "to"].map((name) => fromField(String(fields.get(name)), utc))
  const [from, to] = moments.every((moment) => moment !== undefined) ? moments.toSorted() : moments
  return { range: "custom", from, to }
}
