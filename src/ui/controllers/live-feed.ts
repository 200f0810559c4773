import type { ReactiveController, ReactiveControllerHost } from "lit"
import { call, field, Refused, SignInNeeded } from "../api/client.ts"
import { isLiveStats, isOngoing, withTimes } from "../api/live.ts"
import type { LiveStats, Ongoing } from "../api/live.ts"
import { isRow } from "../api/rows.ts"
import type { Row } from "../api/rows.ts"
import { SseParser } from "../model/sse.ts"
import type { ServerEvent } from "../model/sse.ts"

export interface LiveFeedOptions {
  readonly url: string
  /** Requests that have ended, the oldest first, at most twice a second. */
  readonly onDone: (rows: ReadonlyArray<Row>) => void
  /** Something may have been missed: what is shown has to be read again. The first stream begins so as well. */
  readonly onSnapshot: (isFirst: boolean) => void
  readonly onStats?: (stats: LiveStats) => void
}

/** Follows what happens on the server. News are kept for a moment, so that a burst of them is one update. */
export class LiveFeed implements ReactiveController {
  /** The requests under way, the oldest first. */
  ongoing: ReadonlyArray<Ongoing> = []
  state: "live" | "lost" | "off" = "off"
  private readonly host: ReactiveControllerHost
  private readonly options: LiveFeedOptions
  private known = new Map<string, Ongoing>()
  private ended: Array<Row> = []
  private stats: LiveStats | undefined
  private snapshots = 0
  private isStale = false
  private isMoved = false
  private lastEventId = ""
  private retry = 2000
  private failures = 0
  private current: AbortController | undefined
  private isDue = false
  private flushedAt = 0
  private timer: ReturnType<typeof setTimeout> | undefined
  private hiding: ReturnType<typeof setTimeout> | undefined

  constructor(host: ReactiveControllerHost, options: LiveFeedOptions) {
    this.host = host
    this.options = options
    host.addController(this)
  }

  hostConnected(): void {
    addEventListener("pagehide", this.stop)
    addEventListener("pageshow", this.start)
    addEventListener("online", this.start)
    document.addEventListener("visibilitychange", this.followVisibility)
    this.start()
  }

  hostDisconnected(): void {
    removeEventListener("pagehide", this.stop)
    removeEventListener("pageshow", this.start)
    removeEventListener("online", this.start)
    document.removeEventListener("visibilitychange", this.followVisibility)
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
    const lastEventId = this.lastEventId
    const response = await call(this.options.url, {
      signal,
      headers: lastEventId === "" ? {} : { "last-event-id": lastEventId }
    })
    const reader = response.body?.getReader()
    const decoder = new TextDecoder()
    const parser = new SseParser()
    for (;;) {
      const silence = setTimeout(() => void reader?.cancel(), LONGEST_SILENCE)
      const piece = await reader?.read().finally(() => clearTimeout(silence))
      if (signal.aborted) return
      if (piece === undefined || piece.done) throw new Error("The stream has ended.")
      for (const event of parser.push(decoder.decode(piece.value, { stream: true }))) this.hear(event)
      if (parser.lastEventId !== "") this.lastEventId = parser.lastEventId
      this.retry = parser.retry ?? this.retry
      this.failures = 0
      this.enter("live")
    }
  }

  private lose(own: AbortController, cause: unknown): void {
    if (this.current !== own) return
    own.abort()
    // Who is not let in, or where there is no feed, is not let in by asking again.
    if (cause instanceof SignInNeeded || (cause instanceof Refused && cause.status < 500)) return this.stop()
    this.enter("lost")
    this.timer = setTimeout(this.start, backoff(this.failures++, this.retry, Math.random()))
  }

  private hear({ data, name }: ServerEvent): void {
    const told = parsed(data)
    const now = Date.now()
    if (name === "snapshot") {
      const requests = field(told, "requests")
      const before = this.known
      this.known = new Map()
      this.ended = []
      for (const request of Array.isArray(requests) ? requests : []) this.go(request, before, now)
      this.isStale = true
    } else if (name === "stage") this.go(told, this.known, now)
    else if (name === "done" && isRow(told)) {
      this.known.delete(told.internal_request_id)
      this.ended.push(told)
      // More than anybody sees: the list is read again instead.
      if (this.ended.length > MOST_ENDED) {
        this.ended = []
        this.isStale = true
      }
    } else if (name === "stats" && isLiveStats(told)) this.stats = told
    if (name !== "stats") this.isMoved = true
    this.schedule()
  }

  private go(told: unknown, before: ReadonlyMap<string, Ongoing>, now: number): void {
    if (!isOngoing(told)) return
    const { internal_request_id: id } = told
    if (this.known.size < MOST_ONGOING || this.known.has(id))
      this.known.set(id, withTimes(told, before.get(id), now))
  }

  /** Few updates of much are calmer than many of little. Pages that nobody sees have no frames. */
  private schedule(): void {
    if (this.isDue) return
    this.isDue = true
    const wait = document.hidden ? CALM * 2 : Math.max(0, this.flushedAt + CALM - performance.now())
    setTimeout(() => (document.hidden ? this.flush() : requestAnimationFrame(this.flush)), wait)
  }

  private readonly flush = (): void => {
    this.isDue = false
    this.flushedAt = performance.now()
    const { ended, isStale, stats } = this
    this.ended = []
    this.isStale = false
    this.stats = undefined
    if (this.isMoved) this.ongoing = Array.from(this.known.values())
    if (isStale) this.options.onSnapshot(this.snapshots++ === 0)
    if (ended.length > 0) this.options.onDone(ended)
    if (stats !== undefined) this.options.onStats?.(stats)
    if (this.isMoved) this.host.requestUpdate()
    this.isMoved = false
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

const parsed = (data: string): unknown => {
  try {
    return JSON.parse(data)
  } catch {
    return undefined
  }
}

/** Milliseconds. The server says something every second; a tab that is hidden may be looked at again soon. */
const LONGEST_SILENCE = 20_000
const LONGEST_WAIT = 30_000
const PATIENCE = 60_000

/** Between two updates. */
const CALM = 500

const MOST_ENDED = 1000
const MOST_ONGOING = 1000
