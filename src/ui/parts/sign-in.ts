import { html } from "lit/html.js"
import { signIn as keep } from "../api/client.ts"
import { enter } from "../controllers/page.ts"
import { fieldsOf } from "./form.ts"

/** Asks for the key, or for a name and its password; `reason` is why the last try was none. */
export const signIn = (reason: string) =>
  html`<main>
    <percept-sign-in>
      <form class="box" @submit=${submit}>
        <h1>Sign in</h1>
        <p class="muted">With a key, or the page's own password.</p>
        <label
          ><span>Name <span class="muted">(leave empty with a key)</span></span>
          <input name="username" autocomplete="username" autocapitalize="none" />
        </label>
        <label
          >Key or password
          <input name="password" type="password" autocomplete="current-password" required />
        </label>
        ${reason === "" ? "" : html`<p class="err" role="alert">${reason}</p>`}
        <button class="primary">Sign in</button>
        <p class="muted">It is kept until this tab is closed.</p>
      </form>
    </percept-sign-in>
  </main>`

export const focusSecret = (): void =>
  document.querySelector<HTMLElement>("percept-sign-in [type=password]")?.focus()

/** A key alone, or a name with its password. */
const submit = (event: SubmitEvent) => {
  const fields = fieldsOf(event)
  const [name, secret] = [fields("username"), fields("password")]
  keep(name ? `Basic ${base64(`${name}:${secret}`)}` : `Bearer ${secret}`)
  enter()
}

const base64 = (text: string): string => btoa(String.fromCharCode(...new TextEncoder().encode(text)))
