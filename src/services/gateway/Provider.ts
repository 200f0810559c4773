import { Context } from "effect"
import type { Effect } from "effect"
import type { ChatRequest } from "../../domain/chat/ChatRequest.ts"
import type { ModelNotFound, UpstreamFailure } from "../../domain/Errors.ts"
import type { Exchange } from "../../domain/Exchange.ts"
import type { Model } from "../../domain/Model.ts"
import type { Reply } from "../../domain/Reply.ts"

/** What can answer a chat request. Whoever adds one writes a file like `OpenRouter.ts` and a line in `main.ts`. */
export interface Provider {
  readonly name: string
  /** Sends the request and hands the answer to the reply as it comes; interruption aborts it upstream. */
  readonly answer: (
    request: ChatRequest,
    reply: Reply,
    exchange: Exchange
  ) => Effect.Effect<void, UpstreamFailure | ModelNotFound>
  readonly models: Effect.Effect<ReadonlyArray<Model>, UpstreamFailure>
}

/** The providers that are configured, in the order of preference. */
export class Providers extends Context.Tag("percept/Providers")<Providers, ReadonlyArray<Provider>>() {}
