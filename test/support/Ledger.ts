import { Effect } from "effect"
import type { ServerResponse } from "node:http"
import { arrayField, field, parseJson, stringField } from "../../src/domain/Json.ts"
import { chunk, json, openStream, startUpstream } from "./Upstream.ts"

/** What a request may come to; each number has one, the same for ever. */
const FATES = [
  ...["whole", "whole", "stream", "stream", "stream", "leaves", "leaves", "leaves late", "breaks off"],
  ...["fails with usage", "refused", "busy", "busy", "estimated", "estimated", "estimated", "byok", "byok"],
  ...["free", "costs nothing", "untold", "untold stream"]
] as const

export type Fate = (typeof FATES)[number] | "described" | "description"

export const fateOf = (number: number): Fate => {
  const fate = number % 200 === 150 ? "described" : (FATES[number % FATES.length] ?? "whole")
  // Nobody has to wait for late ones in the end.
  return fate === "leaves late" && number > 1000 ? "leaves" : fate
}

/** What the provider has charged for one answer. */
export interface Charge {
  readonly fate: Fate
  readonly nano: number
  readonly prompt: number
  readonly completion: number
  readonly cached: number
  readonly reasoning: number
}

/** What its answers say of their cost, and what can be known of it then. */
export const sourceOf = (fate: Fate): "provider" | "estimated" | null =>
  fate.startsWith("untold") ? null : fate === "estimated" || fate === "free" ? "estimated" : "provider"

/** A provider that keeps books on what it charges, in nano-dollars, and on nothing else. */
export const startLedger = Effect.gen(function* () {
  const upstream = yield* startUpstream
  const charges = new Map<string, Charge>()
  const looks = new Map<string, number>()
  const tried = new Set<number>()
  let answers = 0

  upstream.lists(json(200, { data: MODELS }))
  upstream.tells(({ path }, response) => {
    const id = new URL(path, "http://provider").searchParams.get("id") ?? ""
    const charge = charges.get(id)
    const look = (looks.get(id) ?? 0) + 1
    looks.set(id, look)
    const isThere = charge !== undefined && sourceOf(charge.fate) !== null
    if (!isThere || (charge.fate === "leaves late" && look === 1))
      return say(response, 404, { error: { code: 404, message: "not found" } })
    const { cached, completion, nano, prompt, reasoning } = charge
    say(response, 200, {
      data: {
        ...{
          id,
          total_cost: dollars(nano),
          usage: dollars(nano),
          is_byok: false,
          upstream_inference_cost: 0.5
        },
        ...{ native_tokens_prompt: prompt, native_tokens_completion: completion },
        ...{ native_tokens_cached: cached, native_tokens_reasoning: reasoning }
      }
    })
  })
  upstream.answers(({ body }, response) => {
    const asked = parseJson(body.toString())
    const number = Number(/case (\d+)/.exec(JSON.stringify(arrayField(asked, "messages").at(-1)))?.[1])
    const id = `gen-${++answers}`
    const fate = stringField(asked, "model") === "test/eyes" ? "description" : fateOf(number)
    response.setHeader("x-generation-id", id)
    if (fate === "refused") return say(response, 400, { error: { code: 400, message: "No." } })
    if (fate === "busy" && !tried.has(number)) {
      tried.add(number)
      return say(response, 503, { error: { code: 503, message: "Later." } })
    }
    const charge = chargeFor(fate, fate === "description" ? answers : number)
    charges.set(id, charge)
    if (field(asked, "stream") === true) stream(id, charge, response)
    else say(response, 200, completionOf(id, charge))
  })

  return { charges, env: { ...upstream.env, VISION_MODEL: "test/eyes" } }
})

const chargeFor = (fate: Fate, number: number): Charge => {
  const random = seeded(number)
  const prompt = 10 + Math.floor(random() * 9000)
  const completion = 1 + Math.floor(random() * 900)
  const cached = Math.floor(random() * prompt)
  const reasoning = Math.floor(random() * completion)
  const perToken = prompt >= LONG ? 6200 : 3100
  const nano =
    fate === "free" || fate === "costs nothing"
      ? 0
      : fate === "estimated"
        ? (prompt - cached) * perToken + cached * 310 + completion * 15_700 + 1_000_001
        : 1 + Math.floor(random() * 3_000_000_000)
  return { fate, nano, prompt, completion, cached, reasoning }
}

const usageOf = ({ cached, completion, fate, nano, prompt, reasoning }: Charge) => ({
  prompt_tokens: prompt,
  completion_tokens: completion,
  total_tokens: prompt + completion,
  prompt_tokens_details: { cached_tokens: cached },
  completion_tokens_details: { reasoning_tokens: reasoning },
  ...(sourceOf(fate) === "estimated"
    ? {}
    : fate === "byok"
      ? // Its own fee, and the bill of whose key it is.
        {
          cost: dollars(nano - Math.floor(nano * 0.95)),
          is_byok: true,
          cost_details: { upstream_inference_cost: dollars(Math.floor(nano * 0.95)) }
        }
      : { cost: dollars(nano), is_byok: false, cost_details: { upstream_inference_cost: dollars(nano) } })
})

const say = (response: ServerResponse, status: number, value: unknown): void => {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value))
}

const completionOf = (id: string, charge: Charge) => ({
  ...{ id, object: "chat.completion", created: 1, model: "test/plain" },
  choices: [{ index: 0, message: { role: "assistant", content: "Yes." }, finish_reason: "stop" }],
  ...(charge.fate === "untold" ? {} : { usage: usageOf(charge) })
})

const stream = (id: string, charge: Charge, response: ServerResponse): void => {
  openStream(response)
  response.write(`: PROCESSING\n\n${chunk({ content: "Yes" }, null, { id })}`)
  const { fate } = charge
  // Who leaves is waited for.
  if (fate.startsWith("leaves")) return
  setImmediate(() => {
    if (fate === "breaks off") response.destroy()
    else if (fate === "fails with usage")
      response.end(
        chunk({}, "error", { id, error: { code: 502, message: "It fell over." }, usage: usageOf(charge) })
      )
    else
      response.end(
        `${chunk({}, "stop", { id, ...(fate === "untold stream" ? {} : { usage: usageOf(charge) }) })}data: [DONE]\n\n`
      )
  })
}

/** As JSON has it: a number with nine decimals at most. */
const dollars = (nano: number): number => Number(`${nano}e-9`)

/** Prices in whole nano-dollars for a token; a longer prompt costs more. */
const LONG = 5000
const MODELS = [
  {
    id: "test/plain",
    architecture: { input_modalities: ["text"] },
    pricing: {
      ...{
        prompt: "0.0000031",
        completion: "0.0000157",
        request: "0.001000001",
        input_cache_read: "0.00000031"
      },
      overrides: [{ min_prompt_tokens: LONG, prompt: "0.0000062" }]
    }
  },
  {
    id: "test/free:free",
    architecture: { input_modalities: ["text"] },
    pricing: { prompt: "0", completion: "0" }
  },
  {
    id: "test/eyes",
    architecture: { input_modalities: ["text", "image"] },
    pricing: { prompt: "1", completion: "1" }
  }
]

/** Numbers between nought and one, always the same for one seed. */
export const seeded = (seed: number) => {
  let state = (seed + 1) * 0x9e3779b9
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
