/**
 * Runs the bundled speech engine in a process of its own, because a look of it blocks its thread and can only be
 * ended by ending the process. `whisper.js MODEL THREADS LANGUAGE`: on stdin pieces of 16 kHz PCM, each behind its
 * length in four bytes; on stdout a line of JSON per segment and one at the end of each piece.
 */
import { createRequire } from "node:module"

interface Found {
  readonly text: string
  /** Hundredths of a second. */
  readonly start: number
  readonly end: number
}

/** What is used of the package, which is optional and may not be there. */
interface Package {
  readonly Whisper: {
    new (model: string, context: { readonly useGpu: boolean }): Engine
    lang(id: number): string | null
  }
  readonly WhisperFullParams: new (strategy: number) => Wishes
  readonly WhisperSamplingStrategy: { readonly Greedy: number }
}

interface Engine {
  readonly fullLangId: number
  full(wishes: Wishes, samples: Float32Array): string
}

interface Wishes {
  language: string
  nThreads: number
  printProgress: boolean
  printRealtime: boolean
  printTimestamps: boolean
  onNewSegment: (found: Found) => void
}

const [model = "", threads = "1", language = "en"] = process.argv.slice(2)

const say = (line: object) =>
  new Promise<void>((resolve) => process.stdout.write(`${JSON.stringify(line)}\n`, () => resolve()))

const main = async () => {
  const load = createRequire(import.meta.url)
  let engine: Package
  try {
    engine = load("@napi-rs/whisper")
  } catch (error) {
    return say({ failed: "missing", detail: String(error) })
  }
  try {
    const whisper = new engine.Whisper(model, { useGpu: false })
    await say({ ready: true })
    for await (const pcm of pieces()) await listen(engine, whisper, pcm)
  } catch (error) {
    await say({ failed: "broken", detail: String(error) })
  }
}

const listen = async (engine: Package, whisper: Engine, pcm: Buffer) => {
  const wishes = new engine.WhisperFullParams(engine.WhisperSamplingStrategy.Greedy)
  wishes.language = language
  wishes.nThreads = Number(threads)
  wishes.printProgress = false
  wishes.printRealtime = false
  wishes.printTimestamps = false
  const found: Array<Found> = []
  wishes.onNewSegment = (segment) => found.push(segment)
  const all = whisper.full(wishes, samplesOf(pcm))
  await delivered(found, all)
  for (const { end, start, text } of found) await say({ from: start / 100, to: end / 100, text })
  await say({ done: true, language: engine.Whisper.lang(whisper.fullLangId) })
}

/** Segments are handed over only after the look is over, one turn of the loop after the other. */
const delivered = async (found: ReadonlyArray<Found>, all: string) => {
  const wanted = letters(all)
  const deadline = performance.now() + LONGEST_DELIVERY
  while (letters(found.map(({ text }) => text).join("")) < wanted && performance.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, 1))
}

const letters = (text: string): number => text.replaceAll(/\s/g, "").length

const samplesOf = (pcm: Buffer): Float32Array =>
  Float32Array.from({ length: pcm.length >> 1 }, (_, index) => pcm.readInt16LE(2 * index) / 32_768)

/** What stands on stdin, piece by piece. */
async function* pieces(): AsyncGenerator<Buffer> {
  let held = Buffer.alloc(0)
  for await (const chunk of process.stdin) {
    held = Buffer.concat([held, chunk])
    while (held.length >= 4 && held.length >= 4 + held.readUInt32LE()) {
      const end = 4 + held.readUInt32LE()
      yield held.subarray(4, end)
      held = held.subarray(end)
    }
  }
}

/** Milliseconds. */
const LONGEST_DELIVERY = 1000

await main()
// The engine keeps the loop alive for ever.
process.exit(0)
