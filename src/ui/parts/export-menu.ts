import { html } from "lit/html.js"
import { download } from "../api/download.ts"
import { say } from "../controllers/page.ts"
import { query } from "../controllers/place.ts"
import { listParameters } from "../model/query.ts"

/** Everything that matches, as a file. */
export const exportMenu = () => {
  const save = (kind: string) =>
    download(`/ui/tracking_export.${kind}?${listParameters(query)}`, `percept-requests.${kind}`).then(
      () => say("The file is on its way"),
      (cause: unknown) => say(String(cause))
    )
  return html`<p>All requests that match:</p>
    <div class="line">
      ${["csv", "jsonl"].map(
        (kind) =>
          html`<button popovertarget="export" popovertargetaction="hide" @click=${() => save(kind)}>
            ${kind.toUpperCase()}
          </button>`
      )}
    </div>`
}
