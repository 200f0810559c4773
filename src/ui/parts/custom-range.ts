import { html } from "lit/html.js"
import { go, query } from "../controllers/place.ts"
import { fieldTime, fromField } from "../format/field-time.ts"
import { fieldsOf } from "./form.ts"

/** From when to when the page looks. */
export const customRange = () => {
  const { from, to, utc } = query
  const show = (event: SubmitEvent) => {
    const fields = fieldsOf(event)
    const moments = [fields("from"), fields("to")].map((text) => fromField(text, utc))
    const [since, until] = moments.every(Boolean) ? moments.toSorted() : moments
    go({ range: "custom", from: since, to: until })
    document.querySelector<HTMLElement>("#custom")?.hidePopover()
  }
  return html`<form class="fields" @submit=${show}>
    <label
      >From (${utc ? "UTC" : "local time"})
      <input type="datetime-local" name="from" .value=${fieldTime(from, utc)} />
    </label>
    <label>To <input type="datetime-local" name="to" .value=${fieldTime(to, utc)} /></label>
    <button class="primary">Show this time</button>
  </form>`
}
