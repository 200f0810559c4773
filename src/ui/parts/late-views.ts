import { html } from "lit/html.js"
import type { App } from "../app.ts"

export const signInView = ({ enter, reason }: App) =>
  html`<main><percept-sign-in .reason=${reason} @signed-in=${enter}></percept-sign-in></main>`

/** A request beside the list. */
export const besideView = (app: App) =>
  html`<aside class="drawer" aria-label="Request">${drawer(app)}</aside>`

/** What has the page to itself. */
export const aloneView = (app: App) => {
  const { medium, search, utc, view } = app.query
  return html`<main tabindex="-1">
    ${
      view === "media"
        ? html`<percept-media .medium=${medium} .search=${search} .utc=${utc}></percept-media>`
        : drawer(app)
    }
  </main>`
}

const drawer = ({ data, live, query: { alone, selected, utc } }: App) => {
  const is = ({ internal_request_id: id }: { readonly internal_request_id: string }) => id === selected
  return html`<percept-drawer
    .full=${alone}
    .request=${selected}
    .row=${data.rows.value?.items.find(is)}
    .ongoing=${live.ongoing.find(is)}
    .utc=${utc}
  ></percept-drawer>`
}
