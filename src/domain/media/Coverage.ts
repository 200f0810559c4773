import { isNothing } from "./Evidence.ts"
import type { Evidence, Frame, Heard } from "./Evidence.ts"
import { reason } from "./Fence.ts"
import type { Span } from "./Media.ts"
import type { Clock } from "./Timecode.ts"
import type { Thinned } from "./TranscriptLines.ts"

/** What was seen, and what was not, and why; undefined where there was nothing to see in the first place. */
export const seenLine = (
  evidence: Evidence,
  shown: ReadonlyArray<Frame>,
  how: { readonly clock: Clock; readonly tag: string; readonly by: string | undefined }
): string | undefined => {
  const { seen } = evidence
  if (isNothing(seen))
    return evidence.kind === "audio" ? undefined : `Seen: nothing, because ${reason(seen.nothing, how.tag)}.`
  if (shown.length === 0)
    return `Seen: nothing; ${pictures(seen.frames.length)} taken, and none could be shown here.`
  const { clock } = how
  const isAll = shown.length === seen.frames.length
  const gap = isAll ? seen.longestGap : longestGap(evidence, shown)
  return [
    `Seen: ${pictures(shown.length)} at the times given`,
    how.by,
    isAll ? undefined : ` (of ${seen.frames.length} taken, to save room)`,
    `, ${Math.min(seen.shotsShown, shown.length)} of about ${seen.shots} ${seen.shots === 1 ? "shot" : "shots"}`,
    `; longest stretch without one ${clock.length(gap.to - gap.from)} (${clock.span(gap)})`,
    seen.unseen.length === 0 ? undefined : `; not seen: ${stretches(seen.unseen, how)}`,
    ". Between pictures things may happen that are not here."
  ].join("")
}

/** What was heard, what was not, and what had to be left out for want of room. */
export const heardLine = (
  heard: Evidence["heard"],
  thinned: Thinned,
  how: { readonly clock: Clock; readonly tag: string }
): string => {
  if (isNothing(heard)) return `Heard: nothing, because ${reason(heard.nothing, how.tag)}.`
  const { clock } = how
  const missed = heard.missed.length === 0 ? "nothing" : stretches(heard.missed, how)
  return (
    `Heard: ${clock.length(heard.heard)} of ${clock.length(heard.duration)} of sound${wordless(heard)}; ` +
    `not heard: ${missed}.${leftOut(thinned, clock)}`
  )
}

const wordless = ({ active, segments, sounds }: Heard): string => {
  if (segments.length > 0) return ""
  return active === 0 && sounds.length === 0 ? ", all of it silence" : ", with no words in it"
}

const leftOut = ({ dropped, left, lines }: Thinned, clock: Clock): string => {
  const first = left.at(0)
  const last = left.at(-1)
  if (first === undefined || last === undefined) return ""
  const which =
    left.length <= MOST_STRETCHES
      ? left.map(clock.span).join(", ")
      : `${dropped} of ${dropped + lines.length} lines, spread evenly from ${clock.span({ from: first.from, to: last.to })}`
  return ` Heard but left out here to save room: ${which}.`
}

const stretches = (
  some: ReadonlyArray<Span & { readonly why: string }>,
  { clock, tag }: { readonly clock: Clock; readonly tag: string }
): string => {
  const named = some.slice(0, MOST_STRETCHES).map((one) => `${clock.span(one)} (${reason(one.why, tag)})`)
  const rest = some.length - named.length
  return rest === 0 ? named.join(", ") : `${named.join(", ")} and ${rest} more`
}

const longestGap = ({ duration, window }: Evidence, shown: ReadonlyArray<Frame>): Span => {
  const times = shown.map(({ time }) => time)
  const from = window?.from ?? 0
  const marks = [Math.min(from, ...times), ...times, Math.max(window?.to ?? duration ?? 0, ...times)]
  return marks.reduce<Span>(
    (longest, to, index) => {
      const before = marks[index - 1] ?? to
      return to - before > longest.to - longest.from ? { from: before, to } : longest
    },
    { from, to: from }
  )
}

const pictures = (count: number): string => (count === 1 ? "1 picture" : `${count} pictures`)

const MOST_STRETCHES = 12
