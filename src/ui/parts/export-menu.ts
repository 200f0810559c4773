import { html } from "lit/html.js"
import type { App } from "../app.ts"
import { download } from "../api/download.ts"
import { listParameters } from "../model/query.ts"

/** Everything that matches, as a file. */
export const exportMenu = ({ query, say }: App) => {
  const save = async (kind: string) => {
    const path = `/ui/tracking_export.${kind}?${listParameters(query)}`
    await download(path, `percept-requests.${kind}`).then(
      () => say("The file is on its way"),
      (cause: unknown) => say(String(cause))
    )
  }
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
