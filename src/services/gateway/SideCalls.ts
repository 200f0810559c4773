import { Effect } from "effect"
import * as ChatRequest from "../../domain/chat/ChatRequest.ts"
import type { Failure, InvalidRequest, ModelNotFound, UpstreamFailure } from "../../domain/Errors.ts"
import type { Exchange } from "../../domain/Exchange.ts"
import type { JsonObject } from "../../domain/Json.ts"
import type { RequestKind } from "../../domain/RequestRecord.ts"
import type { Reply } from "../../domain/Reply.ts"
import type { RequestTrace } from "../../domain/TraceContext.ts"
import { Admission } from "../Admission.ts"
import type { NotAdmitted } from "../Admission.ts"
import { freshId } from "../tracking/freshId.ts"
import { Recorder } from "../tracking/Recorder.ts"
import { PLACE } from "../tracking/stepping.ts"
import { freshSpanId } from "../Telemetry.ts"
import { ModelRouter } from "./ModelRouter.ts"
import { Thoughts } from "./Thoughts.ts"

/** The request for whose sake a call is made. */
export interface Parent {
  readonly id: string
  readonly path: string
  readonly clientIp: string
  readonly keyId: string | null
  readonly trace?: RequestTrace | undefined
}

/** Calls the router makes on its own account: each has a row, its cost, and the request it was made for. */
export class SideCalls extends Effect.Service<SideCalls>()("percept/SideCalls", {
  effect: Effect.gen(function* () {
    const admission = yield* Admission
    const recorder = yield* Recorder
    const router = yield* ModelRouter
    const thinking = yield* Thoughts

    /** Asks a model, and gives its whole answer. */
    const ask = Effect.fn("SideCalls.ask")(function* (kind: RequestKind, body: JsonObject, parent: Parent) {
      const step = (yield* Effect.orDie(Effect.currentSpan)).attributes.get(PLACE)
      const exchange = new InnerExchange(parent, typeof step === "number" ? step : undefined)
      let answer: JsonObject = {}
      const reply: Reply = {
        opened: () => {},
        whole: (_bytes, _text, completion) => {
          answer = completion
          exchange.json(200)
        },
        events: () => true,
        onDrain: () => {},
        end: () => {}
      }
      yield* recorder.recording(exchange, (recording): Effect.Effect<void, SideFailure> => {
        recording.onBehalf(kind, parent.id, parent.keyId)
        return Effect.gen(function* () {
          const request = recording.asked(yield* ChatRequest.parse(encoder.encode(JSON.stringify(body))))
          const route = recording.routed(yield* router.route(request.model))
          const sent = ChatRequest.withModel(request, route.model)
          yield* admission.afford(recording, route, sent)
          const heard = recording.overhearing(thinking.heard(reply, route.provider))
          yield* route.provider.answer(sent, heard, exchange)
        })
      })
      return answer
    })

    return { ask }
  })
}) {}

/** Why a side call gave no answer. */
export type SideFailure = InvalidRequest | ModelNotFound | NotAdmitted | UpstreamFailure

/** An exchange with nobody at its other end. */
class InnerExchange implements Exchange {
  readonly id = freshId()
  readonly method = "POST"
  readonly path: string
  readonly clientIp: string
  readonly trace: RequestTrace | undefined
  private sent: number | undefined

  constructor(parent: Parent, step: number | undefined) {
    this.trace = parent.trace?.below(freshSpanId(), step)
    this.path = parent.path
    this.clientIp = parent.clientIp
  }

  header = () => undefined
  headers = () => ({})
  body = () => Effect.succeed(new Uint8Array())
  status = () => this.sent
  json = (status: number) => {
    this.sent = status
  }
  text = (status: number) => {
    this.sent = status
  }
  openStream = () => {}
  write = () => true
  onDrain = () => {}
  aside = () => {}
  hasAnswered = () => this.sent !== undefined
  end = () => {}
  fail = (failure: Failure) => {
    this.sent = failure.status
  }
}

const encoder = new TextEncoder()
