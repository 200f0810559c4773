/** Sound made on the spot: 16 kHz, one channel, 16 bits. Levels are decibels below full scale (of the mean power). */
export const sound = (...parts: ReadonlyArray<Float64Array>): Uint8Array => {
  const samples = parts.reduce((sum, part) => sum + part.length, 0)
  const bytes = new Uint8Array(samples * 2)
  const view = new DataView(bytes.buffer)
  let at = 0
  for (const part of parts)
    for (const value of part) {
      view.setInt16(at, Math.max(-32_768, Math.min(32_767, Math.round(value * 32_768))), true)
      at += 2
    }
  return bytes
}

export const silence = (seconds: number): Float64Array => new Float64Array(samplesIn(seconds))

export const tone = (seconds: number, level: number, hertz = 440): Float64Array =>
  made(seconds, (at) => Math.SQRT2 * amplitude(level) * Math.sin((2 * Math.PI * hertz * at) / RATE))

/** White noise, the same each time. */
export const noise = (seconds: number, level: number, seed = 1): Float64Array => {
  let state = seed
  return made(seconds, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.sqrt(3) * amplitude(level) * ((state / 2 ** 32) * 2 - 1)
  })
}

/** As uneven as speech: syllables of a quarter of a second, with something between them. */
export const babble = (seconds: number, level: number): Float64Array => {
  const voice = noise(seconds, level + 3, 7)
  return voice.map((value, at) => value * (0.15 + 0.85 * Math.abs(Math.sin((2 * Math.PI * 2 * at) / RATE))))
}

/** Sounds one after the other. */
export const inTurn = (...parts: ReadonlyArray<Float64Array>): Float64Array => {
  const all = new Float64Array(parts.reduce((sum, part) => sum + part.length, 0))
  parts.reduce((at, part) => {
    all.set(part, at)
    return at + part.length
  }, 0)
  return all
}

/** Two sounds at once. */
export const over = (one: Float64Array, other: Float64Array): Float64Array =>
  one.map((value, at) => value + (other[at] ?? 0))

const made = (seconds: number, value: (at: number) => number): Float64Array =>
  Float64Array.from({ length: samplesIn(seconds) }, (_, at) => value(at))

const amplitude = (level: number): number => 10 ** (level / 20)

const samplesIn = (seconds: number): number => Math.round(seconds * RATE)

const RATE = 16_000
