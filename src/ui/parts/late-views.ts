import { html } from "lit/html.js"
import { drawer, followRequest } from "../drawer/drawer.ts"
import { followMedium, mediaView } from "../media/media.ts"

/** What has the page to itself. */
export const aloneView = (isRequest: boolean) =>
  html`<main tabindex="-1">${isRequest ? drawer() : mediaView()}</main>`

/** What has to be asked for before the page is drawn. */
export const prepare = (): void => {
  followRequest()
  followMedium()
}
