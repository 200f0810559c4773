import { signOut } from "../api/client.ts"
import { draw, drawn } from "../drawing.ts"
import { pauseOf } from "../model/pause.ts"
import { forget, loadAll, loadRows, take } from "./data.ts"
import { fetchLater } from "../soon.ts"
import { followLive } from "./live-feed.ts"
import { go, query } from "./place.ts"
import { stored } from "./stored.ts"

export type Theme = "auto" | "light" | "dark"

export const theme = stored("theme", (value): Theme =>
  value === "light" || value === "dark" ? value : "auto"
)

/** Why somebody has to sign in; nobody has to where there is none. */
export let reason: string | undefined

/** How many clients' requests are under way, without the calls that are made for them. */
export const underWay = (): number => live.ongoing.filter(({ kind }) => kind === "main").length

/** Something worth a short notice, such as what has been copied. */
export let notice = ""

let timer: ReturnType<typeof setTimeout> | undefined

export const say = (text: string): void => {
  clearTimeout(timer)
  notice = text
  draw()
  if (text) timer = setTimeout(say, 2500, "")
}

/** What is not needed at first comes when it is; another version of the server has other files. */
export const fetchMore = async () => {
  const there = await fetchLater()
  if (!there) say("This page is outdated: please reload it")
  return there
}

/** Why new rows do not come in by themselves, although they should. */
export const pause = (): string | undefined => pauseOf(query, document.hidden)

export const isTailing = (): boolean => query.tail && !pause()

export const showNew = (): void => {
  if (query.cursor === undefined) void loadRows()
  else go({ cursor: undefined })
}

export const leave = (why = ""): void => {
  signOut()
  reason = why
  live.stop()
  forget()
  void fetchMore().then(async (there) => {
    await drawn
    there?.focusSecret()
  })
}

export const enter = (): void => {
  reason = undefined
  void loadAll()
  live.start()
}

/** The live feed; what it may have missed is read again. */
export const live = followLive({
  url: "/ui/tracking_live",
  onDone: (rows) => take(rows, isTailing()),
  onSnapshot: (isFirst) => isFirst || loadAll(),
  onChange: draw
})
