import { html } from "lit/html.js"
import { signIn } from "../api/client.ts"
import { Component, css, define } from "../element.ts"
import { shared } from "../styles/shared.ts"

/** Asks for the key, or for a name and its password. */
class SignIn extends Component {
  /** Why the last try was none. */
  declare reason: string

  protected override readonly styles = [
    shared,
    css`
      :host {
        display: grid;
        place-items: center;
        padding: 12vh var(--space-4) var(--space-5);
      }
      form {
        display: grid;
        gap: var(--space-3);
        width: min(360px, 100%);
        padding: var(--space-5);
        border: 1px solid var(--line);
        border-radius: 10px;
        background: var(--surface);
      }
      h1 {
        font-size: 1.25rem;
      }
      label {
        display: grid;
        gap: var(--space-1);
        font-weight: 600;
      }
      label .muted {
        font-weight: 400;
      }
      input {
        min-height: 34px !important;
      }
      button {
        min-height: 34px;
      }
      [role="alert"] {
        color: var(--err);
      }
    `
  ]

  protected override render() {
    return html`<form @submit=${this.submit}>
      <h1>Sign in</h1>
      <p class="muted">
        What Percept has recorded is shown to those who have a key, or the page's own password.
      </p>
      <label
        ><span>Name <span class="muted">(leave empty with a key)</span></span>
        <input name="username" autocomplete="username" autocapitalize="none" spellcheck="false" />
      </label>
      <label
        >Key or password
        <input name="password" type="password" autocomplete="current-password" required />
      </label>
      ${this.reason === "" ? "" : html`<p role="alert">${this.reason}</p>`}
      <button class="primary">Sign in</button>
      <p class="muted">It is kept until this tab is closed.</p>
    </form>`
  }

  override connectedCallback() {
    super.connectedCallback()
    void this.updateComplete.then(() => this.focusSecret())
  }

  private focusSecret() {
    this.renderRoot.querySelector<HTMLInputElement>("input[type=password]")?.focus()
  }

  private readonly submit = (event: SubmitEvent) => {
    event.preventDefault()
    if (!(event.target instanceof HTMLFormElement)) return
    const fields = new FormData(event.target)
    const textOf = (name: string) => String(fields.get(name) ?? "").trim()
    signIn(authorizationOf(textOf("username"), textOf("password")))
    this.dispatchEvent(new Event("signed-in"))
  }
}

/** A key alone, or a name with its password. */
const authorizationOf = (name: string, secret: string): string =>
  name === "" ? `Bearer ${secret}` : `Basic ${base64(`${name}:${secret}`)}`

const base64 = (text: string): string => btoa(String.fromCharCode(...new TextEncoder().encode(text)))

define("percept-sign-in", SignIn, "reason")
