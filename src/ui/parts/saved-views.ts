import { has } from "../api/client.ts"
import { html } from "lit/html.js"
import { go, query } from "../controllers/place.ts"
import { stored } from "../controllers/stored.ts"
import { addressOf, parse } from "../model/query.ts"
import { fieldsOf } from "./form.ts"
import { icon } from "./icon.ts"

/** What is looked at, under a name. */
interface SavedView {
  readonly name: string
  readonly address: string
}

/** Views that were given a name, kept in this browser. */
export const savedViews = () => {
  const without = (name: string) => views.value.filter((view) => view.name !== name)
  const save = (event: SubmitEvent) => {
    const name = fieldsOf(event)("name")
    const address = addressOf({ ...query, cursor: undefined, selected: undefined })
    if (name !== "") views.set([...without(name), { name, address }].slice(-MOST))
    if (event.target instanceof HTMLFormElement) event.target.reset()
  }
  return html`<ul>
      ${views.value.map(
        ({ address, name }) =>
          html`<li class="line">
            <button
              class="plain cut"
              popovertarget="views"
              popovertargetaction="hide"
              @click=${() => go(parse("", address.split("?")[1] ?? ""))}
            >
              ${name}
            </button>
            <button class="plain" aria-label="Forget ${name}" @click=${() => views.set(without(name))}>
              ${icon("cross")}
            </button>
          </li>`
      )}
    </ul>
    <form class="line" @submit=${save}>
      <input
        name="name"
        aria-label="Name of this view"
        placeholder="Name this view"
        required
        maxlength="60"
      />
      <button>Save</button>
    </form>`
}

/** Anything may stand in a browser's store. */
const readViews = (value: unknown): ReadonlyArray<SavedView> =>
  Array.isArray(value) ? value.filter((view) => has<SavedView>(view, "address")) : []

const views = stored("views", readViews)

const MOST = 30
