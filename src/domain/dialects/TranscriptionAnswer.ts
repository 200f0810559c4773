import { arrayField, numberField, stringField } from "../Json.ts"
import type { JsonObject } from "../Json.ts"
import type { Heard, Segment } from "../media/Evidence.ts"

/** What somebody else heard, by an answer in `json` or `verbose_json`. */
export const heardIn = (answer: JsonObject): Heard => {
  const text = stringField(answer, "text") ?? ""
  const language = stringField(answer, "language")
  const timed = arrayField(answer, "segments").flatMap(segmentOf)
  const duration = numberField(answer, "duration") ?? timed.at(-1)?.to ?? 0
  return {
    source: "speech recognition",
    ...(language === undefined ? {} : { language }),
    // Without times it was all said at some time.
    segments: timed.length > 0 ? timed : [{ from: 0, to: duration, text }],
    sounds: [],
    ...{ duration, heard: duration, active: duration, missed: [] }
  }
}

const segmentOf = (said: unknown): ReadonlyArray<Segment> => {
  const [from, to] = [numberField(said, "start"), numberField(said, "end")]
  const text = stringField(said, "text")
  return from === undefined || to === undefined || text === undefined ? [] : [{ from, to, text }]
}
