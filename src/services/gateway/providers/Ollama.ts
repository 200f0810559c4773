import { Effect } from "effect"
import type { Provider } from "../Provider.ts"
import { listedModels } from "./listedModels.ts"
import * as OpenAiCompatible from "./OpenAiCompatible.ts"

/** An Ollama server: its own API where a request says what only that can take, else its OpenAI side. */
export const make = Effect.fnUntraced(function* (address: URL) {
  const client = yield* OpenAiCompatible.make({
    name: NAME,
    chatUrl: OpenAiCompatible.chatUrlOf(new URL("/v1", address)),
    headers: ["content-type", "application/json", "accept-encoding", "identity", "user-agent", "percept"],
    forwards: () => false
  })
  const { answer, completions, embeddings } = client
  return {
    name: NAME,
    answer,
    models: listedModels(client, NAME),
    completions,
    embeddings
  } satisfies Provider
})

const NAME = "ollama"
