import { call, field, has, parsed, Refused } from "../api/client.ts"
import { withTimes } from "../api/live.ts"
import type { Ongoing } from "../api/live.ts"
import type { Row } from "../api/rows.ts"
import type { Controller, Host } from "../element.ts"
import { SseParser } from "../model/sse.ts"
import type { ServerEvent } from "../model/sse.ts"

export interface LiveFeedOptions {
  readonly url: string
  /** Requests that have ended, the oldest first, at most twice a second. */
  readonly onDone: (rows: ReadonlyArray<Row>) => void
  /** Something may have been missed: what is shown has to be read again. The first stream begins so as well. */
  readonly onSnapshot: (isFirst: boolean) => void
}

/** Follows what happens on the server. News are kept for a moment, so that a burst of them is one update. */
export class LiveFeed implements Controller {
  /** The requests under way, the oldest first. */
  ongoing: ReadonlyArray<Ongoing> = []
  state: "opening" | "live" | "lost" | "off" = "off"
  private readonly host: Host
  private readonly options: LiveFeedOptions
  private known = new Map<string, Ongoing>()
  private ended: Array<Row> = []
  private snapshots = 0
  private isStale = false
  private lastEventId = ""
  private retry = 2000
  private failures = 0
  private current: AbortController | undefined
  private ending = new AbortController()
  private isDue = false
  private flushedAt = 0
  private timer: ReturnType<typeof setTimeout> | undefined
  private hiding: ReturnType<typeof setTimeout> | undefined

  constructor(host: Host, options: LiveFeedOptions) {
    this.host = host
    this.options = options
    host.addController(this)
  }

  hostConnected(): void {
    this.ending = new AbortController()
    addEventListener("pagehide", this.stop, this.ending)
    addEventListener("pageshow", this.start, this.ending)
    addEventListener("online", this.start, this.ending)
    document.addEventListener("visibilitychange", this.followVisibility, this.ending)
    this.start()
  }

  hostDisconnected(): void {
    this.ending.abort()
    clearTimeout(this.hiding)
    this.stop()
  }

  /** How many clients' requests are under way, without the calls that are made for them. */
  get count(): number {
    return this.ongoing.filter(({ kind }) => kind === "main").length
  }

  /** Opens the stream where none is open, at once. */
  readonly start = (): void => {
    if (this.current !== undefined && this.timer === undefined) return
    clearTimeout(this.timer)
    this.timer = undefined
    const own = new AbortController()
    this.current = own
    if (this.state === "off") this.enter("opening")
    void this.follow(own).catch((cause: unknown) => this.lose(own, cause))
  }

  /** Closes it; the next start goes on from where it was. */
  readonly stop = (): void => {
    clearTimeout(this.timer)
    this.timer = undefined
    this.current?.abort()
    this.current = undefined
    this.enter("off")
  }

  private async follow(own: AbortController): Promise<void> {
    const { signal } = own
    const { lastEventId } = this
    const response = await call(this.options.url, {
      signal,
      headers: lastEventId ? { "last-event-id": lastEventId } : {}
    })
    const reader = response.body?.getReader()
    const decoder = new TextDecoder()
    const parser = new SseParser()
    for (;;) {
      const silence = setTimeout(() => void reader?.cancel(), LONGEST_SILENCE)
      const piece = await reader?.read().finally(() => clearTimeout(silence))
      if (signal.aborted) return
      if (!piece || piece.done) throw new Error("The stream has ended.")
      for (const event of parser.push(decoder.decode(piece.value, { stream: true }))) this.hear(event)
      this.lastEventId = parser.lastEventId || this.lastEventId
      this.retry = parser.retry ?? this.retry
      this.failures = 0
      this.enter("live")
    }
  }

  private lose(own: AbortController, cause: unknown): void {
    if (this.current !== own) return
    own.abort()
    // Who is not let in, or where there is no feed, is not let in by asking again.
    if (cause instanceof Refused && cause.status > 0 && cause.status < 500) return this.stop()
    this.enter("lost")
    this.timer = setTimeout(this.start, backoff(this.failures++, this.retry, Math.random()))
  }

  private hear({ data, name }: ServerEvent): void {
    const told = parsed(data)
    const before = this.known
    if (name === "snapshot") {
      const requests = field(told, "requests")
      this.known = new Map()
      this.lapse()
      for (const request of Array.isArray(requests) ? requests : []) this.go(request, before)
    } else if (name === "stage") this.go(told, before)
    else if (name === "done" && has<Row>(told, "internal_request_id")) {
      this.known.delete(told.internal_request_id)
      this.ended.push(told)
      // More than anybody sees: the list is read again instead.
      if (this.ended.length > MOST) this.lapse()
    } else return
    this.schedule()
  }

  private lapse(): void {
    this.ended = []
    this.isStale = true
  }

  private go(told: unknown, before: ReadonlyMap<string, Ongoing>): void {
    if (!has<Ongoing>(told, "internal_request_id")) return
    const { internal_request_id: id } = told
    if (this.known.size < MOST || this.known.has(id))
      this.known.set(id, withTimes(told, before.get(id), Date.now()))
  }

  /** Few updates of much are calmer than many of little. */
  private schedule(): void {
    if (this.isDue) return
    this.isDue = true
    setTimeout(this.flush, document.hidden ? CALM * 2 : this.flushedAt + CALM - performance.now())
  }

  private readonly flush = (): void => {
    const { ended, isStale, options } = this
    this.isDue = this.isStale = false
    this.ended = []
    this.flushedAt = performance.now()
    this.ongoing = Array.from(this.known.values())
    if (isStale) options.onSnapshot(this.snapshots++ === 0)
    if (ended.length > 0) options.onDone(ended)
    this.host.requestUpdate()
  }

  private enter(state: LiveFeed["state"]): void {
    if (this.state === state) return
    this.state = state
    this.host.requestUpdate()
  }

  private readonly followVisibility = (): void => {
    clearTimeout(this.hiding)
    if (document.hidden) this.hiding = setTimeout(this.stop, PATIENCE)
    else this.start()
  }
}

/** How long to wait before the next try: ever longer, and never at the same time as other pages. */
export const backoff = (failures: number, retry: number, chance: number): number =>
  Math.min(LONGEST_WAIT, retry * 2 ** Math.min(failures, 10)) * (0.5 + chance / 2)

/** Milliseconds. The server says something every second; a tab that is hidden may be looked at again soon. */
const LONGEST_SILENCE = 20_000
const LONGEST_WAIT = 30_000
const PATIENCE = 60_000

/** Between two updates. */
const CALM = 500

/** Requests that are kept in mind. */
const MOST = 1000
