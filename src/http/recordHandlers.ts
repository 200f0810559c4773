import { HttpApiBuilder } from "@effect/platform"
import type { HttpServerRequest } from "@effect/platform"
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import { Clock, Effect } from "effect"
import type { ServerResponse } from "node:http"
import { errorText, InvalidRequest, PathNotFound } from "../domain/Errors.ts"
import type { Failure } from "../domain/Errors.ts"
import type { Exchange, HeaderList } from "../domain/Exchange.ts"
import * as RecordQuery from "../domain/record/RecordQuery.ts"
import { AppConfig } from "../services/AppConfig.ts"
import { RecordAccess } from "../services/RecordAccess.ts"
import { RecordDetail } from "../services/tracking/read/Detail.ts"
import { RecordAnswers } from "../services/tracking/RecordAnswers.ts"
import { EarlierLogs } from "../services/tracking/read/EarlierLogs.ts"
import { Api } from "./contract.ts"
import { Exchanges } from "./Exchanges.ts"

/** Answers a question about the record. */
export type Answer = (
  exchange: Exchange,
  parameters: URLSearchParams,
  /** The path, from behind its first three names on. */
  path: ReadonlyArray<string>
) => Effect.Effect<void, Failure>

/** The page's routes. What is wrong with a question about the record is not itself recorded. */
export const record = HttpApiBuilder.group(Api, "record", (handlers) =>
  Effect.gen(function* () {
    const answering = yield* makeAnswering
    const details = yield* RecordDetail
    const records = yield* RecordAnswers
    const logs = yield* EarlierLogs

    const list: Answer = Effect.fnUntraced(function* (exchange, parameters) {
      const query = yield* RecordQuery.parse(parameters, yield* Clock.currentTimeMillis)
      const { bytes } = yield* records.answer("list", query)
      exchange.json(200, bytes, PRIVATE)
    })

    const detail: Answer = Effect.fnUntraced(function* (exchange, _, [id = ""]) {
      const found = yield* details.find(id)
      if (found === undefined) return yield* noRequest(id)
      sendJson(exchange, found)
    })

    const body: Answer = Effect.fnUntraced(function* (exchange, _, [id = "", , which]) {
      const text = which === "request" || which === "response" ? yield* details.body(id, which) : undefined
      if (text === undefined) return yield* noRequest(id)
      exchange.openStream("application/json; charset=utf-8", [
        ...["content-disposition", `attachment; filename="${text.name.replaceAll(/[^\w.-]/g, "_")}"`],
        ...["x-content-type-options", "nosniff"]
      ])
      for (let piece = text.first, at = 1; piece !== ""; at++) {
        if (!exchange.write(Buffer.from(piece))) yield* drained(exchange)
        piece = yield* text.next(piece, at)
      }
      exchange.end()
    })

    const picture: Answer = Effect.fnUntraced(function* (exchange, _, [sha256 = ""]) {
      const found = HASH.test(sha256) ? yield* details.picture(sha256) : undefined
      if (found === undefined) return yield* new PathNotFound({ message: "There is no such picture." })
      exchange.text(200, found.mime, found.bytes, IMMUTABLE)
    })

    return handlers
      .handleRaw("list", answering(list))
      .handleRaw("listAlias", answering(list))
      .handleRaw("detail", answering(detail))
      .handleRaw("body", answering(body))
      .handleRaw("picture", answering(picture))
      .handleRaw(
        "logs",
        answering((exchange, parameters) =>
          Effect.map(logs.list(parameters), (rows) => sendJson(exchange, rows))
        )
      )
      .handleRaw(
        "inflight",
        answering((exchange) => Effect.map(logs.inFlight, (rows) => sendJson(exchange, rows)))
      )
  })
)

/** Lets in who may look at the record, where there is a page at all. */
export const makeAnswering = Effect.gen(function* () {
  const { uiEnabled } = yield* AppConfig
  const exchanges = yield* Exchanges
  const access = yield* RecordAccess
  return (answer: Answer) =>
    ({ request }: { readonly request: HttpServerRequest.HttpServerRequest }) =>
      exchanges.answered(request, (exchange) => {
        const { searchParams } = new URL(
          NodeHttpServerRequest.toIncomingMessage(request).url ?? "/",
          "http://here"
        )
        const path = exchange.path.split("/").slice(3).map(decoded)
        const answered = uiEnabled
          ? Effect.zipRight(access.admit(exchange), answer(exchange, searchParams, path))
          : Effect.fail(new PathNotFound({ message: "The page is off here (UI_ENABLED=false)." }))
        return Effect.catchAll(answered, (failure) =>
          exchange.status() === undefined
            ? refused(exchange, failure)
            : brokenOff(NodeHttpServerRequest.toServerResponse(request), failure)
        )
      })
})

/** A file that cannot be finished must not look like one that is. */
const brokenOff = (response: ServerResponse, failure: Failure): Effect.Effect<void> =>
  Effect.zipRight(
    Effect.logWarning(
      `A file of the record breaks off. ${failure.message} ${failure.detail ?? ""}`.trimEnd()
    ),
    Effect.sync(() => response.destroy())
  )

const refused = (exchange: Exchange, failure: Failure): Effect.Effect<void> => {
  // The page asks for the password itself; anybody else is asked by the browser.
  if (failure.status === 401)
    exchange.json(401, Buffer.from(errorText(exchange.path, failure)), [
      ...PRIVATE,
      ...(exchange.header("x-requested-with") === undefined ? LOGIN : BEARER)
    ])
  else exchange.fail(failure)
  return failure.detail === undefined
    ? Effect.void
    : Effect.logWarning(`${failure.message} ${failure.detail}`)
}

export const sendJson = (exchange: Exchange, value: unknown, status = 200): void =>
  exchange.json(status, Buffer.from(JSON.stringify(value)), PRIVATE)

/** Who does not read for minutes is not waited for. */
export const drained = (exchange: Exchange): Effect.Effect<void, InvalidRequest> =>
  Effect.async<void>((resume) => exchange.onDrain(() => resume(Effect.void))).pipe(
    Effect.timeoutFail({ duration: "2 minutes", onTimeout: () => new InvalidRequest(STALLED) })
  )

const noRequest = (id: string) =>
  new PathNotFound({
    message: `The record has no '${id.slice(0, 100)}', or nothing of that kind is kept of it.`
  })

const decoded = (part: string): string => {
  try {
    return RecordQuery.withoutNul(decodeURIComponent(part))
  } catch {
    return part
  }
}

const STALLED = { message: "The file was not read any further.", code: null }
const HASH = /^[0-9a-f]{64}$/
export const PRIVATE: HeaderList = ["cache-control", "no-store", "x-content-type-options", "nosniff"]
const LOGIN: HeaderList = ["www-authenticate", 'Basic realm="percept", charset="UTF-8"']
const BEARER: HeaderList = ["www-authenticate", 'Bearer realm="percept"']
const IMMUTABLE: HeaderList = [
  ...["cache-control", "private, max-age=31536000, immutable"],
  ...["x-content-type-options", "nosniff"],
  ...["content-security-policy", "default-src 'none'; sandbox"],
  ...["cross-origin-resource-policy", "same-origin"]
]
