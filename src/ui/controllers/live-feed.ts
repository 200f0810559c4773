import { call, field, has, parsed, Refused } from "../api/client.ts"
import { withTimes } from "../api/live.ts"
import type { Ongoing } from "../api/live.ts"
import type { Row } from "../api/rows.ts"
import { SseParser } from "../model/sse.ts"
import type { ServerEvent } from "../model/sse.ts"

export interface LiveFeedOptions {
  readonly url: string
  /** Requests that have ended, the oldest first, at most twice a second. */
  readonly onDone: (rows: ReadonlyArray<Row>) => unknown
  /** Something may have been missed: what is shown has to be read again. The first stream begins so as well. */
  readonly onSnapshot: (isFirst: boolean) => unknown
  readonly onChange: () => void
}

export interface LiveFeed {
  /** The requests under way, the oldest first. */
  ongoing: ReadonlyArray<Ongoing>
  state: "opening" | "live" | "lost" | "off"
  /** Opens the stream where none is open, at once. */
  readonly start: () => void
  /** Closes it; the next start goes on from where it was. */
  readonly stop: () => void
  /** Starts it, and goes on as the page comes and goes. */
  readonly attend: (ending: AddEventListenerOptions) => void
}

/** Follows what happens on the server. News are kept for a moment, so that a burst of them is one update. */
export const followLive = ({ onChange, onDone, onSnapshot, url }: LiveFeedOptions): LiveFeed => {
  let known = new Map<string, Ongoing>()
  let ended: Array<Row> = []
  let snapshots = 0
  let isStale = false
  let lastEventId = ""
  let retry = 2000
  let failures = 0
  let current: AbortController | undefined
  let isDue = false
  let flushedAt = 0
  let retrying: ReturnType<typeof setTimeout> | undefined
  let hiding: ReturnType<typeof setTimeout> | undefined

  const start = (): void => {
    if (current && retrying === undefined) return
    clearTimeout(retrying)
    retrying = undefined
    const own = new AbortController()
    current = own
    if (feed.state === "off") enter("opening")
    follow(own.signal).catch((cause: unknown) => {
      if (current !== own) return
      own.abort()
      // Who is not let in, or where there is no feed, is not let in by asking again.
      if (cause instanceof Refused && cause.status > 0 && cause.status < 500) return stop()
      enter("lost")
      retrying = setTimeout(start, backoff(failures++, retry, Math.random()))
    })
  }

  const stop = (): void => {
    clearTimeout(hiding)
    clearTimeout(retrying)
    retrying = undefined
    current?.abort()
    current = undefined
    enter("off")
  }

  const attend = (ending: AddEventListenerOptions): void => {
    addEventListener("pagehide", stop, ending)
    addEventListener("pageshow", start, ending)
    addEventListener("online", start, ending)
    const look = () => {
      clearTimeout(hiding)
      if (document.hidden) hiding = setTimeout(stop, PATIENCE)
      else start()
    }
    document.addEventListener("visibilitychange", look, ending)
    start()
  }

  const follow = async (signal: AbortSignal): Promise<void> => {
    const headers: HeadersInit = lastEventId ? { "last-event-id": lastEventId } : {}
    const { body } = await call(url, { signal, headers })
    const reader = body?.getReader()
    const decoder = new TextDecoder()
    const parser = new SseParser()
    for (;;) {
      const silence = setTimeout(() => void reader?.cancel(), LONGEST_SILENCE)
      const piece = await reader?.read().finally(() => clearTimeout(silence))
      if (signal.aborted) return
      if (!piece?.value) throw new Error("The stream has ended.")
      parser.push(decoder.decode(piece.value, { stream: true })).forEach(hear)
      lastEventId = parser.lastEventId || lastEventId
      retry = parser.retry ?? retry
      failures = 0
      enter("live")
    }
  }

  const hear = ({ data, name }: ServerEvent): void => {
    const told = parsed(data)
    const before = known
    if (name === "snapshot") {
      const requests = field(told, "requests")
      known = new Map()
      lapse()
      for (const request of Array.isArray(requests) ? requests : []) note(request, before)
    } else if (name === "stage") note(told, before)
    else if (name === "done" && has<Row>(told, "internal_request_id")) {
      known.delete(told.internal_request_id)
      ended.push(told)
      // More than anybody sees: the list is read again instead.
      if (ended.length > MOST) lapse()
    } else return
    // Few updates of much are calmer than many of little.
    if (!isDue) setTimeout(flush, document.hidden ? CALM * 2 : flushedAt + CALM - performance.now())
    isDue = true
  }

  const lapse = (): void => {
    ended = []
    isStale = true
  }

  const note = (told: unknown, before: ReadonlyMap<string, Ongoing>): void => {
    if (!has<Ongoing>(told, "internal_request_id")) return
    const { internal_request_id: id } = told
    if (known.size < MOST || known.has(id)) known.set(id, withTimes(told, before.get(id), Date.now()))
  }

  const flush = (): void => {
    const [done, wasStale] = [ended, isStale]
    isDue = isStale = false
    ended = []
    flushedAt = performance.now()
    feed.ongoing = Array.from(known.values())
    if (wasStale) onSnapshot(snapshots++ === 0)
    if (done[0]) onDone(done)
    onChange()
  }

  const enter = (state: LiveFeed["state"]): void => {
    if (feed.state === state) return
    feed.state = state
    onChange()
  }

  const feed: LiveFeed = { ongoing: [], state: "off", start, stop, attend }
  return feed
}

/** How long to wait before the next try: ever longer, and never at the same time as other pages. */
export const backoff = (failures: number, retry: number, chance: number): number =>
  Math.min(LONGEST_WAIT, retry * 2 ** failures) * (0.5 + chance / 2)

/** Milliseconds. The server says something every second; a tab that is hidden may be looked at again soon. */
const LONGEST_SILENCE = 20_000
const LONGEST_WAIT = 30_000
const PATIENCE = 60_000

/** Between two updates. */
const CALM = 500

/** Requests that are kept in mind. */
const MOST = 1000
