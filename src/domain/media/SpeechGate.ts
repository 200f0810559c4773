import { framesIn, levelOf, NoiseFloor, spread } from "./Loudness.ts"
import type { Span } from "./Media.ts"

/** The only form of sound there is behind the decoder: 16 kHz, one channel, 16 bits, little end first. */
export const SAMPLE_RATE = 16_000

/** A stretch of sound that is worth listening to, short enough for one look of the speech model. */
export interface Piece extends Span {
  readonly pcm: Uint8Array
  /** Where in it there is something to hear. */
  readonly regions: ReadonlyArray<Span>
  /** All of one loudness for seconds on end: a hum, a hiss, a held tone; nobody speaks like that. */
  readonly steady: boolean
}

/**
 * Cuts the silence out of a recording as it streams by. What is loud against the noise around it is joined over short
 * pauses into pieces of at most 29.5 s; a longer stretch is cut where it is quietest. However the bytes are chunked,
 * the pieces are the same.
 */
export class SpeechGate {
  private readonly ring: Array<Frame> = []
  private readonly floor = new NoiseFloor()
  private filling = new Uint8Array(FRAME_BYTES)
  private filled = 0
  private bytes = 0
  private read = 0
  private decided = 0
  /** The stretch under way, from its first to its last loud frame. */
  private openedAt: number | undefined
  private lastLoud = 0
  /** Stretches that wait for others near enough to go with them. */
  private runs: Array<Run> = []
  /** What lies before this has been handed out. */
  private free = 0
  private activeFrames = 0
  private readonly ready: Array<Piece> = []

  /** Seconds of sound so far. */
  get duration(): number {
    return this.bytes / 2 / SAMPLE_RATE
  }

  /** Seconds so far in which something could be heard. */
  get active(): number {
    return Math.min(seconds(this.activeFrames), this.duration)
  }

  push(chunk: Uint8Array): ReadonlyArray<Piece> {
    this.bytes += chunk.length
    for (let at = 0; at < chunk.length;) {
      const taken = Math.min(FRAME_BYTES - this.filled, chunk.length - at)
      this.filling.set(chunk.subarray(at, at + taken), this.filled)
      this.filled += taken
      at += taken
      if (this.filled === FRAME_BYTES) this.take()
    }
    return this.ready.splice(0)
  }

  /** What was still waiting for its end. */
  end(): ReadonlyArray<Piece> {
    if (this.filled > 1) this.take()
    while (this.decided < this.read) this.decide()
    if (this.openedAt !== undefined) this.close()
    this.emit(this.read)
    return this.ready.splice(0)
  }

  private take() {
    const bytes = this.filling.slice(0, this.filled & ~1)
    const level = levelOf(bytes)
    this.ring[this.read % RING] = { bytes, level }
    this.floor.add(level)
    this.read++
    this.filled = 0
    // A look ahead, so that the first words are not taken for the noise they are measured against.
    if (this.read - this.decided > LOOK_AHEAD) this.decide()
  }

  private decide() {
    const at = this.decided++
    const threshold = this.floor.threshold() - (this.openedAt === undefined ? 0 : HYSTERESIS)
    if (this.frame(at).level >= threshold) {
      this.openedAt ??= at
      this.lastLoud = at
    } else if (this.openedAt !== undefined && at - this.lastLoud >= CLOSES_AFTER) this.close()
    const last = this.runs.at(-1)
    if (this.openedAt === undefined && last !== undefined && at - last.to >= JOINS_OVER) this.emit(at)
    else if (at + 1 - this.start() >= LONGEST) this.cut(at)
  }

  private close() {
    const from = this.openedAt ?? this.lastLoud
    this.openedAt = undefined
    if (this.lastLoud + 1 - from < SHORTEST) return
    this.runs.push(this.padded(from))
  }

  private padded(from: number): Run {
    const to = Math.min(this.lastLoud + 1 + AFTER, this.read)
    const taken = this.runs.at(-1)?.to ?? this.free
    return { from: Math.max(from - BEFORE, taken), to, loud: this.lastLoud + 1 - from }
  }

  /** Where the piece under way begins. */
  private start(): number {
    const [first] = this.runs
    if (first !== undefined) return first.from
    return this.openedAt === undefined ? this.decided : Math.max(this.openedAt - BEFORE, this.free)
  }

  private cut(at: number) {
    if (this.openedAt === undefined) return this.emit(at)
    const cut = this.quietest(this.start() + EARLIEST_CUT, at + 1)
    const open = this.openedAt
    this.runs.push(this.padded(open))
    this.openedAt = undefined
    this.emit(cut)
    // What is still under way goes on behind the cut.
    const rest = this.runs.pop()
    if (rest !== undefined && this.lastLoud >= cut) this.openedAt = Math.max(open, cut)
  }

  /** The middle of the quietest third of a second between two frames; the later of equals. */
  private quietest(from: number, to: number): number {
    let best = to
    let least = Number.POSITIVE_INFINITY
    for (let at = from; at + CUT_WIDTH <= to; at++) {
      let power = 0
      for (let next = at; next < at + CUT_WIDTH; next++) power += 10 ** (this.frame(next).level / 10)
      if (power > least) continue
      least = power
      best = at + CUT_WIDTH / 2
    }
    return best
  }

  /** Hands out what lies before a frame; a stretch that reaches beyond it is parted there. */
  private emit(end: number) {
    const now: Array<Run> = []
    const later: Array<Run> = []
    for (const run of this.runs) {
      if (run.from < end) now.push({ ...run, to: Math.min(run.to, end) })
      if (run.to > end) later.push({ ...run, from: Math.max(run.from, end) })
    }
    this.runs = later
    const from = now[0]?.from
    const to = now.at(-1)?.to
    if (from === undefined || to === undefined) return
    this.free = to
    for (const run of now) this.activeFrames += Math.min(run.loud, run.to - run.from)
    const frames = Array.from({ length: to - from }, (_, index) => this.frame(from + index))
    const span = (run: Run) => ({ from: seconds(run.from), to: Math.min(seconds(run.to), this.duration) })
    this.ready.push({
      from: seconds(from),
      to: Math.min(seconds(to), this.duration),
      pcm: joined(frames),
      regions: now.map(span),
      steady: this.isSteady(now)
    })
  }

  private isSteady(runs: ReadonlyArray<Run>): boolean {
    const levels = runs.flatMap(({ from, to }) =>
      Array.from(
        { length: Math.max(to - from - BEFORE - AFTER, 0) },
        (_, index) => this.frame(from + BEFORE + index).level
      )
    )
    return levels.length >= STEADY_FRAMES && spread(levels) < STEADY_SPREAD
  }

  private frame(index: number): Frame {
    return this.ring[index % RING] ?? NO_FRAME
  }
}

interface Frame {
  readonly bytes: Uint8Array
  /** In decibels below full scale. */
  readonly level: number
}

/** Frames, the end not included, and how many of them were not padding. */
interface Run {
  readonly from: number
  readonly to: number
  readonly loud: number
}

const joined = (frames: ReadonlyArray<Frame>): Uint8Array => {
  const all = new Uint8Array(frames.reduce((bytes, frame) => bytes + frame.bytes.length, 0))
  let at = 0
  for (const { bytes } of frames) {
    all.set(bytes, at)
    at += bytes.length
  }
  return all
}

const seconds = (frames: number): number => (frames * 30) / 1000

const FRAME_BYTES = (SAMPLE_RATE / 1000) * 30 * 2
const LOOK_AHEAD = framesIn(15)
const CLOSES_AFTER = framesIn(0.5)
const SHORTEST = framesIn(0.15)
/** Words begin and end more softly than they are. */
const BEFORE = framesIn(0.3)
const AFTER = framesIn(0.42)
const JOINS_OVER = framesIn(1.5) - AFTER
const LONGEST = framesIn(29.5)
const EARLIEST_CUT = framesIn(15)
const CUT_WIDTH = framesIn(0.3)
const STEADY_FRAMES = framesIn(2)
/** More than the longest piece, the look ahead and a pause between. */
const RING = 2048
/** Decibels. */
const HYSTERESIS = 4
const STEADY_SPREAD = 2
const NO_FRAME: Frame = { bytes: new Uint8Array(0), level: Number.NEGATIVE_INFINITY }
