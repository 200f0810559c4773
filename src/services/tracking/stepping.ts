import { Cause, Effect, Exit, Option, Tracer } from "effect"
import { stringField } from "../../domain/Json.ts"
import type { StepName } from "../../domain/record/Step.ts"
import { NOTE } from "./noteStep.ts"
import type { Recording } from "./Recording.ts"
import type { Steps } from "./Steps.ts"

/**
 * Keeps what is done for a request, however deep below, as its steps: the spans of the work are watched, and all the
 * others need not know of requests. A work that is shared belongs to who began it.
 */
export const stepping =
  (recording: Recording) =>
  <A, E, R>(work: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.flatMap(Effect.tracer, (outer) =>
      Effect.withTracer(
        work,
        watching(outer, recording.watched(), () => recording.elapsed())
      )
    )

const watching = (outer: Tracer.Tracer, steps: Steps, elapsed: () => number): Tracer.Tracer => {
  const places = new WeakMap<Tracer.AnySpan, number>()

  const parentOf = (parent: Option.Option<Tracer.AnySpan>): number | null => {
    let above = Option.getOrUndefined(parent)
    while (above !== undefined) {
      const place = places.get(above)
      if (place !== undefined) return place
      above = above._tag === "Span" ? Option.getOrUndefined(above.parent) : undefined
    }
    return null
  }

  return Tracer.make({
    span: (name, parent, ...rest) => {
      const span = outer.span(name, parent, ...rest)
      const step = STEPS.get(name)
      const place = step === undefined ? null : steps.begin(step, elapsed(), parentOf(parent))
      if (place === null) return span
      places.set(span, place)
      span.attribute(PLACE, place)
      const end = span.end.bind(span)
      span.end = (endTime, exit) => {
        const { note, ok } = outcomeOf(name, exit, span.attributes.get(NOTE))
        steps.end(place, elapsed(), ok, note)
        end(endTime, exit)
      }
      return span
    },
    context: (run, fiber) => outer.context(run, fiber)
  })
}

/** The attribute of a span that says which of its request's steps it is. */
export const PLACE = "percept.step"

const outcomeOf = (name: string, exit: Exit.Exit<unknown, unknown>, said: unknown) => {
  const note = typeof said === "string" ? said : null
  if (Exit.isSuccess(exit)) return { ok: true, note }
  const failure = Option.getOrUndefined(Cause.failureOption(exit.cause))
  const why = stringField(failure, "message") ?? (Cause.isInterruptedOnly(exit.cause) ? "ended early" : null)
  return {
    // That a film has no sound is no fault of anybody's.
    ok: HALVES.has(name) && stringField(failure, "code") === "unsupported",
    note: [note, why].filter((part) => part !== null).join(": ")
  }
}

const HALVES = new Set(["Looking.look", "AudioPipeline.listen"])

const STEPS: ReadonlyMap<string, StepName> = new Map<string, StepName>([
  ["Perception.look", "perceive"],
  ["Perception.observe", "observe"],
  ["Transcriptions.listen", "observe"],
  ["SingleFlight.wait", "wait"],
  ["MediaQueue.wait", "wait"],
  ["Acquisition.acquire", "fetch"],
  ["Ffmpeg.probe", "probe"],
  ["Looking.look", "look"],
  ["ImagePipeline.normalise", "look"],
  ["AudioPipeline.listen", "listen"],
  ["Presentation.present", "render"],
  ["Describer.describe", "describe"],
  ["SideCalls.ask", "describe"]
])
