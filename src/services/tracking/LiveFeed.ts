import { Data, Effect } from "effect"
import { ShuttingDown } from "../../domain/Errors.ts"
import * as Money from "../../domain/Money.ts"
import type { RequestRecord } from "../../domain/RequestRecord.ts"
import { InFlight } from "./InFlight.ts"
import { Instances } from "./Instances.ts"
import { eventText, Ring } from "./live/Ring.ts"
import { endedSummary, isNews, ongoingSummary, toldOf } from "./live/summaries.ts"
import type { Told } from "./live/summaries.ts"
import { Redaction } from "./Redaction.ts"

/** Enough people are looking on. */
export class TooManyViewers extends Data.TaggedError("TooManyViewers")<{}> {
  readonly status = 503
  readonly type = "server_error"
  readonly code = "too_many_viewers"
  readonly source = "router"
  readonly retryAfter = 30
  override readonly message = `No more than ${MOST_VIEWERS} may follow the live feed; close another page of it.`
}

/** Who looks on: bytes go there, and its connection can be ended. */
export interface Viewer {
  /** False asks to pause until `onDrain` calls back. */
  readonly write: (bytes: Uint8Array) => boolean
  readonly onDrain: (resume: () => void) => void
  /** The end, after what was written. */
  readonly end: () => void
  /** The end at once. */
  readonly cut: () => void
}

/**
 * What happens in this process, as events, for pages that look on. Nobody is told of anything as it happens: while
 * there are viewers the requests under way are looked at four times a second, and what is new goes to all of them in
 * one piece. Without viewers requests are only counted.
 */
export class LiveFeed extends Effect.Service<LiveFeed>()("percept/LiveFeed", {
  scoped: Effect.gen(function* () {
    const inFlight = yield* InFlight
    const { id: instance } = yield* Instances
    const { scrub } = yield* Redaction
    const since = new Date().toISOString()
    const ring = new Ring(instance.slice(0, 8), REMEMBERED)
    const viewers = new Set<Watching>()
    const awake = yield* Effect.makeLatch(false)
    let told: ReadonlyMap<string, Told> = new Map()
    let ended: Array<RequestRecord> = []
    let isAwake = false
    let beats = 0
    let lonely = 0
    let dropped = 0
    let closed = false
    let snapshot: Uint8Array | undefined

    /** Tells a viewer what it missed since an event, or all there is now; then goes on until it leaves. */
    const join = Effect.fn("LiveFeed.join")(function* (viewer: Viewer, lastEventId?: string) {
      if (closed) return yield* new ShuttingDown()
      if (viewers.size >= MOST_VIEWERS) return yield* new TooManyViewers()
      wake()
      const from = lastEventId === undefined ? undefined : ring.numberOf(lastEventId)
      const missed = from === undefined ? undefined : ring.since(from)
      const watching: Watching = { viewer, at: ring.last, blocked: false, silent: 0 }
      viewers.add(watching)
      const first = missed === undefined ? snapshotBytes() : encoder.encode(`: resumed\n\n${missed}`)
      tell(watching, Buffer.concat([HELLO, first]))
      return () => void viewers.delete(watching)
    })

    const wake = () => {
      lonely = 0
      if (isAwake) return
      isAwake = true
      inFlight.watch(hear)
      told = new Map(inFlight.all().map((request) => [request.id, toldOf(request)]))
      awake.unsafeOpen()
    }

    /** More than can be remembered is as good as nothing: viewers get a snapshot then. */
    const hear = (row: RequestRecord) => {
      if (ended.length <= REMEMBERED) ended.push(row)
    }

    /** Who comes back within a minute still finds what it missed. */
    const fallAsleep = () => {
      isAwake = false
      awake.unsafeClose()
      inFlight.watch(undefined)
      told = new Map()
      ended = []
      snapshot = undefined
      ring.forget()
    }

    const beat = () => {
      beats++
      snapshot = undefined
      look()
      lonely = viewers.size === 0 ? lonely + 1 : 0
      if (lonely > PATIENCE) return fallAsleep()
      const asides = asidesOf(beats)
      const pieces = new Map<number, Uint8Array>()
      for (const watching of viewers) serve(watching, pieces, asides)
    }

    /** What is new becomes events: the latest stage of each request, and each end. */
    const look = () => {
      const now = new Map<string, Told>()
      for (const request of inFlight.all()) {
        const latest = toldOf(request)
        if (isNews(told.get(request.id), latest)) ring.add("stage", ongoingSummary(request, scrub))
        now.set(request.id, latest)
      }
      told = now
      const rows = ended
      ended = []
      for (const row of rows) ring.add("done", endedSummary(row, scrub))
    }

    const asidesOf = (beats: number): string => {
      const stats = beats % BEATS_A_SECOND === 0 ? eventText("stats", statsNow()) : ""
      return beats % HEARTBEAT === 0 ? `${stats}: heartbeat\n\n` : stats
    }

    /** Who does not read is waited for as long as what it misses is known. */
    const serve = (watching: Watching, pieces: Map<number, Uint8Array>, asides: string) => {
      const { at, blocked } = watching
      const missed = ring.since(at)
      if (blocked) {
        if (missed === undefined || ++watching.silent >= SILENT) drop(watching)
        return
      }
      const piece =
        pieces.get(at) ?? (missed === undefined ? snapshotBytes() : encoder.encode(missed + asides))
      pieces.set(at, piece)
      if (piece.length > 0) tell(watching, piece)
    }

    const tell = (watching: Watching, bytes: Uint8Array) => {
      watching.at = ring.last
      watching.silent = 0
      watching.blocked = !watching.viewer.write(bytes)
      if (watching.blocked)
        watching.viewer.onDrain(() => {
          watching.blocked = false
        })
    }

    const drop = (watching: Watching) => {
      dropped++
      viewers.delete(watching)
      watching.viewer.cut()
    }

    /** All that was told of requests that still run, whether or not it is new to somebody. */
    const snapshotBytes = (): Uint8Array => {
      if (snapshot !== undefined) return snapshot
      const requests = Array.from(told.values(), ({ request }) => request).slice(0, MOST_SHOWN)
      const data = {
        instance,
        last_event_id: ring.idOf(ring.last),
        stats: statsNow(),
        requests: requests.map((request) => ongoingSummary(request, scrub))
      }
      snapshot = encoder.encode(`id: ${ring.idOf(ring.last)}\n${eventText("snapshot", data)}`)
      return snapshot
    }

    const statsNow = () => {
      const tally = inFlight.tally()
      return {
        instance,
        since,
        in_flight: inFlight.count(),
        ...tally,
        cost: Money.toDollars(tally.cost_nano_usd),
        viewers: viewers.size,
        viewers_dropped: dropped
      }
    }

    /** The router goes down: nobody is let in any more, and nobody is waited for. */
    const close = () => {
      closed = true
      for (const { blocked, viewer } of viewers) (blocked ? viewer.cut : viewer.end)()
      viewers.clear()
    }

    // A beat that dies of a bug is the last of its events, but not of the feed.
    const survived = Effect.catchAllDefect(Effect.sync(beat), (defect) =>
      Effect.logError("The live feed has missed a beat.", defect)
    )
    yield* Effect.forkScoped(
      Effect.forever(awake.await.pipe(Effect.zipRight(Effect.sleep(BEAT)), Effect.zipRight(survived)))
    )
    yield* Effect.addFinalizer(() => Effect.sync(close))

    return { join, close, viewers: () => viewers.size, dropped: () => dropped }
  })
}) {}

interface Watching {
  readonly viewer: Viewer
  /** The last event it was told. */
  at: number
  /** It has not read what it was told. */
  blocked: boolean
  /** Beats since then. */
  silent: number
}

const encoder = new TextEncoder()

/** After how many milliseconds a page tries again. */
const HELLO = encoder.encode("retry: 2000\n\n")

const BEAT = "250 millis"
const BEATS_A_SECOND = 4

/** Beats: fifteen seconds, ten seconds, a minute. */
const HEARTBEAT = 15 * BEATS_A_SECOND
const SILENT = 10 * BEATS_A_SECOND
const PATIENCE = 60 * BEATS_A_SECOND

/** Events. */
const REMEMBERED = 1000

/** Requests in a snapshot; the number of all is in its figures. */
const MOST_SHOWN = 1000

const MOST_VIEWERS = 64
