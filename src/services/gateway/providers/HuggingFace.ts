import { Effect, Redacted } from "effect"
import { AppConfig } from "../../AppConfig.ts"
import type { Provider } from "../Provider.ts"
import { listedModels } from "./listedModels.ts"
import * as OpenAiCompatible from "./OpenAiCompatible.ts"

/** Hugging Face's router: open models at many providers, chosen by a suffix of the name. */
export const make = Effect.fnUntraced(function* (key: Redacted.Redacted) {
  const { huggingFaceBillTo, huggingFaceUrl } = yield* AppConfig
  const client = yield* OpenAiCompatible.make({
    name: NAME,
    chatUrl: OpenAiCompatible.chatUrlOf(huggingFaceUrl),
    headers: [
      ...["authorization", `Bearer ${Redacted.value(key)}`, "content-type", "application/json"],
      ...["accept-encoding", "identity", "user-agent", "percept"],
      ...(huggingFaceBillTo === undefined ? [] : ["x-hf-bill-to", huggingFaceBillTo])
    ],
    forwards: () => false
  })
  return { name: NAME, answer: client.answer, models: listedModels(client, NAME) } satisfies Provider
})

const NAME = "huggingface"
