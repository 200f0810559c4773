import { html } from "lit/html.js"
import { isSignedIn } from "../api/client.ts"
import { copy } from "../controllers/copy.ts"
import { draw } from "../drawing.ts"
import { icon } from "./icon.ts"

/** How to send the first request; the page comes alive when it arrives. */
export const firstRun = () => {
  const command = commandFor(EXAMPLES[chosen]?.[1] ?? "")
  const choose = (at: number) => () => {
    chosen = at
    draw()
  }
  return html`<percept-first-run class="box">
    <h2>No request has come yet</h2>
    <p class="muted">
      Send one to this server. <code>percept/inspect</code> answers with what a model would be shown, without
      a provider.
    </p>
    <div class="row" role="group" aria-label="Kind of request">
      ${EXAMPLES.map(
        ([label], at) => html`<button aria-pressed=${at === chosen} @click=${choose(at)}>${label}</button>`
      )}
      <button class="end" @click=${() => copy(command, "Copied")}>${icon("copy")}Copy</button>
    </div>
    <pre tabindex="0">${command}</pre>
    <p class="muted">It will be shown here as it happens.</p>
  </percept-first-run>`
}

const commandFor = (content: string): string =>
  [
    `curl ${location.origin}/v1/chat/completions \\`,
    "  -H 'Content-Type: application/json' \\",
    ...(isSignedIn() ? ['  -H "Authorization: Bearer $API_KEY" \\'] : []),
    `  -d '{"model": "percept/inspect",`,
    `    "messages": [{"role": "user", "content": "${content}"}]}'`
  ].join("\n")

const FILES = "https://upload.wikimedia.org/wikipedia/commons"
const EXAMPLES = [
  ["Text", "Say hello."],
  ["Image link", `What is on this picture? ${FILES}/3/3f/Fronalpstock_big.jpg`],
  ["Video link", `What happens in this video? ${FILES}/c/c0/Big_Buck_Bunny_4K.webm`]
] as const

let chosen = 0
