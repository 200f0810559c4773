import { html } from "lit"
import { download } from "../api/download.ts"
import { listParameters } from "../model/query.ts"
import type { Query } from "../model/query.ts"
import { icon } from "./icon.ts"
import { menu } from "./menu.ts"

/** Everything that matches, as a file. */
export const exportMenu = (query: Query, say: (text: string) => void) => {
  const save = async (kind: string) => {
    const path = `/ui/tracking_export.${kind}?${listParameters(query)}`
    await download(path, `percept-requests.${kind}`).then(
      () => say("The file is on its way"),
      (cause: unknown) => say(String(cause))
    )
  }
  return menu(
    "export",
    html`${icon("save")}Export`,
    html`<p>All requests that match:</p>
      <div class="line">
        ${["csv", "jsonl"].map(
          (kind) =>
            html`<button popovertarget="export" popovertargetaction="hide" @click=${() => save(kind)}>
              ${kind.toUpperCase()}
            </button>`
        )}
      </div>`
  )
}
