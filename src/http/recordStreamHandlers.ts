import { HttpApiBuilder } from "@effect/platform"
import type { HttpServerRequest } from "@effect/platform"
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import { Clock, Data, Effect, Option, Stream } from "effect"
import type { ServerResponse } from "node:http"
import { InvalidRequest } from "../domain/Errors.ts"
import type { Exchange, HeaderList } from "../domain/Exchange.ts"
import * as RecordQuery from "../domain/record/RecordQuery.ts"
import { LiveFeed } from "../services/tracking/LiveFeed.ts"
import type { Viewer } from "../services/tracking/LiveFeed.ts"
import { Export } from "../services/tracking/read/Export.ts"
import type { Exported } from "../services/tracking/read/Export.ts"
import * as Formats from "../services/tracking/read/exportFormats.ts"
import { Api } from "./contract.ts"
import { drained, makeAnswering } from "./recordHandlers.ts"
import type { Answer } from "./recordHandlers.ts"

/** Enough files are being written. */
class TooManyExports extends Data.TaggedError("TooManyExports")<{}> {
  readonly status = 503
  readonly type = "server_error"
  readonly code = "too_many_exports"
  readonly source = "router"
  readonly retryAfter = 30
  override readonly message = `No more than ${MOST_EXPORTS} exports may run at once; please try again later.`
}

export const recordStreams = HttpApiBuilder.group(Api, "recordStreams", (handlers) =>
  Effect.gen(function* () {
    const answering = yield* makeAnswering
    const files = yield* Export
    const feed = yield* LiveFeed
    const seats = yield* Effect.makeSemaphore(MOST_EXPORTS)

    const live = (asked: Asked) => {
      const response = NodeHttpServerRequest.toServerResponse(asked.request)
      const answer: Answer = (exchange, parameters) =>
        Effect.acquireUseRelease(
          feed.join(
            viewerOn(response, exchange),
            exchange.header("last-event-id") ?? parameters.get("last_event_id") ?? undefined
          ),
          () => over(response),
          (leave) => Effect.sync(leave)
        )
      return answering(answer)(asked)
    }

    const file = (name: keyof typeof Formats): Answer =>
      Effect.fnUntraced(function* (exchange, parameters) {
        const now = yield* Clock.currentTimeMillis
        const query = yield* RecordQuery.parse(withoutPages(parameters), now)
        const bodies = yield* wantsBodies(parameters, name)
        const head = [
          ...["content-disposition", `attachment; filename="percept-requests-${stamp(now)}.${name}"`],
          ...["x-content-type-options", "nosniff"]
        ]
        const sent = yield* seats.withPermitsIfAvailable(1)(
          Effect.flatMap(files.open(query, Formats[name], { bodies }), (exported) =>
            send(exchange, exported, Formats[name].contentType, head)
          )
        )
        if (Option.isNone(sent)) return yield* new TooManyExports()
      })

    return handlers
      .handleRaw("live", live)
      .handleRaw("csv", answering(file("csv")))
      .handleRaw("jsonl", answering(file("jsonl")))
  })
)

interface Asked {
  readonly request: HttpServerRequest.HttpServerRequest
}

/** The stream is opened by its first words, so that who is turned away still gets an error. */
const viewerOn = (response: ServerResponse, exchange: Exchange): Viewer => ({
  write: (bytes) => {
    if (exchange.status() === undefined) exchange.openStream("text/event-stream; charset=utf-8", NO_SNIFF)
    return exchange.write(bytes)
  },
  onDrain: (resume) => exchange.onDrain(resume),
  end: () => response.end(),
  cut: () => response.destroy()
})

const send = (
  exchange: Exchange,
  { isTruncated, pieces, rows }: Exported,
  contentType: string,
  head: HeaderList
) => {
  const open = () => {
    if (exchange.status() === undefined)
      exchange.openStream(contentType, [
        ...head,
        ...["x-total", String(rows), "x-truncated", String(isTruncated)]
      ])
  }
  return pieces.pipe(
    Stream.runForEach((piece) => {
      open()
      return exchange.write(Buffer.from(piece)) ? Effect.void : drained(exchange)
    }),
    Effect.tap(() => {
      open()
      exchange.end()
    })
  )
}

const over = (response: ServerResponse): Effect.Effect<void> =>
  Effect.async((resume) => {
    if (response.writableFinished || response.destroyed) return resume(Effect.void)
    response.once("finish", () => resume(Effect.void)).once("close", () => resume(Effect.void))
  })

/** A page takes the address of its list for that of its file. */
const withoutPages = (parameters: URLSearchParams): URLSearchParams =>
  new URLSearchParams(
    Array.from(parameters).filter(([name]) => !["page", "page_size", "cursor", "bodies"].includes(name))
  )

const wantsBodies = (parameters: URLSearchParams, name: keyof typeof Formats) => {
  const word = parameters.get("bodies") ?? ""
  if (!["", "0", "1", "false", "true"].includes(word)) return new InvalidRequest(NO_FLAG)
  const wanted = word === "true" || word === "1"
  return wanted && name !== "jsonl" ? new InvalidRequest(ONLY_JSONL) : Effect.succeed(wanted)
}

/** A moment as a part of a file's name. */
const stamp = (now: number): string => new Date(now).toISOString().slice(0, 19).replaceAll(/[:-]/g, "")

const NO_FLAG = { message: "'bodies' must be true or false.", param: "bodies", code: null }
const ONLY_JSONL = { message: "'bodies' goes with tracking_export.jsonl alone.", param: "bodies", code: null }
const NO_SNIFF: HeaderList = ["x-content-type-options", "nosniff"]

const MOST_EXPORTS = 4
