import { Effect } from "effect"
import { ModelNotFound } from "../../domain/Errors.ts"
import type { UpstreamFailure } from "../../domain/Errors.ts"
import type { Exchange, HeaderList } from "../../domain/Exchange.ts"
import { field, stringField } from "../../domain/Json.ts"
import type { JsonObject } from "../../domain/Json.ts"
import type { Reply } from "../../domain/Reply.ts"
import { Admission } from "../Admission.ts"
import type { NotAdmitted } from "../Admission.ts"
import type { Recording } from "../tracking/Recording.ts"
import type { ToldElse } from "../tracking/told.ts"
import { ModelRouter } from "./ModelRouter.ts"
import type { Speech } from "./Provider.ts"

/** Speech for a provider's own model: sent on as it came, and so is what comes back. */
export class SpeechForwarder extends Effect.Service<SpeechForwarder>()("percept/SpeechForwarder", {
  effect: Effect.gen(function* () {
    const admission = yield* Admission
    const router = yield* ModelRouter

    const forward = Effect.fn("SpeechForwarder.forward")(function* (
      speech: Speech,
      model: string,
      exchange: Exchange,
      recording: Recording
    ): Effect.fn.Return<void, UpstreamFailure | ModelNotFound | NotAdmitted> {
      const route = yield* Effect.mapError(router.resolve(model), ({ message }) => unheard(message))
      // Whoever is first in line takes any chat, but hardly any model of theirs can hear.
      if (route.rule === "first" && route.listed === undefined) return yield* deaf(model)
      const { transcribe } = recording.routed(route).provider
      if (transcribe === undefined) return yield* deaf(route.model)
      yield* admission.afford(recording, route, undefined)
      recording.row.is_multimodal = 1
      recording.row.media_type_processed = "audio"
      const fields = { ...speech.fields, model: route.model }
      const reply = recording.overhearingElse(replyTo(exchange), told)
      yield* transcribe({ ...speech, fields }, reply, exchange)
    })

    return { forward }
  })
}) {}

const replyTo = (exchange: Exchange): Reply => {
  let headers: HeaderList = []
  return {
    opened: (_, passedOn) => {
      headers = passedOn
    },
    whole: (bytes) => exchange.json(200, bytes, headers),
    plain: (bytes, contentType) => exchange.text(200, contentType, bytes, headers),
    events: (bytes) => {
      if (exchange.status() === undefined) exchange.openStream("text/event-stream; charset=utf-8", headers)
      return exchange.write(bytes)
    },
    onDrain: (resume) => exchange.onDrain(resume),
    end: () => exchange.end()
  }
}

/** A whole answer, or the event that repeats all that the others said. */
const told = (said: JsonObject): ToldElse | undefined => {
  const text = stringField(said, "text")
  const isWhole = said["type"] === undefined || said["type"] === "transcript.text.done"
  return text === undefined || !isWhole
    ? undefined
    : { kept: said, usage: field(said, "usage"), characters: text.length }
}

const deaf = (model: string) => unheard(`The model '${model.slice(0, 200)}' cannot transcribe here.`)

const unheard = (why: string) => new ModelNotFound({ message: `${why} 'whisper-1' is one that transcribes.` })
