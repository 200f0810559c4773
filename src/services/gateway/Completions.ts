import { Effect } from "effect"
import type { Exchange } from "../../domain/Exchange.ts"
import { Gateway } from "./Gateway.ts"

/** The way of a legacy completion: as it is to who takes it, and as a chat to everybody else. */
export class Completions extends Effect.Service<Completions>()("percept/Completions", {
  effect: Effect.gen(function* () {
    const gateway = yield* Gateway
    const complete = (exchange: Exchange) => gateway.complete(exchange)
    return { complete }
  })
}) {}
