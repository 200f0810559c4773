// Styles beside each other are smaller when they are compressed.
import { shared } from "./styles/shared.ts"
import { page as bar } from "./styles/page.ts"
import { figures } from "./styles/figures.ts"
import { list } from "./styles/list.ts"
import { html, render } from "lit/html.js"
import { Refused } from "./api/client.ts"
import { follow, loadAll, loadRows, rows, waiting } from "./controllers/data.ts"
import { fetchLater, later, loadWith } from "./soon.ts"
import { press } from "./controllers/keys.ts"
import { fetchMore, isTailing, leave, live, notice, reason, showNew, theme } from "./controllers/page.ts"
import { followLink, go, query } from "./controllers/place.ts"
import type { Query } from "./model/query.ts"
import { draw, drawn, drawWith } from "./drawing.ts"
import { listView } from "./parts/list-view.ts"
import { focusedRow, focusRow } from "./parts/table.ts"
import { topBar } from "./parts/top-bar.ts"
import { adopt } from "./styles/css.ts"

/** The page: all of it is drawn from what is known, whenever anything of that changes. */
const page = () => {
  const { alone, selected, view } = query
  const isOpen = selected !== undefined && view === "requests"
  const isAlone = isOpen && alone
  if (reason !== undefined) return later?.signIn(reason)
  return html`<div @click=${followLink}>
    ${topBar()}
    <div class="page ${isAlone ? "alone" : isOpen ? "beside" : view}">
      ${isAlone || view === "media" ? later?.aloneView(isAlone) : listView()}
      ${isOpen && !isAlone && later ? html`<aside class="drawer" aria-label="Request">${later.drawer()}</aside>` : ""}
    </div>
    ${later?.help()}
    <div role="status" class="notice box">${notice}</div>
  </div>`
}

const show = (): void => {
  followQuery()
  followAnswers()
  later?.prepare()
  const focused = focusedRow()
  render(page(), root)
  // Rows move on when others come; the focus stays with its request.
  if (focused !== focusedRow()) focusRow(focused, true)
  document.documentElement.dataset["theme"] = theme.value
}

const followQuery = (): void => {
  if (query === former) return
  const { columns, selected, view } = query
  const left = former?.selected
  former = query
  follow()
  showNewIfTailing()
  if (columns || selected || view === "media") void fetchMore()
  if (left && !selected) void drawn.then(() => focusRow(left))
}

const followAnswers = (): void => {
  const { ongoing, state } = live
  const { error, pending, value } = rows
  if (error instanceof Refused && error.status === 401) leave(error.message)
  // Whoever has gone back to the first page is to see what is new there.
  if (query.cursor && value?.prev_cursor === null && !pending && !error) go({ cursor: undefined }, true)
  if (ongoing[0] && !later) void fetchLater()
  // Whether it is the server that is gone, or only its feed, the list shows.
  if (state !== feed && (state === "lost" || (state === "live" && error))) void loadRows()
  feed = state
}

/** What came while the page was not to change. */
const showNewIfTailing = (): void => {
  if (waiting > 0 && isTailing()) showNew()
  draw()
}

const root = document.querySelector<HTMLElement>("percept-app") ?? document.body
let former: Query | undefined
let feed = live.state

adopt(shared, bar, figures, list)
addEventListener("keydown", press)
document.addEventListener("visibilitychange", showNewIfTailing)
loadWith(() => import("./later.ts"))
drawWith(show)
live.attend({})
void loadAll()
