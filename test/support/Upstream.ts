import { assert } from "@effect/vitest"
import { Effect } from "effect"
import type { Scope } from "effect"
import { createServer, request as httpRequest } from "node:http"
import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http"
import { connect } from "node:net"
import type { AddressInfo } from "node:net"
import type { ErrorSource } from "../../src/domain/Errors.ts"
import { isObject, parseJson, stringField } from "../../src/domain/Json.ts"
import type { JsonObject } from "../../src/domain/Json.ts"
import type { RequestState } from "../../src/domain/RequestRecord.ts"
import { eventually } from "./Router.ts"
import type { Router, Row } from "./Router.ts"

/** One request as the upstream got it, and what became of its connection. */
export interface Received {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage["headers"]
  readonly body: Buffer
  /** The router hung up before the answer was complete. */
  aborted: boolean
}

export type Answer = (request: Received, response: ServerResponse) => void

/** A real server in this process that plays a provider: it answers as told and remembers what it was asked. */
export interface Upstream {
  readonly url: string
  /** Chat calls in the order they came. */
  readonly received: Array<Received>
  /** Calls of the model list. */
  readonly listed: Array<Received>
  /** Calls for what an answer has cost after its end. */
  readonly looked: Array<Received>
  /** What the next chat calls get, one each; after that `answers` again. */
  readonly once: (...answers: Array<Answer>) => void
  /** What chat calls get from now on. */
  readonly answers: (answer: Answer) => void
  /** What calls of the model list get. */
  readonly lists: (answer: Answer) => void
  /** What those get who ask what an answer has cost; otherwise nobody knows. */
  readonly tells: (answer: Answer) => void
  /** The environment that points a router here. */
  readonly env: { readonly [name: string]: string }
}

export const startUpstream: Effect.Effect<Upstream, never, Scope.Scope> = Effect.acquireRelease(
  Effect.async<Upstream & { readonly stop: Effect.Effect<void> }>((resume) => {
    const received: Array<Received> = []
    const listed: Array<Received> = []
    const looked: Array<Received> = []
    let queue: Array<Answer> = []
    let usual: Answer = completion("Hello from upstream.")
    let list: Answer = json(200, { data: MODELS })
    let generation: Answer = json(404, { error: { code: 404, message: "Generation not found" } })

    const server = createServer((request, response) => {
      const pieces: Array<Buffer> = []
      request.on("data", (piece: Buffer) => pieces.push(piece))
      request.on("end", () => {
        const got: Received = {
          method: request.method ?? "",
          path: request.url ?? "",
          headers: request.headers,
          body: Buffer.concat(pieces),
          aborted: false
        }
        response.on("close", () => {
          got.aborted = !response.writableFinished
        })
        if (got.path.startsWith("/v1/generation?")) {
          looked.push(got)
          return generation(got, response)
        }
        const isList = got.path.startsWith("/v1/models")
        ;(isList ? listed : received).push(got)
        const answer = isList ? list : (queue.shift() ?? usual)
        answer(got, response)
      })
    })
    server.listen(0, "127.0.0.1", () => {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
      resume(
        Effect.succeed({
          url,
          received,
          listed,
          looked,
          once: (...answers) => {
            queue = [...queue, ...answers]
          },
          answers: (answer) => {
            usual = answer
          },
          lists: (answer) => {
            list = answer
          },
          tells: (answer) => {
            generation = answer
          },
          env: {
            OPENROUTER_API_KEY: UPSTREAM_KEY,
            OPENROUTER_API_URL: `${url}/v1/chat/completions`,
            OPENROUTER_MODELS_API_URL: `${url}/v1/models`
          },
          stop: Effect.async((resume) => {
            server.close(() => resume(Effect.void))
            server.closeAllConnections()
          })
        })
      )
    })
  }),
  ({ stop }) => stop
)

/** The key the router shows this upstream. */
export const UPSTREAM_KEY = "sk-or-v1-test-upstream-key"

export const MODELS = [
  {
    id: "test/plain",
    name: "Plain",
    created: 1,
    context_length: 8192,
    pricing: { prompt: "0.000001", completion: "0.000002" }
  },
  {
    id: "test/free:free",
    name: "Free",
    created: 2,
    context_length: 8192,
    pricing: { prompt: "0", completion: "0" }
  }
]

export const json =
  (status: number, value: unknown, headers: Record<string, string> = {}): Answer =>
  (_, response) => {
    response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(value))
  }

export const USAGE = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15, cost: 0.00014 }

/** A plain good answer. */
export const completion = (content: string, rest: object = {}): Answer =>
  json(200, {
    id: "gen-1",
    object: "chat.completion",
    created: 1,
    model: "test/plain",
    choices: [{ index: 0, message: { role: "assistant", content, refusal: null }, finish_reason: "stop" }],
    usage: USAGE,
    ...rest
  })

/** The text of one event with a piece of an answer. */
export const chunk = (delta: object, finish: string | null = null, rest: object = {}): string =>
  `data: ${JSON.stringify({
    id: "gen-1",
    object: "chat.completion.chunk",
    created: 1,
    model: "test/plain",
    choices: [{ index: 0, delta, finish_reason: finish }],
    ...rest
  })}\n\n`

/** A whole good stream as text. */
export const streamText = (pieces: ReadonlyArray<string>): string =>
  pieces.map((content) => chunk({ content })).join("") +
  chunk({}, "stop", { usage: USAGE }) +
  "data: [DONE]\n\n"

/** Opens an event stream and leaves the rest to the caller. */
export const openStream = (response: ServerResponse, headers: Record<string, string> = {}): void => {
  response.writeHead(200, { "content-type": "text/event-stream", ...headers })
  response.flushHeaders()
}

/** Sends these pieces of a stream, each in its own packet, and ends. */
export const stream =
  (...pieces: ReadonlyArray<string | Buffer>): Answer =>
  (_, response) => {
    openStream(response)
    const send = (index: number): void => {
      const piece = pieces[index]
      if (piece === undefined) return void response.end()
      response.write(piece, () => setImmediate(send, index + 1))
    }
    send(0)
  }

/** Any status and body, whatever the headers claim about it. */
export const says =
  (status: number, body: string | Buffer, headers: Record<string, string> = {}): Answer =>
  (_, response) => {
    response.writeHead(status, headers).end(body)
  }

/** Bytes that need not be HTTP, and the end of the connection. */
export const raw =
  (...bytes: ReadonlyArray<string>): Answer =>
  (_, response) => {
    response.socket?.end(bytes.join(""))
  }

/** Sends some of an answer and hangs up. */
export const breaksOff =
  (status: number, body: string, headers: Record<string, string> = {}): Answer =>
  (_, response) => {
    response.writeHead(status, { "content-length": "100000", ...headers })
    response.write(body, () => response.socket?.end())
  }

/** Sends some of an answer and then nothing more. */
export const stalls =
  (status: number, body: string, headers: Record<string, string> = {}): Answer =>
  (_, response) => {
    response.writeHead(status, { "content-length": "100000", ...headers }).write(body)
  }

export const reset: Answer = (_, response) => {
  response.socket?.resetAndDestroy()
}

export const silence: Answer = () => {}

/** Lets the test answer the next chat call by hand, once it has come. */
export const byHand = (upstream: Pick<Upstream, "once">): Effect.Effect<ServerResponse> => {
  const arrived = new Promise<ServerResponse>((resolve) => {
    upstream.once((_, response) => resolve(response))
  })
  return Effect.promise(() => arrived)
}

/** A port of this machine on which nobody listens. */
export const closedPort: Effect.Effect<number> = Effect.async((resume) => {
  const server = createServer()
  server.listen(0, "127.0.0.1", () => {
    const address = server.address()
    const port = typeof address === "object" && address !== null ? address.port : 0
    server.close(() => resume(Effect.succeed(port)))
  })
})

/** What a client sends. */
export interface Question {
  readonly method?: string
  readonly path?: string
  readonly headers?: OutgoingHttpHeaders
  readonly body?: string | Buffer
  /** The body is never ended. */
  readonly unfinished?: boolean
  /** The client does not read its answer. */
  readonly deaf?: boolean
}

/** An answer as a client got it, whole. */
export interface Got {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly bytes: Buffer
  readonly text: string
}

/** A client with a connection of its own, in the middle of its request. */
export interface Client {
  readonly head: Effect.Effect<IncomingMessage>
  /** The answer's text so far. */
  readonly heard: () => string
  /** Waits until this much of the answer has come. */
  readonly hears: (text: string) => Effect.Effect<string>
  /** The answer, read to its proper end; one that never ends, or breaks off, is a defect. */
  readonly answer: Effect.Effect<Got>
  /** Starts to read after all. */
  readonly listen: () => void
  readonly leave: () => void
}

/** The plainest request there is. */
export const HI = { model: "test/plain", messages: [{ role: "user", content: "Hi" }] }

const CHAT = "/v1/chat/completions"

export const client = (router: Router, question: Question): Effect.Effect<Client, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => connectClient(router, question)),
    ({ leave }) => Effect.sync(leave)
  )

const connectClient = (router: Router, question: Question): Client => {
  const pieces: Array<Buffer> = []
  const heard = () => Buffer.concat(pieces).toString("utf8")
  const request = httpRequest(`${router.url}${question.path ?? CHAT}`, {
    agent: false,
    method: question.method ?? "POST",
    headers: { "content-type": "application/json", ...question.headers }
  })
  const answered = new Promise<IncomingMessage | Error>((resolve) => {
    request.on("response", resolve).on("error", resolve)
  })
  const listen = (response: IncomingMessage) => response.on("data", (piece: Buffer) => pieces.push(piece))
  const ended = answered.then((response) => {
    if (response instanceof Error) return response
    if (question.deaf !== true) listen(response)
    return new Promise<Got | Error>((resolve) => {
      response.on("error", resolve).on("end", () => {
        const bytes = Buffer.concat(pieces)
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          bytes,
          text: bytes.toString("utf8")
        })
      })
    })
  })
  if (question.unfinished === true) request.write(question.body ?? "")
  else request.end(question.body)
  return {
    head: inTime(answered, "no head of an answer"),
    heard,
    hears: (text) => eventually(Effect.sync(heard), (now) => now.includes(text)),
    answer: inTime(ended, "no end of an answer"),
    listen: () => void answered.then((response) => response instanceof Error || listen(response)),
    leave: () => request.destroy()
  }
}

const inTime = <A>(coming: Promise<A | Error>, otherwise: string): Effect.Effect<A> =>
  Effect.promise(() => coming).pipe(
    Effect.flatMap((come) => (come instanceof Error ? Effect.die(come) : Effect.succeed(come))),
    Effect.timeout("6 seconds"),
    Effect.catchTag("TimeoutException", () => Effect.dieMessage(`${otherwise} within 6 seconds`))
  )

/** Sends a request and reads its answer to the end. */
export const send = (router: Router, question: Question): Effect.Effect<Got> =>
  Effect.scoped(Effect.flatMap(client(router, question), ({ answer }) => answer))

/** Sends a chat request, as JSON or as it is. */
export const sendChat = (router: Router, body: unknown, headers: OutgoingHttpHeaders = {}) =>
  send(router, { body: typeof body === "string" ? body : JSON.stringify(body), headers })

/** Sends bytes that need not be HTTP and reads whatever comes back until the end. */
export const sendRaw = (router: Router, bytes: string | Buffer): Effect.Effect<Got> =>
  inTime(
    new Promise<Got>((resolve) => {
      const pieces: Array<Buffer> = []
      const { hostname, port } = new URL(router.url)
      const socket = connect(Number(port), hostname)
      socket.on("data", (piece: Buffer) => pieces.push(piece))
      // What came before a reset counts; nothing at all fails every check.
      socket.on("error", () => {})
      socket.on("close", () => resolve(httpAnswer(Buffer.concat(pieces))))
      socket.end(bytes)
    }),
    "no end of a connection"
  )

const httpAnswer = (bytes: Buffer): Got => {
  const end = bytes.indexOf("\r\n\r\n")
  const [first = "", ...lines] = bytes.subarray(0, Math.max(0, end)).toString("latin1").split("\r\n")
  const body = bytes.subarray(end < 0 ? bytes.length : end + 4)
  const headers = lines.map((line) => {
    const colon = line.indexOf(":")
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
  })
  return {
    status: Number(first.split(" ")[1] ?? 0),
    headers: Object.fromEntries(headers),
    bytes: body,
    text: body.toString("utf8")
  }
}

/** What is promised of a request that fails. */
export interface Verdict {
  readonly status: number
  readonly source: ErrorSource
  readonly type?: string
  readonly code?: string | null
  readonly param?: string | null
  readonly says?: RegExp
}

/** A request that must succeed on the same router afterwards. */
export interface Next {
  readonly body?: object
  readonly headers?: Record<string, string>
}

/** The client got an error in OpenAI's shape, the record has it once and for all, and the router goes on serving. */
export const refusedWith = Effect.fnUntraced(function* (
  router: Router,
  got: Got,
  verdict: Verdict,
  next: Next = {}
) {
  const error = errorAnswer(got, verdict)
  const row = yield* finalRow(router, got)
  assert.strictEqual(row.state, "failed")
  assert.strictEqual(row.status_code_returned_to_client, verdict.status)
  assert.strictEqual(row.error_source, verdict.source)
  assert.strictEqual(row.error_message, error.message)
  yield* servesOn(router, row, next)
  return { error, row }
})

/** A stream that had begun with `begun` ended in one error event, the record has it, and the router goes on serving. */
export const brokenOffWith = Effect.fnUntraced(function* (
  router: Router,
  got: Got,
  verdict: Partial<Omit<Verdict, "status">> & { readonly begun?: string },
  next: Next = {}
) {
  assert.strictEqual(got.status, 200)
  assert.match(got.headers["content-type"] ?? "", /^text\/event-stream\b/)
  assert.match(requestId(got), REQUEST_ID)
  assert.notInclude(got.text, "[DONE]")
  const events = eventsOf(got.text)
  for (const [index, event] of events.entries())
    assert.strictEqual(isObject(event) && "error" in event, index === events.length - 1, got.text.slice(-600))
  const error = errorIn(events.at(-1), verdict)
  if (verdict.begun !== undefined) {
    const rest = got.text.slice(verdict.begun.length)
    assert.strictEqual(got.text.slice(0, verdict.begun.length), verdict.begun)
    assert.match(rest, /^data: \{"error":[^\n]*\n\n$/)
  }
  const row = yield* finalRow(router, got)
  assert.strictEqual(row.state, "failed")
  assert.strictEqual(row.status_code_returned_to_client, 200)
  assert.strictEqual(row.error_source, verdict.source ?? "upstream")
  assert.strictEqual(row.error_message, error.message)
  yield* servesOn(router, row, next)
  return { error, row }
})

/** A good answer, its row, and a router that goes on serving. */
export const succeeded = Effect.fnUntraced(function* (router: Router, got: Got, next: Next = {}) {
  assert.strictEqual(got.status, 200, got.text)
  assert.match(requestId(got), REQUEST_ID)
  const row = yield* finalRow(router, got)
  assert.strictEqual(row.state, "done")
  assert.strictEqual(row.status_code_returned_to_client, 200)
  assert.isNull(row.error_source)
  assert.isNull(row.error_message)
  yield* servesOn(router, row, next)
  return { row }
})

/** The only row there is, of a client that did not stay, and a router that goes on serving. */
export const abandonedWith = Effect.fnUntraced(function* (router: Router, status: number, next: Next = {}) {
  const rows = yield* router.rows
  assert.strictEqual(rows.length, 1)
  for (const row of rows) {
    assert.strictEqual(row.state, "cancelled")
    assert.strictEqual(row.status_code_returned_to_client, status)
    yield* servesOn(router, row, next)
  }
})

/** The error of an answer that is nothing but an error. */
export const errorAnswer = (got: Got, verdict: Partial<Verdict>): ErrorObject => {
  assert.strictEqual(got.status, verdict.status, got.text.slice(0, 600))
  assert.strictEqual(got.headers["content-type"], "application/json")
  assert.strictEqual(got.headers["content-length"], String(got.bytes.length))
  assert.match(requestId(got), REQUEST_ID)
  return errorIn(parseJson(got.text), verdict)
}

/** An error object of OpenAI's, and whatever else a provider put beside it. */
export interface ErrorObject extends JsonObject {
  readonly message: string
  readonly type: string
  readonly param: string | null
  readonly code: string | null
}

const errorIn = (body: unknown, verdict: Partial<Verdict>): ErrorObject => {
  assert.isTrue(isObject(body), "the body is a JSON object")
  assert.deepStrictEqual(Object.keys(isObject(body) ? body : {}), ["error"])
  const error = isObject(body) && isObject(body["error"]) ? body["error"] : {}
  assert.includeMembers(Object.keys(error), ["message", "type", "param", "code"])
  const { code, param } = error
  const message = stringField(error, "message") ?? ""
  const type = stringField(error, "type") ?? ""
  assert.isAbove(message.trim().length, 0, "the message says something")
  assert.isAbove(type.length, 0, "the type says something")
  if (param !== null) assert.isString(param)
  if (code !== null) assert.isString(code)
  if (verdict.type !== undefined) assert.strictEqual(type, verdict.type)
  if (verdict.code !== undefined) assert.strictEqual(code, verdict.code)
  if (verdict.param !== undefined) assert.strictEqual(param, verdict.param)
  if (verdict.says !== undefined) assert.match(message, verdict.says)
  return {
    ...error,
    message,
    type,
    param: typeof param === "string" ? param : null,
    code: typeof code === "string" ? code : null
  }
}

/** What a standard reader of event streams makes of a text; `[DONE]` stays a string. */
export const eventsOf = (text: string): ReadonlyArray<unknown> =>
  text
    .split(/(?:\r?\n){2}/)
    .map((event) =>
      event
        .split(/\r?\n/)
        .filter((line) => line.startsWith("data:"))
        .map((line) => line.slice(5).replace(/^ /, ""))
    )
    .filter((data) => data.length > 0)
    .map((data) => {
      const payload = data.join("\n")
      return payload === "[DONE]" ? payload : JSON.parse(payload)
    })

const requestId = (got: Got): string => String(got.headers["x-request-id"])

const REQUEST_ID = /^req_[\w-]{16,}$/

const FINAL: ReadonlySet<RequestState> = new Set(["done", "failed", "cancelled", "interrupted"])

/** The row of this answer, in its final state; there is exactly one. */
export const finalRow = Effect.fnUntraced(function* (router: Router, got: Got) {
  const id = requestId(got)
  const own = Effect.map(router.rowsNow, (rows) => rows.filter((row) => row.internal_request_id === id))
  const rows = yield* eventually(own, (rows) => rows.some((row) => FINAL.has(row.state)), 5)
  assert.strictEqual(rows.length, 1)
  return rows[0] ?? (yield* Effect.dieMessage("no row"))
})

/** The same router answers a good request and records it, and what it recorded before stays as it was. */
export const servesOn = Effect.fnUntraced(function* (
  router: Router,
  before: Row | undefined,
  next: Next = {}
) {
  const got = yield* sendChat(router, next.body ?? router.hi ?? HI, next.headers)
  assert.strictEqual(got.status, 200, got.text)
  const row = yield* finalRow(router, got)
  assert.strictEqual(row.state, "done")
  if (before === undefined) return
  const rows = yield* router.rowsNow
  assert.deepStrictEqual(
    rows.filter(({ internal_request_id }) => internal_request_id === before.internal_request_id),
    [before]
  )
})
