import * as Command from "@effect/cli/Command"
import { OpenApi } from "@effect/platform"
import { Console } from "effect"
import { Api } from "../http/contract.ts"

/** `percept openapi`: the contract, for tools. */
export const openapi = Command.make("openapi", {}, () =>
  Console.log(JSON.stringify(OpenApi.fromApi(Api), null, 2))
).pipe(Command.withDescription("Prints the API's OpenAPI document."))
