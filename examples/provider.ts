/**
 * Adds a provider to the router: one that answers itself, and one more OpenAI-compatible server. Whatever links to
 * media a request has, their models are shown what is in them like all others.
 *
 *     node provider.ts
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Console, Effect, Layer, Redacted } from "effect"
import { AppConfig, HttpServer, MoreProviders, router } from "percept"
import { listedModels, OpenAiCompatible } from "percept/gateway"
import type { Model, Provider } from "percept/gateway"

const LOUD: Model = {
  id: "echo/loud",
  provider: "echo",
  pricing: { prompt: "0", completion: "0" },
  entry: { id: "echo/loud", object: "model", owned_by: "echo" }
}

/** Says what it was told, louder. */
const echo: Provider = {
  name: "echo",
  models: Effect.succeed([LOUD]),
  answer: (request, reply) =>
    Effect.sync(() => {
      const content = String(request.messages.at(-1)?.["content"] ?? "").toUpperCase()
      const completion = {
        ...{ id: "echo-1", object: "chat.completion", created: 0, model: request.model },
        choices: [{ index: 0, message: { role: "assistant", content }, finish_reason: "stop" }],
        usage: { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 }
      }
      const json = JSON.stringify(completion)
      reply.whole(Buffer.from(json), json, completion)
    })
}

/** A server that speaks OpenAI's language needs only a name, an address and a key. */
const groq = (key: Redacted.Redacted) =>
  Effect.gen(function* () {
    const client = yield* OpenAiCompatible.make({
      name: "groq",
      chatUrl: new URL("https://api.groq.com/openai/v1/chat/completions"),
      headers: ["authorization", `Bearer ${Redacted.value(key)}`, "content-type", "application/json"],
      forwards: () => false
    })
    const { answer } = client
    return { name: "groq", answer, models: listedModels(client, "groq") } satisfies Provider
  })

const key = process.env["GROQ_API_KEY"]

const more = Layer.succeed(MoreProviders, [
  Effect.succeed(echo),
  ...(key === undefined ? [] : [groq(Redacted.make(key))])
])

const program = Effect.gen(function* () {
  const { url } = yield* HttpServer
  yield* Console.log(`Ask echo/loud at ${url}/v1/chat/completions`)
  yield* Effect.never
})

program.pipe(
  Effect.provide(router.pipe(Layer.provide(more), Layer.provide(AppConfig.layerFromEnv))),
  NodeRuntime.runMain
)
