import { html } from "lit/html.js"
import { isSignedIn } from "../api/client.ts"
import { Component, css, define } from "../element.ts"
import { wish } from "../events.ts"
import { shared } from "../styles/shared.ts"
import { icon } from "./icon.ts"

/** How to send the first request; the page comes alive when it arrives. */
class FirstRun extends Component {
  declare at: number

  protected override readonly styles = [
    shared,
    css`
      section {
        display: grid;
        gap: var(--space-3);
        max-width: 760px;
        margin: 4vh auto;
        padding: var(--space-5);
        border: 1px solid var(--line);
        border-radius: var(--radius);
        background: var(--surface);
      }
      pre {
        margin: 0;
        padding: var(--space-4);
        overflow-x: auto;
        border-radius: var(--radius);
        background: var(--sunken);
        line-height: 1.6;
      }
      div {
        display: flex;
        gap: var(--space-1);
      }
      .copy {
        margin-left: auto;
      }
    `
  ]

  constructor() {
    super()
    this.at = 0
  }

  protected override render() {
    const command = commandFor(EXAMPLES[this.at]?.[1] ?? "")
    return html`<section>
      <h2>No request has come yet</h2>
      <p class="muted">
        Send one to this server. <code>percept/inspect</code> answers with what a model would have been shown,
        so it needs no provider.
      </p>
      <div role="group" aria-label="Kind of request">
        ${EXAMPLES.map(
          ([label], at) =>
            html`<button aria-pressed=${at === this.at} @click=${() => (this.at = at)}>${label}</button>`
        )}
        <button class="copy" @click=${() => this.copy(command)}>${icon("copy")}Copy</button>
      </div>
      <pre tabindex="0">${command}</pre>
      <p class="muted">It will be shown here as it happens.</p>
    </section>`
  }

  private async copy(text: string): Promise<void> {
    const said = await navigator.clipboard.writeText(text).then(
      () => "Copied",
      () => "The browser does not allow to copy"
    )
    wish(this, { notice: said })
  }
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

define("percept-first-run", FirstRun, "at")
