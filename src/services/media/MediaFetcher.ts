import { Duration, Effect, Schedule } from "effect"
import { MediaFailure } from "../../domain/Errors.ts"
import { readPayload } from "../../domain/media/DataUrl.ts"
import { conditions, filenameOf, header, isSame, validatorsOf } from "../../domain/media/HttpFacts.ts"
import { sniff } from "../../domain/media/MagicBytes.ts"
import type { MediaFile, MediaKind, Validators } from "../../domain/media/Media.ts"
import { AppConfig } from "../AppConfig.ts"
import { keepFile } from "./KeptFile.ts"
import { fault, refusedWith } from "./MediaFaults.ts"
import type { Fault } from "./MediaFaults.ts"
import * as MediaRequest from "./MediaRequest.ts"

/** A file from the network, and what its server said about it. */
export interface Fetched extends MediaFile {
  /** After all redirects. */
  readonly url: URL
  readonly validators: Validators
  /** For people to read. */
  readonly filename: string | undefined
}

export interface Wanted {
  readonly kinds: ReadonlyArray<MediaKind>
  readonly progress?: (bytes: number, total: number | undefined) => void
}

/** Brings media into a private folder, from addresses and from data URLs: within limits, and only what is media by its bytes. */
export class MediaFetcher extends Effect.Service<MediaFetcher>()("percept/MediaFetcher", {
  effect: Effect.gen(function* () {
    const { audioMaxMb, fetchTimeout, imageMaxMb, videoMaxMb } = yield* AppConfig
    const get = yield* MediaRequest.make
    const mostMb = { image: imageMaxMb, video: videoMaxMb, audio: audioMaxMb }

    /** Streams to disk; what it is, and so how large it may be, is decided on the first bytes. */
    const fetch = Effect.fn("MediaFetcher.fetch")((url: URL, into: string, wanted: Wanted) =>
      Effect.gen(function* () {
        const answer = yield* get(url, {})
        if (answer.status !== 200) return yield* refusedWith(answer)
        if (isEncoded(answer)) return yield* ENCODED
        const validators = validatorsOf(answer.headers)
        const file = yield* receive({ next: answer.next, total: validators.length }, into, wanted)
        const filename = filenameOf(answer.headers, answer.url)
        return { ...file, url: answer.url, validators, filename } satisfies Fetched
      }).pipe(Effect.scoped, insist)
    )

    /** Whether a link still leads to what it led to, without having it sent again. */
    const fresh = Effect.fn("MediaFetcher.fresh")((url: URL, known: Validators) =>
      Effect.gen(function* () {
        if (known.etag === undefined && known.lastModified === undefined) return false
        const answer = yield* get(url, conditions(known))
        if (answer.status >= 500 || answer.status === 429) return yield* refusedWith(answer)
        return answer.status === 304 || (answer.status === 200 && isSame(known, validatorsOf(answer.headers)))
      }).pipe(Effect.scoped, insist)
    )

    /** What the first bytes say, without having the rest sent. */
    const peek = Effect.fn("MediaFetcher.peek")((url: URL) =>
      Effect.gen(function* () {
        const answer = yield* get(url, { range: `bytes=0-${HEAD - 1}` })
        if (answer.status !== 200 && answer.status !== 206) return yield* refusedWith(answer)
        return isEncoded(answer) ? undefined : sniff(yield* firstOf(answer.next))
      }).pipe(Effect.scoped, insist)
    )

    /** A `data:` URL, or bare base64. */
    const unpack = Effect.fn("MediaFetcher.unpack")(
      (data: string, into: string, kinds: ReadonlyArray<MediaKind>) =>
        Effect.gen(function* () {
          const payload = readPayload(data)
          if (payload === undefined) return yield* NOT_BASE64
          const pieces = payload.pieces[Symbol.iterator]()
          const next = Effect.suspend(() => {
            const { done, value } = pieces.next()
            return value === undefined && done !== true ? NOT_BASE64 : Effect.succeed(value)
          })
          return yield* receive({ next, total: payload.bytes }, into, { kinds })
        }).pipe(
          Effect.scoped,
          Effect.mapError(({ failure }) => failure)
        )
    )

    const receive = Effect.fnUntraced(function* ({ next, total }: Source, into: string, wanted: Wanted) {
      const within = (bytes: number, kinds: ReadonlyArray<MediaKind>) => {
        const most = Math.max(...kinds.map((kind) => mostMb[kind]))
        return bytes <= most * MB ? Effect.void : tooLarge(most)
      }
      yield* within(total ?? 0, wanted.kinds)
      const head = yield* firstOf(next)
      const type = sniff(head)
      if (type === undefined || !wanted.kinds.includes(type.kind)) return yield* NOT_MEDIA
      yield* within(total ?? 0, [type.kind])
      const file = yield* Effect.mapError(keepFile(into), (failure) => fault(failure))
      for (let piece: Uint8Array | undefined = head; piece !== undefined; piece = yield* next) {
        yield* within(file.bytes() + piece.length, [type.kind])
        yield* Effect.mapError(file.write(piece), (failure) => fault(failure))
        wanted.progress?.(file.bytes(), total)
      }
      return file.finish(type)
    })

    const insist = <A>(work: Effect.Effect<A, Fault>): Effect.Effect<A, MediaFailure> =>
      work.pipe(
        Effect.retry(AGAIN),
        Effect.mapError(({ failure }) => failure),
        Effect.timeoutFail({ duration: fetchTimeout, onTimeout: () => TOO_SLOW })
      )

    return { fetch, fresh, peek, unpack }
  })
}) {}

/** Pieces until undefined; their total where it is known beforehand. */
interface Source {
  readonly next: Effect.Effect<Uint8Array | undefined, Fault>
  readonly total: number | undefined
}

/** Enough to tell what it is, or all there is. */
const firstOf = Effect.fnUntraced(function* (next: Source["next"]) {
  const pieces: Array<Uint8Array> = []
  let bytes = 0
  while (bytes < HEAD) {
    const piece = yield* next
    if (piece === undefined) break
    pieces.push(piece)
    bytes += piece.length
  }
  return Buffer.concat(pieces)
})

/** The size on disk would no longer be the size on the wire. */
const isEncoded = ({ headers }: MediaRequest.Answer): boolean =>
  !["", "identity"].includes(header(headers, "content-encoding")?.trim().toLowerCase() ?? "")

/** Twice more, further and further apart, or when the server says. */
const AGAIN = Schedule.identity<Fault>().pipe(
  Schedule.whileInput(({ again }) => again),
  Schedule.intersect(Schedule.jittered(Schedule.exponential("300 millis"))),
  Schedule.intersect(Schedule.recurs(2)),
  Schedule.modifyDelay(([[{ wait }]], delay) => Duration.max(delay, Duration.seconds(wait ?? 0)))
)

const tooLarge = (mb: number) =>
  fault({ code: "too_large", message: `The file is larger than the limit of ${mb} MB.` })

const NOT_MEDIA = fault({
  code: "not_media",
  message: "What is there is not a picture, video or sound that can be taken."
})
const ENCODED = fault({ code: "unsupported", message: "The server sends the file in a compressed form." })
const NOT_BASE64 = fault({ code: "broken", message: "The data is not proper base64." })
const TOO_SLOW = new MediaFailure({ code: "timeout", message: "The file took too long to arrive." })

const HEAD = 4096
const MB = 1024 * 1024
