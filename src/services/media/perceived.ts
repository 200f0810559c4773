import { Either } from "effect"
import type { MediaFailure } from "../../domain/Errors.ts"
import type { Item } from "../../domain/media/Choice.ts"
import type { Observed, Sighting } from "./Observer.ts"

/** What came of one medium. */
export interface Seen {
  readonly item: Item
  readonly result: Either.Either<Sighting, MediaFailure>
}

/** What was done, for the record and in one line for the answer's header. */
export const summaryOf = (seen: ReadonlyArray<Seen>, skipped: number, millis: number) => {
  const kinds = seen.map(({ item, result }) =>
    Either.isRight(result) ? kindOf(result.right.observed) : item.ref.kind
  )
  const counts = ["image", "video", "audio", "site", "unknown"].flatMap((kind) => {
    const count = kinds.filter((found) => found === kind).length
    return count === 0 ? [] : [`${kind} ${count}`]
  })
  const hits = seen.filter(({ result }) => Either.isRight(result) && result.right.remembered).length
  const failed = seen.filter(({ result }) => Either.isLeft(result)).length
  const rest = [
    ...(hits > 0 ? [`${hits} remembered`] : []),
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(skipped > 0 ? [`${skipped} skipped`] : []),
    `${Math.round(millis)} ms`
  ]
  return {
    kinds: Array.from(new Set(kinds)),
    hits,
    millis: Math.round(millis),
    line: [counts.join(", "), ...rest].filter((part) => part !== "").join("; ")
  }
}

const kindOf = (observed: Observed): string =>
  observed.form === "pictures"
    ? "image"
    : observed.form === "whole"
      ? observed.type.kind
      : observed.evidence.kind
