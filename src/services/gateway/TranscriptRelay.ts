import { stringField } from "../../domain/Json.ts"
import type { JsonObject } from "../../domain/Json.ts"
import { StreamRelay } from "./StreamRelay.ts"

/** The same for speech that is written down: the event with the whole text is what ends it. */
export class TranscriptRelay extends StreamRelay {
  protected override note(event: JsonObject): void {
    if (stringField(event, "type") === "transcript.text.done") super.note(FINISHED)
  }
}

const FINISHED = { choices: [{ index: 0, finish_reason: "stop" }] }
