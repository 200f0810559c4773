import * as fc from "effect/FastCheck"
import { Either } from "effect"
import type { ChatRequest } from "../../../src/domain/chat/ChatRequest.ts"
import type { InvalidRequest } from "../../../src/domain/Errors.ts"
import type { JsonObject } from "../../../src/domain/Json.ts"

export const bytesOf = (body: unknown): Uint8Array => Buffer.from(JSON.stringify(body))

/** A body as the decoder read it; what is refused fails the test. */
export const accepted =
  (decode: (bytes: Uint8Array) => Either.Either<ChatRequest, InvalidRequest>) =>
  (body: unknown): ChatRequest =>
    Either.getOrThrowWith(decode(bytesOf(body)), (failure) => failure)

/** Lines of JSON without the moment they were said at. */
export const linesOf = (text: string): ReadonlyArray<JsonObject> =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => timeless(JSON.parse(line)))

export const timeless = (line: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(line).filter(([key]) => key !== "created_at"))

const base64 = (bytes: ReadonlyArray<number> | string): string =>
  Buffer.from(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes).toString("base64")

export const PNG = base64("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01")
export const JPEG = base64([0xff, 0xd8, 0xff, 0xe0, 0, 16, 74, 70, 73, 70, 0])
export const WAV = base64("RIFF\x24\0\0\0WAVEfmt ")
export const M4A = base64("\0\0\0\x18ftypM4A \0\0\0\0M4A mp42")
export const MP4 = base64("\0\0\0\x18ftypisom\0\0\0\0isommp42")

/** What JSON can hold, as it comes out of JSON: there is no minus nought. */
const plain = <A>(arbitrary: fc.Arbitrary<A>): fc.Arbitrary<A> =>
  arbitrary.map((value) => JSON.parse(JSON.stringify(value)))

export const text = fc.string({ unit: "grapheme", maxLength: 12 })
export const words = fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 })
const flag = fc.boolean()
const count = fc.integer({ min: 0, max: 1_000_000 })
const number = plain(fc.double({ noNaN: true, noDefaultInfinity: true }))
const anything = plain(fc.jsonValue({ maxDepth: 2 }))
const object: fc.Arbitrary<JsonObject> = plain(
  fc.dictionary(text, fc.jsonValue({ maxDepth: 1 }), { maxKeys: 3 })
)
const image = fc.oneof(
  fc.constantFrom(PNG, JPEG, WAV, M4A, MP4),
  fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes).toString("base64"))
)

/** Some of these fields, and now and then one that is null. */
const someOf = (fields: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<JsonObject> =>
  fc.record(
    Object.fromEntries(
      Object.entries(fields).map(([key, value]) => [
        key,
        fc.oneof({ weight: 8, arbitrary: value }, { weight: 1, arbitrary: fc.constant(null) })
      ])
    ),
    { requiredKeys: [] }
  )

/** Keys that nobody knows yet. */
const news = fc.dictionary(fc.constantFrom("x_one", "endpoint", "body", "n", "user"), anything, {
  maxKeys: 2
})

const both = (one: fc.Arbitrary<JsonObject>, other: fc.Arbitrary<JsonObject>): fc.Arbitrary<JsonObject> =>
  fc.tuple(one, other).map(joined)

const joined = (all: ReadonlyArray<JsonObject | undefined>): JsonObject => Object.assign({}, ...all)

const options = both(
  someOf({
    temperature: number,
    top_p: number,
    top_k: count,
    min_p: number,
    seed: fc.integer(),
    num_predict: fc.integer({ min: -2, max: 4000 }),
    presence_penalty: number,
    frequency_penalty: number,
    repeat_penalty: number,
    stop: fc.oneof(text, fc.array(text, { maxLength: 3 })),
    num_ctx: count,
    mirostat: count,
    use_mmap: flag
  }),
  news
)

const shared = {
  model: text,
  stream: flag,
  options,
  format: fc.oneof(fc.constantFrom("", "json"), object),
  think: fc.constantFrom(true, false, "low", "medium", "high", "max"),
  keep_alive: fc.oneof(fc.integer(), fc.constantFrom("5m", "-1", "0")),
  truncate: flag,
  shift: flag,
  logprobs: flag,
  top_logprobs: fc.nat(20)
}

const call = both(
  fc.record({
    function: both(
      fc.record({ name: text }),
      someOf({ arguments: object, index: fc.nat(5), description: text })
    )
  }),
  someOf({ id: text, type: fc.constant("function") })
)

const message = both(
  fc.record({ role: fc.constantFrom("system", "user", "assistant", "tool", "User", "control") }),
  both(
    someOf({
      content: text,
      thinking: text,
      images: fc.array(image, { maxLength: 3 }),
      tool_calls: fc.array(call, { maxLength: 3 }),
      tool_name: text,
      tool_call_id: text
    }),
    news
  )
)

const tool = fc.record({ type: fc.constant("function"), function: object })

/** Every body of `/api/chat` that is more than a wish to load a model. */
export const chatBody = both(
  both(someOf({ ...shared, tools: fc.array(tool, { maxLength: 2 }) }), news),
  fc.record({ messages: fc.array(message, { minLength: 1, maxLength: 5 }) })
)

/** Every body of `/api/generate` that is more than a wish to load a model. */
export const generateBody = both(
  both(
    someOf({
      ...shared,
      prompt: text,
      suffix: text,
      system: text,
      template: text,
      context: fc.array(count, { maxLength: 4 }),
      raw: flag,
      images: fc.array(image, { maxLength: 2 }),
      width: count
    }),
    news
  ),
  fc.oneof(
    fc.record({ prompt: words }),
    fc.record({ images: fc.array(image, { minLength: 1, maxLength: 2 }) })
  )
)

/** What of a body has the same meaning everywhere, said as Ollama's own clients say it. */
export const commonBody: fc.Arbitrary<JsonObject> = fc.record(
  {
    stream: flag,
    format: fc.oneof(fc.constant("json"), object),
    options: fc.record(
      {
        temperature: number,
        top_p: number,
        top_k: count,
        min_p: number,
        seed: fc.integer(),
        num_predict: fc.integer({ min: 1, max: 4000 }),
        presence_penalty: number,
        frequency_penalty: number,
        repeat_penalty: number,
        stop: fc.array(text, { minLength: 1, maxLength: 3 })
      },
      { requiredKeys: ["seed"] }
    ),
    think: fc.constantFrom(true, false, "low", "medium", "high", "max"),
    tools: fc.array(tool, { minLength: 1, maxLength: 2 })
  },
  { requiredKeys: ["stream"] }
)

/** Calls as a server numbers them, and their answers. */
const calls = fc
  .array(fc.tuple(words, object), { minLength: 1, maxLength: 3 })
  .map((calls) => calls.map(([name, args], index) => ({ function: { index, name, arguments: args } })))

const identified = fc
  .tuple(calls, fc.uuid())
  .map(([calls, id]) => calls.map((call, index) => Object.assign({ id: `${id}${index}` }, call)))

const saying = both(
  fc.record({ role: fc.constantFrom("system", "user"), content: text }),
  fc.record({ images: fc.array(image, { minLength: 1, maxLength: 2 }) }, { requiredKeys: [] })
)

/** What the assistant calls, and what the tools answer. */
const calling = fc
  .tuple(
    both(
      fc.record({ role: fc.constant("assistant"), content: text }),
      fc.record({ thinking: words }, { requiredKeys: [] })
    ),
    identified
  )
  .map(([said, calls]): ReadonlyArray<JsonObject> => {
    const answers: ReadonlyArray<JsonObject> = calls.map(({ function: { name }, id }) => ({
      role: "tool",
      content: "done",
      tool_name: name,
      tool_call_id: id
    }))
    return answers.toSpliced(0, 0, Object.assign({ tool_calls: calls }, said))
  })

/** A conversation in which nothing is left to be guessed. */
export const fullConversation: fc.Arbitrary<ReadonlyArray<JsonObject>> = fc
  .array(fc.oneof(fc.tuple(saying), calling), { minLength: 1, maxLength: 3 })
  .map((turns) => turns.flat())

const token = fc.record({ token: words, logprob: number }, { requiredKeys: ["token", "logprob"] })

const logprobs = fc.array(
  both(
    both(token, fc.record({ bytes: fc.array(fc.nat(255), { maxLength: 3 }) }, { requiredKeys: [] })),
    fc.record({ top_logprobs: fc.array(token, { minLength: 1, maxLength: 2 }) }, { requiredKeys: [] })
  ),
  { minLength: 1, maxLength: 2 }
)

const ending = both(
  fc.record({
    done: fc.constant(true),
    done_reason: fc.constantFrom("stop", "length", "load", "unload", "strange")
  }),
  fc.record(
    {
      total_duration: count,
      load_duration: count,
      prompt_eval_count: count,
      prompt_eval_duration: count,
      eval_count: count,
      eval_duration: count,
      context: fc.array(count, { maxLength: 3 }),
      remote_host: words
    },
    { requiredKeys: [] }
  )
)

const thinking = fc.record({ thinking: words }, { requiredKeys: [] })

/** Puts what is said where the one or the other endpoint has it. */
const spoken = (endpoint: string, said: JsonObject): JsonObject => {
  const { content, ...rest } = said
  return endpoint === "/api/chat"
    ? { message: { role: "assistant", ...said } }
    : { response: content, ...rest }
}

const head = fc.record({ model: words, created_at: fc.constant("2026-01-02T03:04:05.678901Z") })

export const endpoint = fc.constantFrom("/api/chat" as const, "/api/generate" as const)

/** A whole native answer. */
export const nativeAnswer = (endpoint: string): fc.Arbitrary<JsonObject> => {
  const said = both(
    both(fc.record({ content: text }), thinking),
    fc.record({ tool_calls: identified }, { requiredKeys: [] })
  ).map((said) => spoken(endpoint, said))
  const rest = both(fc.record({ logprobs }, { requiredKeys: [] }), ending)
  return both(head, both(said, rest))
}

/** The lines of a native stream: words, then calls, then the end. Lines that say nothing are not among them. */
export const nativeLines = (endpoint: string): fc.Arbitrary<ReadonlyArray<JsonObject>> => {
  const going = fc.constant({ done: false })
  const line = (said: fc.Arbitrary<JsonObject>, rest: fc.Arbitrary<JsonObject>) =>
    both(
      said.map((said) => spoken(endpoint, said)),
      rest
    )
  const news = fc.oneof(
    both(fc.record({ content: words }), thinking),
    fc.record({ content: fc.constant(""), thinking: words })
  )
  const further = fc.record({ logprobs, remote_model: words }, { requiredKeys: [] })
  const nothing = fc.constant({ content: "" })
  return fc
    .tuple(
      head,
      fc.array(line(news, both(going, further)), { maxLength: 5 }),
      fc.array(line(both(nothing, fc.record({ tool_calls: identified })), going), { maxLength: 1 }),
      line(nothing, ending)
    )
    .map(([head, said, called, end]) =>
      [...said, ...called, end].map((line) => Object.assign({}, head, line))
    )
}
