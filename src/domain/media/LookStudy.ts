import type { Span } from "./Media.ts"
import { CELLS, differingCells, isSame } from "./PictureDiff.ts"
import { apartInLight, cutBetween } from "./Sight.ts"
import type { Sight } from "./Sight.ts"

/** A moment that was looked at. */
export interface Look {
  readonly time: number
  readonly sight: Sight
}

/** What is known of the moments looked at, in order of time. */
export interface Study {
  readonly looks: ReadonlyArray<Look>
  readonly window: Span
  /** Moments with the same number show the same picture. */
  readonly same: ReadonlyArray<number>
  /** Black, or passed through by a fade: it says nothing of what lies before and behind it. */
  readonly isDim: ReadonlyArray<boolean>
  /** How sure it is that a cut lies between a moment and the one before it. */
  readonly cuts: ReadonlyArray<number>
  readonly shots: ReadonlyArray<Shot>
  /** Which shot each moment belongs to. */
  readonly shotOf: ReadonlyArray<number>
}

export interface Shot extends Span {
  /** The brightest mean of its moments. */
  readonly light: number
}

export const study = (looks: ReadonlyArray<Look>, window: Span): Study => {
  const isDim = findDim(looks, window)
  const cuts = looks.map(({ sight }, place) => {
    const before = clearBefore(place, isDim)
    const other = before === undefined ? undefined : looks[before]
    return other === undefined || isDim[place] ? 0 : cutBetween(other.sight, sight)
  })
  let shot = 0
  const shotOf = cuts.map((cut) => (cut >= CUT ? ++shot : shot))
  return { looks, window, same: sameness(looks), isDim, cuts, shots: shotsOf(looks, shotOf, window), shotOf }
}

/** The last moment before a place that is not dim. */
export const clearBefore = (place: number, isDim: ReadonlyArray<boolean>): number | undefined => {
  let before = place - 1
  while (isDim[before]) before--
  return before < 0 ? undefined : before
}

/**
 * Where something may hide that has not been seen: first between moments with a cut or a fade between them, then
 * where little has changed in a still picture, then where nobody has looked for long. Nowhere, if there surely are
 * more shots than are wanted as it is.
 */
export const doubtful = (
  { cuts, isDim, looks, same, window }: Study,
  wanted: number
): ReadonlyArray<Span> => {
  if (cuts.filter((cut) => cut >= SURE_CUT).length >= wanted) return []
  const length = window.to - window.from
  const stretches = [...looks.map(({ time }) => time), window.to].map((to, place) => {
    const [before, after] = [looks[place - 1], looks[place]]
    const isCut = (cuts[place] ?? 0) >= MAYBE_CUT || isDim[place] === true || isDim[place - 1] === true
    const isTouched =
      before !== undefined &&
      after !== undefined &&
      same[place] !== same[place - 1] &&
      isAlike(before.sight, after.sight)
    return { from: before?.time ?? window.from, to, doubt: isCut ? 2 : isTouched ? 1 : 0 }
  })
  return stretches
    .filter(({ doubt, from, to }) => to - from > (doubt > 0 ? Math.max(SHORT, length / 200) : length / 12))
    .toSorted((one, other) => other.doubt - one.doubt || other.to - other.from - (one.to - one.from))
}

const isAlike = (one: Sight, other: Sight): boolean =>
  differingCells(one.cells, other.cells, FEW_CELLS) < FEW_CELLS

/** Where a doubtful stretch is looked into: a long one may hide more than one thing. */
export const instantsIn = ({ from, to }: Span): ReadonlyArray<number> =>
  to - from > LONG ? [1, 2, 3].map((quarter) => from + (quarter * (to - from)) / 4) : [(from + to) / 2]

const sameness = (looks: ReadonlyArray<Look>): ReadonlyArray<number> => {
  const firsts: Array<Sight> = []
  let last: number | undefined
  return looks.map(({ sight }, place) => {
    const before = looks[place - 1]
    const isStill = before !== undefined && isSame(before.sight.cells, sight.cells)
    const known = isStill ? last : firsts.findIndex(({ cells }) => isSame(cells, sight.cells))
    last = known === undefined || known < 0 ? firsts.push(sight) - 1 : known
    return last
  })
}

/**
 * Dark against most of the rest, and black, or alone in it, or what stands before or behind it in less light. A dark
 * scene is a scene.
 */
const findDim = (looks: ReadonlyArray<Look>, window: Span): ReadonlyArray<boolean> => {
  const means = looks.map(({ sight }) => sight.mean)
  const usual = means.toSorted((one, other) => one - other)[means.length >> 1] ?? 0
  const isDark = means.map((mean) => mean < DARK && mean < DARK_SHARE * usual)
  const isLike = ({ sight }: Look, place: number) => {
    const other = looks[place]
    return other !== undefined && apartInLight(other.sight, sight) < CUT
  }
  return looks.map((look, place) => {
    if (!isDark[place]) return false
    if (look.sight.mean < BLACK) return true
    const [before, after] = [isDark.lastIndexOf(false, place), isDark.indexOf(false, place)]
    if (isLike(look, before) || isLike(look, after)) return true
    const hasCompany = [place - 1, place + 1].some((next) => isDark[next] === true && isLike(look, next))
    const stretch = (looks[after]?.time ?? window.to) - (looks[before]?.time ?? window.from)
    return !hasCompany && stretch < (window.to - window.from) / 12
  })
}

const shotsOf = (looks: ReadonlyArray<Look>, shotOf: ReadonlyArray<number>, { from, to }: Span) => {
  const shots: Array<Shot> = []
  looks.forEach(({ sight, time }, place) => {
    const shot = shots[shotOf[place] ?? 0]
    const last = looks[place - 1]
    if (shot !== undefined) shots[shots.length - 1] = { ...shot, light: Math.max(shot.light, sight.mean) }
    else {
      const start = last === undefined ? from : (last.time + time) / 2
      const before = shots.at(-1)
      if (before !== undefined) shots[shots.length - 1] = { ...before, to: start }
      shots.push({ from: start, to, light: sight.mean })
    }
  })
  return shots
}

/** From here on it is taken for a cut. Motion within a shot reaches 0.35 at most 1 time in 100. */
const CUT = 0.4
const MAYBE_CUT = 0.3
const SURE_CUT = 0.55
const FEW_CELLS = CELLS / 50
/** Seconds: a stretch that hides nothing worth the looking, and one that may hide more than one thing. */
const SHORT = 0.8
const LONG = 4
/** Mean brightness of 255, and its share of what is usual. */
const DARK = 60
const BLACK = 16
const DARK_SHARE = 0.4
