import type { Heard, Segment } from "./Evidence.ts"
import type { Span } from "./Media.ts"
import { mergeSounds, NOISE, strain } from "./Speech.ts"
import type { Piece } from "./SpeechGate.ts"

/** Puts together what was heard, piece by piece in order of time; `offset` is where the first sample stands in the recording. */
export class Transcript {
  private readonly words: Array<Segment> = []
  private readonly sounds: Array<Segment> = []
  private readonly missed: Array<Span & { readonly why: string }> = []
  private readonly spoken = new Map<string, number>()
  private readonly offset: number
  private missedLast = false

  constructor(offset = 0) {
    this.offset = offset
  }

  /** The words among what the model claims to have heard. */
  add(piece: Piece, claimed: ReadonlyArray<Segment>, language: string | undefined): ReadonlyArray<Segment> {
    const { sounds, words } = strain(this.placed(piece), claimed, this.words)
    this.words.push(...words)
    this.sounds.push(...sounds)
    this.missedLast = false
    const length = words.reduce((sum, { text }) => sum + text.length, 0)
    if (language !== undefined && length > 0)
      this.spoken.set(language, (this.spoken.get(language) ?? 0) + length)
    return words
  }

  /** A piece in which there is nothing to understand. */
  addNoise(piece: Piece) {
    this.sounds.push({ ...this.shifted(piece), text: NOISE })
    this.missedLast = false
  }

  /** What follows on each other without anything heard between is one gap. */
  miss(span: Span, why: string) {
    const gap = { ...this.shifted(span), why }
    const last = this.missed.at(-1)
    if (this.missedLast && last?.why === why) this.missed[this.missed.length - 1] = { ...last, to: gap.to }
    else this.missed.push(gap)
    this.missedLast = true
  }

  heard(of: {
    readonly duration: number
    readonly active: number
  }): Pick<Heard, "segments" | "sounds" | "duration" | "heard" | "active" | "missed" | "language"> {
    const [duration, active] = [rounded(of.duration), rounded(of.active)]
    const gaps = this.missed.reduce((sum, { from, to }) => sum + to - from, 0)
    const [language] = Array.from(this.spoken).toSorted(([, one], [, other]) => other - one)
    return {
      ...(language === undefined ? {} : { language: language[0] }),
      segments: this.words,
      sounds: mergeSounds(this.sounds, this.words),
      duration,
      heard: rounded(Math.max(0, duration - gaps)),
      active,
      missed: this.missed
    }
  }

  private placed(piece: Piece) {
    return { ...this.shifted(piece), regions: piece.regions.map((region) => this.shifted(region)) }
  }

  private shifted({ from, to }: Span): Span {
    return { from: rounded(from + this.offset), to: rounded(to + this.offset) }
  }
}

const rounded = (seconds: number): number => Math.round(seconds * 1000) / 1000
