import { Effect } from "effect"
import { createServer } from "node:http"
import type { IncomingMessage, ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"

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
  /** What the next chat calls get, one each; after that `answers` again. */
  readonly once: (...answers: Array<Answer>) => void
  /** What chat calls get from now on. */
  readonly answers: (answer: Answer) => void
  /** What calls of the model list get. */
  readonly lists: (answer: Answer) => void
  /** The environment that points a router here. */
  readonly env: { readonly [name: string]: string }
}

export const startUpstream: Effect.Effect<Upstream, never, import("effect").Scope.Scope> =
  Effect.acquireRelease(
    Effect.async<Upstream & { readonly stop: Effect.Effect<void> }>((resume) => {
      const received: Array<Received> = []
      const listed: Array<Received> = []
      let queue: Array<Answer> = []
      let usual: Answer = completion("Hello from upstream.")
      let list: Answer = json(200, { data: MODELS })

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
            once: (...answers) => {
              queue = [...queue, ...answers]
            },
            answers: (answer) => {
              usual = answer
            },
            lists: (answer) => {
              list = answer
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
