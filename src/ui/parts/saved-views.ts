import { html } from "lit"
import { field } from "../api/client.ts"
import type { Stored } from "../controllers/stored.ts"
import type { Go } from "../events.ts"
import { addressOf, parse } from "../model/query.ts"
import type { Query } from "../model/query.ts"
import { icon } from "./icon.ts"
import { menu } from "./menu.ts"

/** What is looked at, under a name. */
export interface SavedView {
  readonly name: string
  readonly address: string
}

/** Views that were given a name, kept in this browser. */
export const savedViews = (views: Stored<ReadonlyArray<SavedView>>, query: Query, go: Go) => {
  const without = (name: string) => views.value.filter((view) => view.name !== name)
  const save = (event: SubmitEvent) => {
    event.preventDefault()
    if (!(event.target instanceof HTMLFormElement)) return
    const name = String(new FormData(event.target).get("name")).trim()
    const address = addressOf({ ...query, cursor: undefined, selected: undefined })
    if (name !== "") views.set([...without(name), { name, address }].slice(-MOST))
    event.target.reset()
  }
  return menu(
    "views",
    "Views",
    html`<ul>
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
  )
}

/** Anything may stand in a browser's store. */
export const readViews = (value: unknown): ReadonlyArray<SavedView> =>
  Array.isArray(value) ? value.filter(isView) : []

const isView = (value: unknown): value is SavedView =>
  typeof field(value, "name") === "string" && typeof field(value, "address") === "string"

const MOST = 30
