/** The loudness that 10 % of the last minute stay below, and what stands out from it. */
export class NoiseFloor {
  private readonly counts = new Uint16Array(QUIETEST * -2 + 1)
  private readonly window = new Uint16Array(WINDOW)
  private seen = 0

  add(level: number) {
    const bin = Math.round((level - QUIETEST) * 2)
    const slot = this.seen % WINDOW
    if (this.seen >= WINDOW) this.count(this.window[slot] ?? 0, -1)
    this.window[slot] = bin
    this.count(bin, 1)
    this.seen++
  }

  threshold(): number {
    // Too little to tell noise from words: everything that is not silence counts.
    if (this.seen < FEWEST) return LOWEST_THRESHOLD
    const wanted = Math.min(this.seen, WINDOW) / 10
    let bin = 0
    for (let below = 0; bin < this.counts.length; bin++) {
      below += this.counts[bin] ?? 0
      if (below > wanted) break
    }
    return Math.min(Math.max(QUIETEST + bin / 2 + ABOVE_FLOOR, LOWEST_THRESHOLD), HIGHEST_THRESHOLD)
  }

  private count(bin: number, by: number) {
    this.counts[bin] = (this.counts[bin] ?? 0) + by
  }
}

/** Decibels below full scale. A constant offset is no sound, so the mean does not count. */
export const levelOf = (bytes: Uint8Array): number => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const samples = bytes.length / 2
  let sum = 0
  let squares = 0
  for (let at = 0; at < bytes.length; at += 2) {
    const sample = view.getInt16(at, true)
    sum += sample
    squares += sample * sample
  }
  const power = (squares - (sum * sum) / samples) / samples / 32_768 ** 2
  return power <= 0 ? QUIETEST : Math.min(Math.max(10 * Math.log10(power), QUIETEST), 0)
}

/** Decibels between the quietest and the loudest, without the outermost fiftieth on either side. */
export const spread = (found: ReadonlyArray<number>): number => {
  const levels = Float64Array.from(found).toSorted()
  const outer = Math.floor(levels.length / 50)
  return (levels[levels.length - 1 - outer] ?? 0) - (levels[outer] ?? 0)
}

/** Frames of 30 ms in so many seconds. */
export const framesIn = (seconds: number): number => Math.floor((seconds * 1000) / 30)

const WINDOW = framesIn(60)
const FEWEST = framesIn(3)
/** Decibels. */
const QUIETEST = -100
const ABOVE_FLOOR = 9
const LOWEST_THRESHOLD = -55
const HIGHEST_THRESHOLD = -30
