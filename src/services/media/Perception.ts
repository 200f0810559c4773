import { Effect } from "effect"
import type { ChatRequest } from "../../domain/chat/ChatRequest.ts"

/** Where a request's media become what the model can take. For now requests pass as they are. */
export class Perception extends Effect.Service<Perception>()("percept/Perception", {
  succeed: {
    perceive: (request: ChatRequest): Effect.Effect<ChatRequest> => Effect.succeed(request)
  }
}) {}
