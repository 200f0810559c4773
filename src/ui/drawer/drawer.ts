import { html, nothing } from "lit/html.js"
import { bodyPath, readBody, readDetail } from "../api/detail.ts"
import type { Detail, Which } from "../api/detail.ts"
import { parsed } from "../api/client.ts"
import { download } from "../api/download.ts"
import { copy } from "../controllers/copy.ts"
import { rows } from "../controllers/data.ts"
import { Load } from "../controllers/load.ts"
import { live, reason, say } from "../controllers/page.ts"
import { go, query } from "../controllers/place.ts"
import { draw, drawIn, drawn } from "../drawing.ts"
import { bytes } from "../format/bytes.ts"
import { curlOf } from "../format/curl.ts"
import { duration } from "../format/duration.ts"
import { icon } from "../parts/icon.ts"
import type { IconName } from "../parts/icon.ts"
import { step } from "../parts/table.ts"
import { answered, asked } from "./conversation.ts"
import type { Message } from "./conversation.ts"
import { jsonTree, lazily } from "./json-tree.ts"
import type { Opened } from "./json-tree.ts"
import { readKnown } from "./known.ts"
import type { Known } from "./known.ts"
import { requestPath } from "./link.ts"
import { messagesView } from "./messages.ts"
import { errorCard, overview, sideCalls } from "./overview.ts"
import { sightingsView } from "./sightings.ts"
import { textView } from "./text.ts"
import { waterfallView } from "./waterfall.ts"
import { waterfall } from "./waterfall-rows.ts"

/** One request, from its answer down to its bytes, beside the list it was chosen from. */
export const drawer = () => {
  const { alone, selected: id = "", utc } = query
  const { error, value } = detail
  const row = value ?? rows.value?.items.find(isShown)
  const ongoing = live.ongoing.find(isShown)
  if (ongoing) drawIn(250)
  return html`<percept-drawer>
    <div class="head row">
      <h2 tabindex="-1" class="cut">Request <span class="mono muted">${id}</span></h2>
      ${alone ? nothing : [button("Previous (k)", () => step(-1), "up"), button("Next (j)", () => step(1), "down")]}
      ${button("Close (Esc)", () => go({ selected: undefined }), "cross")}
    </div>
    <div class="row">
      ${value?.request ? button("Copy as cURL", () => copyCurl(value)) : nothing}
      ${button("Copy id", () => copy(id, "The id is copied."))}
      ${button("Copy link", () => copy(location.origin + requestPath(id), "The link is copied."))}
    </div>
    ${
      ongoing
        ? html`<p class="live box running">
            ◌ <bdi>${ongoing.stage}</bdi> ${duration(Date.now() - ongoing.began)}
          </p>`
        : error && html`<p class="err" role="alert">✕ ${error.message}</p>`
    }
    ${row && [errorCard(row), overview(row, utc)]} ${value && whole(value)}
  </percept-drawer>`
}

/** Asks for what is to be shown, when that is another request, or when it has ended. */
export const followRequest = (): void => {
  const { selected, view } = query
  const id = view === "requests" && reason === undefined ? selected : undefined
  const isOngoing = live.ongoing.some(isShown)
  const [former, hasEnded] = [shown, wasOngoing && !isOngoing]
  shown = id
  wasOngoing = isOngoing
  if (former !== id) {
    detail.forget()
    known.forget()
    open.clear()
    void drawn.then(() => {
      const drawer = document.querySelector("percept-drawer")
      drawer?.parentElement?.scrollTo(0, 0)
      if (!former) drawer?.querySelector("h2")?.focus()
    })
  }
  if (id && (former !== id || hasEnded)) void load(id)
}

const whole = (detail: Detail) => {
  const media = known.value ?? NOTHING
  return html`${detail.state === "running" ? nothing : waterfallView(waterfall(detail, detail.steps))}
  ${sightingsView(detail.media, media)} ${sideCalls(detail.children)}
  ${messagesView("Asked", messages.request, media)} ${messagesView("Answered", messages.response, media)}
  ${raw("request", detail)} ${raw("response", detail)}`
}

/** A text of the record as it is kept; as a tree, where it is all there. */
const raw = (which: Which, detail: Detail) => {
  const body = detail[which]
  const value = values[which]
  const id = detail.internal_request_id
  if (!body) return ""
  return lazily(which, opened, html`Raw ${which} <span class="muted">${bytes(body.bytes)}</span>`, () => {
    const cut = html`<span class="warn">This is its beginning.</span>
      ${button("Show all of it", () => readWhole(which, detail))}`
    return html`<p class="row">
        ${body.truncated ? cut : ""}
        ${button("Download", () => download(bodyPath(id, which), `${id}-${which}.json`))}
      </p>
      ${value === undefined ? textView(body.text, "mono") : jsonTree({ [which]: value }, which, opened)}`
  })
}

const load = async (id: string, tries = TRIES): Promise<void> => {
  if (!(await detail.run((signal) => readDetail(id, signal)))) return
  const { value } = detail
  if (!value) return
  take(value)
  // A row is written a moment after its request has ended.
  if (value.state === "running" && !wasOngoing && tries > 0)
    setTimeout(() => shown === id && load(id, tries - 1), 400)
  void known.run((signal) => readKnown(value, signal))
}

const take = (whole: Detail): void => {
  const read = (which: Which) => (whole[which]?.truncated ? undefined : parsed(whole[which]?.text ?? ""))
  values = { request: read("request"), response: read("response") }
  messages = { request: asked(values.request), response: answered(values.response) }
  detail.set(whole)
}

/** The whole of a text that was shown in part. */
const readWhole = async (which: Which, whole: Detail): Promise<void> => {
  const body = whole[which]
  if (body?.truncated)
    take({
      ...whole,
      [which]: { ...body, text: await readBody(whole.internal_request_id, which), truncated: false }
    })
}

/** The whole request as a command. */
const copyCurl = async (whole: Detail): Promise<void> => {
  await readWhole("request", whole)
  const { caution, command } = curlOf(location.origin, whole, detail.value?.request?.text ?? "")
  await copy(command, `Copied; it takes the key from API_KEY. ${caution}`)
}

const opened: Opened = (path, isOpen) => {
  if (isOpen && !open.has(path)) {
    open.add(path)
    draw()
  }
  return open.has(path)
}

const isShown = ({ internal_request_id: id }: { readonly internal_request_id: string }) => id === shown

const button = (name: string, act: () => unknown, shape?: IconName) =>
  html`<button class=${shape ? "plain" : ""} title=${name} aria-label=${name} @click=${attempting(act)}>
    ${shape ? icon(shape) : name}
  </button>`

const attempting = (act: () => unknown) => async () => {
  try {
    await act()
  } catch (cause) {
    if (cause instanceof Error) say(cause.message)
  }
}

const detail = new Load<Detail>()
const known = new Load<Known>()
const open = new Set<string>()
let shown: string | undefined
let wasOngoing = false
/** The texts, and the messages that are read from them. */
let values: { readonly [which in Which]?: unknown } = {}
let messages: { readonly [which in Which]: ReadonlyArray<Message> } = { request: [], response: [] }

const NOTHING: Known = new Map()
const TRIES = 5
