import { Effect, Redacted } from "effect"
import { unreasoned } from "../../../domain/dialects/OllamaRequest.ts"
import { AppConfig } from "../../AppConfig.ts"
import type { Provider } from "../Provider.ts"
import { listedModels } from "./listedModels.ts"
import * as OpenAiCompatible from "./OpenAiCompatible.ts"

/** Any OpenAI-compatible server the operator runs. */
export const make = Effect.fnUntraced(function* (address: URL) {
  const { apiKeys, upstreamKey } = yield* AppConfig
  const base = address.pathname === "/" ? new URL("/v1", address) : address
  const authorization =
    upstreamKey === undefined ? [] : ["authorization", `Bearer ${Redacted.value(upstreamKey)}`]
  // Where the router takes no keys, what a client sends is meant for the server behind it.
  const passesKeys = upstreamKey === undefined && apiKeys.length === 0
  const client = yield* OpenAiCompatible.make({
    name: NAME,
    chatUrl: OpenAiCompatible.chatUrlOf(base),
    headers: [
      ...authorization,
      ...["content-type", "application/json", "accept-encoding", "identity", "user-agent", "percept"]
    ],
    forwards: (header) => passesKeys && header === "authorization",
    takesClientKeys: passesKeys
  })
  const answer: Provider["answer"] = (request, reply, exchange) =>
    client.answer(unreasoned(request), reply, exchange)
  const { completions, embeddings, transcribe } = client
  const models = listedModels(client, NAME)
  return { name: NAME, answer, models, completions, embeddings, transcribe } satisfies Provider
})

const NAME = "upstream"
