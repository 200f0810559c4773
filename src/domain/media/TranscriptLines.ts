import type { Segment } from "./Evidence.ts"
import type { Span } from "./Media.ts"

/** What is left of a transcript after it was made to fit. */
export interface Thinned {
  readonly lines: ReadonlyArray<Segment>
  /** Stretches whose lines were left out, in order of time. */
  readonly left: ReadonlyArray<Span>
  readonly dropped: number
}

/**
 * Joins segments to lines of 15 to 30 seconds, so that one time stamp does for all of it. A pause ends a line
 * early: the words after it get a time of their own.
 */
export const transcriptLines = (segments: ReadonlyArray<Segment>): ReadonlyArray<Segment> => {
  const lines: Array<Segment> = []
  for (const next of segments) {
    const line = lines.at(-1)
    if (line !== undefined && belongs(line, next))
      lines[lines.length - 1] = {
        from: line.from,
        to: Math.max(line.to, next.to),
        text: `${line.text} ${next.text}`
      }
    else lines.push(next)
  }
  return lines
}

const belongs = (line: Segment, next: Segment): boolean => {
  const span = line.to - line.from
  if (next.from - line.to > PAUSE || Math.max(line.to, next.to) - line.from > LONGEST) return false
  return span < SHORTEST || !SENTENCE_END.test(line.text)
}

/**
 * Whole lines are left out, evenly, until the rest fits; the first and the last minute stay as long as there is
 * room for them, and one line stays in any case.
 */
export const thin = (lines: ReadonlyArray<Segment>, tokens: number): Thinned => {
  if (costOf(lines) <= tokens) return { lines, left: [], dropped: 0 }
  const opening = lines.at(0)?.from ?? 0
  const ending = lines.at(-1)?.to ?? 0
  const isEdge = ({ from, to }: Segment) => from < opening + EDGE || to > ending - EDGE
  const edge = lines.filter(isEdge)
  const middle = lines.filter((line) => !isEdge(line))
  const kept = new Set(costOf(edge) > tokens ? fromBothEnds(edge, tokens) : edge)
  if (kept.size === edge.length) for (const line of evenly(middle, tokens - costOf(edge))) kept.add(line)
  return {
    lines: lines.filter((line) => kept.has(line)),
    left: stretches(lines, (line) => !kept.has(line)),
    dropped: lines.length - kept.size
  }
}

/** Tokens of a line with its time stamp, on the high side: scripts other than Latin cost more per sign. */
export const estimateTokens = (text: string): number => {
  let plain = 0
  let other = 0
  for (const sign of text)
    if (sign < "\u0080") plain += 1
    else other += 1
  return STAMP_TOKENS + Math.ceil((plain + 3 * other) / 4)
}

const costOf = (lines: ReadonlyArray<Segment>): number =>
  lines.reduce((sum, { text }) => sum + estimateTokens(text), 0)

/** As many as there is room for, spread over all of them. */
const evenly = (lines: ReadonlyArray<Segment>, tokens: number): ReadonlyArray<Segment> => {
  let count = lines.length
  while (count > 0) {
    const before = (index: number) => Math.floor((2 * index * count + lines.length) / (2 * lines.length))
    const chosen = lines.filter((_, index) => before(index + 1) > before(index))
    const cost = costOf(chosen)
    if (cost <= tokens) return chosen
    count = Math.min(count - 1, Math.floor((count * Math.max(0, tokens)) / cost))
  }
  return []
}

const fromBothEnds = (lines: ReadonlyArray<Segment>, tokens: number): ReadonlyArray<Segment> => {
  const inTurn = lines.map((_, turn) =>
    turn % 2 === 0 ? lines[turn / 2] : lines[lines.length - (turn + 1) / 2]
  )
  let left = tokens
  return inTurn.flatMap((line, turn) => {
    if (line === undefined) return []
    left -= estimateTokens(line.text)
    return left >= 0 || turn === 0 ? [line] : []
  })
}

/** Neighbouring lines that share a property, as stretches of time. */
const stretches = (lines: ReadonlyArray<Segment>, has: (line: Segment) => boolean): ReadonlyArray<Span> => {
  const found: Array<Span> = []
  let open = false
  for (const line of lines) {
    const last = found.at(-1)
    if (!has(line)) open = false
    else if (open && last !== undefined)
      found[found.length - 1] = { from: last.from, to: Math.max(last.to, line.to) }
    else {
      found.push({ from: line.from, to: line.to })
      open = true
    }
  }
  return found
}

const SHORTEST = 15
const LONGEST = 30
const PAUSE = 3
const EDGE = 60
const STAMP_TOKENS = 8
const SENTENCE_END = /[.!?…。！？]["'”’)]*$/u
