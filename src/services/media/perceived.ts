import { Either } from "effect"
import type { MediaFailure } from "../../domain/Errors.ts"
import type { Item } from "../../domain/media/Choice.ts"
import type { MediaKind } from "../../domain/media/Media.ts"
import type { MediaRef } from "../../domain/media/MediaRef.ts"
import type { ShownAs, Sighting as Recorded } from "../../domain/record/Sighting.ts"
import type { Observed, Sighting } from "./Observer.ts"

/** What came of one medium. */
export interface Seen {
  readonly item: Item
  readonly result: Either.Either<Sighting, MediaFailure>
  readonly ms: number
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

/** The media of a request one by one, for the record. `toldWhy` says of those that became a note why. */
export const sightingsOf = (
  seen: ReadonlyArray<Seen>,
  skipped: ReadonlyArray<Item>,
  sees: boolean,
  toldWhy: ReadonlyMap<Item, string> = NOTHING
): ReadonlyArray<Recorded> => [
  ...seen.map(({ item, ms, result }): Recorded => {
    const found = Either.getOrUndefined(result)
    const failure = Either.isLeft(result) ? result.left.message : (toldWhy.get(item) ?? null)
    return {
      ...placeOf(item.ref),
      kind: found === undefined ? item.ref.kind : kindOf(found.observed),
      entry: found?.medium ?? null,
      remembered: found?.remembered ?? false,
      ms: Math.round(ms),
      failure,
      shown: found === undefined || failure !== null ? "note" : shownAs(found.observed, sees)
    }
  }),
  ...skipped.slice(0, MOST_NAMED).map(passedOver)
]

const passedOver = ({ ref }: Item): Recorded => ({
  ...placeOf(ref),
  ...{ kind: ref.kind, entry: null, remembered: false, ms: 0, shown: "note", failure: TOO_MANY }
})

/** Whether there are pictures to be shown. */
export const isPictured = ({ result }: Seen): boolean =>
  Either.isRight(result) && hasPictures(result.right.observed)

/** The same, or a film that was taken whole. */
export const isVisible = ({ result }: Seen): boolean =>
  Either.isRight(result) && (hasPictures(result.right.observed) || isFilm(result.right.observed))

const isFilm = (observed: Observed): boolean => observed.form === "whole" && observed.type.kind === "video"

const hasPictures = (observed: Observed): boolean =>
  observed.form === "pictures" || (observed.form === "evidence" && "frames" in observed.evidence.seen)

const placeOf = ({ param, source }: MediaRef) => ({
  param: param.slice(0, 200),
  label: "link" in source ? source.link.url.href : "data"
})

const shownAs = (observed: Observed, sees: boolean): ShownAs => {
  if (observed.form === "whole") return "whole"
  if (observed.form === "pictures") return sees ? "pictures" : "description"
  return sees || !("frames" in observed.evidence.seen) ? "evidence" : "description"
}

const NOTHING: ReadonlyMap<Item, string> = new Map()

/** Skipped ones that are named one by one. */
const MOST_NAMED = 100

const TOO_MANY = "There were newer media, and no more are looked at in one request."

const kindOf = (observed: Observed): MediaKind =>
  observed.form === "pictures"
    ? "image"
    : observed.form === "whole"
      ? observed.type.kind
      : observed.evidence.kind
