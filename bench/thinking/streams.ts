/**
 * A provider's stream, read and kept as the router does it, with the thinking filter (`on`) or without it (`off`):
 * `streams.js <batches> <chunks each> <rounds>` prints, as JSON, the CPU per chunk of each round in nanoseconds.
 */
import { Assembly } from "../../src/domain/chat/Assembly.ts"
import type { Reply } from "../../src/domain/Reply.ts"
import { encodeEvent } from "../../src/domain/Sse.ts"
import { StreamRelay } from "../../src/services/gateway/StreamRelay.ts"
import { withoutThoughts } from "../../src/services/gateway/Thoughts.ts"
import { upstreamErrors } from "../../src/services/gateway/UpstreamErrors.ts"

const [batches = 0, each = 0, rounds = 0] = process.argv.slice(2).map(Number)

const text = (at: number) => ["The", " quick", " brown", " fox", " jumps", ",", " and\n\n", "over"][at % 8]
const chunk = (delta: object, finish_reason: string | null) => ({
  ...{ id: "gen-1750000000-AbCdEfGhIjKlMnOpQrSt", provider: "Bench", model: "author/model-name" },
  ...{ object: "chat.completion.chunk", created: 1_750_000_000, system_fingerprint: null },
  choices: [{ index: 0, delta, finish_reason, native_finish_reason: finish_reason, logprobs: null }]
})
const event = (value: unknown) => encodeEvent(JSON.stringify(value))

const pieces = Array.from({ length: batches }, (_, batch) =>
  Buffer.concat(
    Array.from({ length: each }, (_, at) =>
      event(chunk({ role: "assistant", content: text(batch + at) }, null))
    )
  )
)
const last = Buffer.concat([event(chunk({ content: "" }, "stop")), encodeEvent("[DONE]")])

let heard = 0
const client: Reply = {
  opened: () => {},
  whole: () => {},
  events: (bytes) => {
    heard += bytes.length
    return true
  },
  onDrain: () => {},
  end: () => {}
}

/** The record hears what the provider said. */
const overheard = (reply: Reply): Reply => {
  const assembly = new Assembly(16_384)
  return {
    ...reply,
    events: (bytes, chunks) => {
      for (const chunk of chunks) assembly.add(chunk)
      return reply.events(bytes, chunks)
    }
  }
}

const STREAMS = 40
const ways = { on: withoutThoughts, off: (reply: Reply) => reply }

/** Nanoseconds of CPU a chunk takes. */
const measure = (filter: (reply: Reply) => Reply): number => {
  const expected = heard + STREAMS * [...pieces, last].reduce((sum, { length }) => sum + length, 0)
  const before = process.cpuUsage()
  for (let stream = 0; stream < STREAMS; stream++) {
    const relay = new StreamRelay(overheard(filter({ ...client })), errors, 60_000)
    for (const piece of pieces) relay.push(piece)
    if (relay.push(last) !== "complete") throw new Error("a stream did not come to its end")
  }
  const { system, user } = process.cpuUsage(before)
  if (heard !== expected) throw new Error("a byte was changed")
  return ((system + user) * 1000) / (STREAMS * batches * each)
}

const errors = upstreamErrors("Bench", (text) => text)
const found: Array<{ on: number; off: number }> = []
for (let round = -2; round < rounds; round++) {
  const first = round % 2 === 0 ? measure(ways.on) : undefined
  const off = measure(ways.off)
  const on = first ?? measure(ways.on)
  // The first rounds are the compiler's.
  if (round >= 0) found.push({ on, off })
}
console.log(JSON.stringify(found))
