import { Effect } from "effect"
import type { UpstreamFailure } from "../../../domain/Errors.ts"
import { arrayField, isObject, stringField } from "../../../domain/Json.ts"
import type { JsonObject } from "../../../domain/Json.ts"
import type { Model } from "../../../domain/Model.ts"
import type { Client } from "./OpenAiCompatible.ts"

/** The models of a server that lists them as OpenAI does. */
export const listedModels = (
  { ask, beside, errors }: Client,
  provider: string,
  describe: (entry: JsonObject) => Pick<Model, "pricing" | "entry"> = asListed
): Effect.Effect<ReadonlyArray<Model>, UpstreamFailure> =>
  Effect.suspend(() => ask(beside("models"))).pipe(
    Effect.filterOrFail(
      (list) => Array.isArray(list["data"]),
      () => errors.broken("answered with something that is no model list.")
    ),
    Effect.map((list) =>
      arrayField(list, "data").flatMap((entry) => {
        const id = stringField(entry, "id")
        return isObject(entry) && id !== undefined ? [{ id, provider, ...describe(entry) }] : []
      })
    )
  )

const asListed = (entry: JsonObject) => ({ pricing: undefined, entry })
