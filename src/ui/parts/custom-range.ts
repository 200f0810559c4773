import { html } from "lit/html.js"
import type { App } from "../app.ts"
import { fieldTime, fromField } from "../format/field-time.ts"
import type { Query } from "../model/query.ts"

/** From when to when the page looks. */
export const customRange = ({ go, query: { from, to, utc } }: App) =>
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

const chosen = (fields: FormData, utc: boolean): Partial<Query> => {
  const moments = ["from", "to"].map((name) => fromField(String(fields.get(name)), utc))
  const [from, to] = moments.every((moment) => moment !== undefined) ? moments.toSorted() : moments
  return { range: "custom", from, to }
}
