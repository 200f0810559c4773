import { Effect, Redacted } from "effect"
import { AppConfig } from "../../AppConfig.ts"
import type { Provider } from "../Provider.ts"
import { listedModels } from "./listedModels.ts"
import * as OpenAiCompatible from "./OpenAiCompatible.ts"

/** OpenAI itself, or whoever stands at `OPENAI_BASE_URL`. */
export const make = Effect.fnUntraced(function* (key: Redacted.Redacted) {
  const { openAiUrl } = yield* AppConfig
  const client = yield* OpenAiCompatible.make({
    name: NAME,
    chatUrl: OpenAiCompatible.chatUrlOf(openAiUrl),
    headers: [
      ...["authorization", `Bearer ${Redacted.value(key)}`, "content-type", "application/json"],
      ...["accept-encoding", "identity", "user-agent", "percept"]
    ],
    forwards: (header) => header === "openai-organization" || header === "openai-project"
  })
  const { answer, completions, embeddings } = client
  const models = listedModels(client, NAME)
  return { name: NAME, answer, models, completions, embeddings } satisfies Provider
})

const NAME = "openai"
