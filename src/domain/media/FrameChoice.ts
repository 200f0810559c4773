import { bestChain } from "./BestChain.ts"
import { clearBefore } from "./LookStudy.ts"
import type { Study } from "./LookStudy.ts"
import type { Span } from "./Media.ts"
import { cellWeights, changeBetween } from "./PictureDiff.ts"
import { cutBetween, layoutBetween } from "./Sight.ts"

/** Which of the moments looked at are shown, and what that leaves out. */
export interface Choice {
  /** Places among the moments looked at, ascending. */
  readonly chosen: ReadonlyArray<number>
  readonly shots: number
  readonly shotsShown: number
  /** Moments that only repeat another. */
  readonly duplicates: number
}

/**
 * The best chain of moments through the time. Each link is worth what changes between its ends, a cut most; a
 * long stretch without a picture costs, and so does a black picture. The same picture is not shown twice in a row.
 */
export const chooseFrames = (study: Study, count: number): Choice => {
  const { looks, same, shotOf, shots, window } = study
  const length = Math.max(INSTANT, window.to - window.from)
  const plenty = Math.min(1, (shots.length - 1) / Math.max(1, count - 1))
  const gapCost = costOfGaps(length, Math.max(1, Math.min(count, looks.length)), UNEVEN * (1 + plenty))
  const time = (place: number) => looks[place]?.time ?? 0
  const isFresh = findFresh(same)
  // A part without any length is one moment, and that is worth looking at as well.
  const worth = worthOf(study, Math.max(0.001, length / Math.max(1, count)))
  const change = changesIn(study, count, CUT_SHARE * Math.sqrt(plenty))
  const chosen = bestChain({
    length: looks.length,
    most: count,
    worth: (place) => worth(place) - (isFresh[place] ? 0 : REPEAT_COST),
    link: (from, to) =>
      same[from] === same[to] ? Number.NEGATIVE_INFINITY : change(from, to) - gapCost(time(to) - time(from)),
    begin: (place) => -gapCost(time(place) - window.from),
    end: (place) => -gapCost(window.to - time(place))
  })
  return {
    chosen,
    shots: shots.length,
    shotsShown: new Set(chosen.map((place) => shotOf[place])).size,
    duplicates: looks.length - new Set(same).size
  }
}

/** The longest stretch of a window between times that are shown. */
export const longestGap = (times: ReadonlyArray<number>, { from, to }: Span): Span => {
  const marks = [Math.min(from, ...times), ...times, Math.max(to, ...times)]
  let longest: Span = { from, to: from }
  for (const [place, mark] of marks.entries()) {
    const before = marks[place - 1] ?? mark
    if (mark - before > longest.to - longest.from) longest = { from: before, to: mark }
  }
  return longest
}

/** A picture that comes back after others is shown where it stands longest, and elsewhere only to fill a long gap. */
const findFresh = (same: ReadonlyArray<number>): ReadonlyArray<boolean> => {
  const runs: Array<{ readonly picture: number; readonly from: number; to: number }> = []
  same.forEach((picture, place) => {
    const last = runs.at(-1)
    if (last?.picture === picture) last.to = place
    else runs.push({ picture, from: place, to: place })
  })
  const longest = new Map<number, (typeof runs)[number]>()
  for (const run of runs) {
    const other = longest.get(run.picture)
    if (other === undefined || run.to - run.from > other.to - other.from) longest.set(run.picture, run)
  }
  return same.map((picture, place) => {
    const run = longest.get(picture)
    return run !== undefined && place >= run.from && place <= run.to
  })
}

/** Better well inside of a long shot and in full light than at the edge of a short one. */
const worthOf = ({ isDim, looks, shotOf, shots }: Study, even: number) => {
  const spreads = looks.map(({ sight }) => sight.spread).toSorted((one, other) => one - other)
  const plain = Math.min(6, 0.35 * (spreads[spreads.length >> 1] ?? 0))
  return (place: number): number => {
    const look = looks[place]
    const shot = shots[shotOf[place] ?? 0]
    if (look === undefined || shot === undefined) return 0
    const { mean, spread } = look.sight
    const length = Math.max(INSTANT, shot.to - shot.from)
    const inside = Math.min(look.time - shot.from, shot.to - look.time) / (Math.min(length, even) / 2)
    const poor = isDim[place] || mean < BLACK ? BLACK_COST : spread < plain ? PLAIN_COST : 0
    const merits = Math.min(1, inside) + Math.min(1, length / even) + mean / Math.max(1, shot.light)
    return MERIT * merits - poor
  }
}

/** What the step from one place to another shows that is new, from 0 to 1: mostly how much of a cut it is. */
const changesIn = ({ cuts, isDim, looks, same, shotOf }: Study, count: number, cutShare: number) => {
  const weights = cellWeights(looks.map(({ sight }) => sight.light))
  const small = (from: number, to: number): number => {
    const [one, other] = [looks[from], looks[to]]
    return one === undefined || other === undefined
      ? 0
      : changeBetween(one.sight.light, other.sight.light, weights) +
          LAYOUT_SHARE * layoutBetween(one.sight, other.sight)
  }
  const smalls = looks.map((_, place) => {
    const before = clearBefore(place, isDim)
    return before === undefined || isDim[place] || same[before] === same[place] ? 0 : small(before, place)
  })
  // As many small changes as there are pictures to show them are of full worth, however small they are.
  const usual = Math.max(LEAST, smalls.toSorted((one, other) => other - one)[count - 2] ?? LEAST)
  return (from: number, to: number): number => {
    let [cut, change] = [0, 0]
    for (let place = from + 1; place <= to; place++) {
      cut = Math.max(cut, cuts[place] ?? 0)
      change = Math.max(change, smalls[place] ?? 0)
    }
    const [one, other] = [looks[from], looks[to]]
    // What has slowly become another picture is new as well, if not as new as what was cut to.
    if (
      shotOf[from] === shotOf[to] &&
      to - from > 1 &&
      to - from <= FAR &&
      one !== undefined &&
      other !== undefined
    )
      cut = Math.max(cut, SLOW * cutBetween(one.sight, other.sight))
    return cutShare * Math.min(1, cut / SURE) ** 2 + (1 - cutShare) * Math.min(1, change / usual) ** 2
  }
}

/** Uneven stretches cost a little, those that leave out nearly a quarter of the whole more than any picture is worth. */
const costOfGaps = (length: number, count: number, uneven: number) => {
  const limit = Math.max(LONGEST_SHARE, 1.25 / (count + 1)) * length
  return (gap: number): number =>
    uneven * ((gap * count) / length) ** 2 + TOO_LONG * Math.max(0, (gap - limit) / length)
}

/** Seconds: even a single picture takes some time. */
const INSTANT = 0.001
const LONGEST_SHARE = 0.225
const TOO_LONG = 100
/** Counts double where there are more shots than pictures, so that any of them will do. */
const UNEVEN = 0.015
const MERIT = 0.1
/** More than any step to a picture is worth. */
const REPEAT_COST = 1.5
const BLACK = 12
const BLACK_COST = 1
const PLAIN_COST = 0.3
/** What cuts count against smaller changes, where there are enough of them, and from when on a cut is one. */
const CUT_SHARE = 0.7
const SURE = 0.65
const LAYOUT_SHARE = 0.5
/** Changes less than this are none. */
const LEAST = 0.05
/** What has changed slowly within a shot, as a share of a cut; further apart than this nobody compares. */
const SLOW = 0.35
const FAR = 8
