import { Effect } from "effect"
import type { Scope } from "effect"
import OpenAI from "openai"
import type { ClientOptions } from "openai"
import type { ChatCompletionChunk } from "openai/resources/chat/completions"
import { eventually, startRouter } from "./Router.ts"
import type { Router, Row } from "./Router.ts"
import { startUpstream } from "./Upstream.ts"
import type { Answer, Upstream } from "./Upstream.ts"

/** A router, the upstream behind it, and the official client in front of it. */
export interface Line {
  readonly upstream: Upstream
  readonly router: Router
  readonly openai: OpenAI
}

/** Nothing is tried again anywhere, so that what a test sees is what happened. */
export const startLine = (
  options: {
    readonly lanes?: boolean
    readonly env?: { readonly [name: string]: string }
    /** What the upstream answers when it is asked for its models, which the router does as it starts. */
    readonly models?: Answer
  } = {}
): Effect.Effect<Line, never, Scope.Scope> =>
  Effect.gen(function* () {
    const upstream = yield* startUpstream
    if (options.models !== undefined) upstream.lists(options.models)
    const router = yield* startRouter({ ...upstream.env, UPSTREAM_RETRIES: "0", ...options.env }, options)
    return { upstream, router, openai: openAi(router) }
  })

export const openAi = ({ url }: { readonly url: string }, options: ClientOptions = {}): OpenAI =>
  new OpenAI({ apiKey: CLIENT_KEY, baseURL: `${url}/v1`, maxRetries: 0, ...options })

export const CLIENT_KEY = "sk-key-of-the-client"

/** The smallest question. */
export const question = (content: string, model = "test/plain") => ({
  model,
  messages: [{ role: "user" as const, content }]
})

/** The error a call ends with; one of another kind, or a good end, fails the test. */
export const raised = <E>(
  kind: abstract new (...args: Array<never>) => E,
  call: () => PromiseLike<unknown>
): Effect.Effect<E> =>
  Effect.promise(() =>
    Promise.resolve(call()).then(
      (answer) => {
        throw new Error(`wanted ${kind.name}, got an answer: ${JSON.stringify(answer)}`)
      },
      (error: unknown) => {
        if (error instanceof kind) return error
        throw error
      }
    )
  )

/** Every row, oldest first, once there are this many and all are closed. */
export const settled = (router: Router, count: number): Effect.Effect<ReadonlyArray<Row>> =>
  eventually(router.rowsNow, (rows) => rows.length >= count && rows.every((row) => row.state !== "running"))

/** The text of the first choice. */
export const textOf = (chunks: ReadonlyArray<ChatCompletionChunk>): string =>
  chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("")

/** Reads a stream to its end. */
export const all = <A>(stream: PromiseLike<AsyncIterable<A>>): Effect.Effect<ReadonlyArray<A>> =>
  Effect.promise(async () => {
    const found: Array<A> = []
    for await (const item of await stream) found.push(item)
    return found
  })

/** What the upstream was asked, read as JSON. */
export const askedOf = ({ received }: Upstream, index = 0): unknown =>
  JSON.parse(received[index]?.body.toString("utf8") ?? "null")

/** The same answer with headers of its own. */
export const headed =
  (headers: Record<string, string | Array<string>>, answer: Answer): Answer =>
  (request, response) => {
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
    answer(request, response)
  }

/** Takes the call and never says a word. */
export const silence: Answer = () => {}
