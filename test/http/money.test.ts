import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import {
  byHand,
  chunk,
  client,
  completion,
  HI,
  json,
  openStream,
  sendChat,
  startUpstream,
  stream,
  UPSTREAM_KEY
} from "../support/Upstream.ts"
import type { Answer, Upstream } from "../support/Upstream.ts"
import { eventually, startRouter } from "../support/Router.ts"
import type { Row } from "../support/Router.ts"

const STREAM = { ...HI, stream: true }
const DONE = "data: [DONE]\n\n"

const PRICED = {
  id: "test/priced",
  pricing: {
    ...{
      prompt: "0.000003",
      completion: "0.000015",
      input_cache_read: "0.0000003",
      input_cache_write: "0.00000375"
    },
    overrides: [{ min_prompt_tokens: 2000, prompt: "0.000006" }]
  }
}
const DYNAMIC = { id: "test/dynamic", pricing: { prompt: "-1", completion: "-1" } }
const FREE = { id: "test/free:free", pricing: { prompt: "0", completion: "0", request: "0" } }

const start = Effect.gen(function* () {
  const upstream = yield* startUpstream
  upstream.lists(json(200, { data: [PRICED, DYNAMIC, FREE, { id: "test/plain" }] }))
  return { upstream, router: yield* startRouter({ ...upstream.env, UPSTREAM_RETRIES: "0" }) }
})

interface Told {
  readonly prompt_tokens: number
  readonly [name: string]: unknown
}

const figures = (row: Row | undefined) => ({ cost: row?.cost_nano_usd, source: row?.cost_source })

describe("what an answer cost", () => {
  const tokens = { prompt_tokens: 1000, completion_tokens: 100, total_tokens: 1100 }
  const table: ReadonlyArray<readonly [string, string, Told | undefined, number | null, Row["cost_source"]]> =
    [
      ["is what the provider says", "priced", { ...tokens, cost: 0.123456789 }, 123_456_789, "provider"],
      ["is what the provider says where it is nothing", "priced", { ...tokens, cost: 0 }, 0, "provider"],
      [
        "is the fee and the bill with a key of one's own, and only then",
        "priced",
        { ...tokens, cost: 0.01, is_byok: true, cost_details: { upstream_inference_cost: 0.2 } },
        210_000_000,
        "provider"
      ],
      [
        "is not the bill on top of itself",
        "priced",
        { ...tokens, cost: 0.21, is_byok: false, cost_details: { upstream_inference_cost: 0.2 } },
        210_000_000,
        "provider"
      ],
      ["is estimated where it says nothing", "priced", tokens, 4_500_000, "estimated"],
      [
        "is estimated with what came from a cache and went to one",
        "priced",
        { ...tokens, prompt_tokens_details: { cached_tokens: 600, cache_write_tokens: 300 } },
        100 * 3000 + 600 * 300 + 300 * 3750 + 1_500_000,
        "estimated"
      ],
      [
        "is estimated by the price of a long prompt",
        "priced",
        { ...tokens, prompt_tokens: 2000 },
        13_500_000,
        "estimated"
      ],
      ["is estimated where it says nonsense", "priced", { ...tokens, cost: -1 }, 4_500_000, "estimated"],
      [
        "is estimated where a fee of nothing hides a bill",
        "priced",
        { ...tokens, cost: 0, is_byok: true },
        4_500_000,
        "estimated"
      ],
      ["is nothing for a free model, which is not unknown", "free:free", tokens, 0, "estimated"],
      ["is unknown where nothing was counted", "priced", undefined, null, null],
      ["is unknown where nothing was counted of a free model", "free:free", undefined, null, null],
      ["is unknown where the price is not known beforehand", "dynamic", tokens, null, null],
      ["is unknown where there is no price", "plain", tokens, null, null]
    ]

  it.scopedLive("is exact, or an estimate, or unknown, and the same of a stream", () =>
    Effect.gen(function* () {
      const { router, upstream } = yield* start
      const cases = table.flatMap((line) => [false, true].map((isStream) => ({ line, isStream })))
      for (const { isStream, line } of cases) {
        const [, model, usage] = line
        upstream.once(
          isStream
            ? stream(chunk({ content: "Yes" }), chunk({}, "stop", { usage }), DONE)
            : completion("Yes", { usage })
        )
        const got = yield* sendChat(router, { ...HI, model: `test/${model}`, stream: isStream })
        assert.strictEqual(got.status, 200)
      }
      const rows = yield* eventually(router.rows, (rows) => rows.length === cases.length)
      for (const [at, { isStream, line }] of cases.entries()) {
        const [name, , usage, cost, source] = line
        assert.deepStrictEqual(figures(rows[at]), { cost, source }, `${name}${isStream ? ", streamed" : ""}`)
        assert.strictEqual(rows[at]?.prompt_tokens, usage?.prompt_tokens ?? null)
      }
      assert.strictEqual(upstream.looked.length, 0)
    })
  )

  it.scopedLive("is kept of a stream that broke off after it was told", () =>
    Effect.gen(function* () {
      const { router, upstream } = yield* start
      const usage = { ...tokens, cost: 0.5 }
      upstream.once(stream(chunk({ content: "Yes" }), chunk({}, null, { usage })))
      yield* sendChat(router, STREAM)
      upstream.once(
        stream(
          chunk({ content: "Yes" }),
          `data: ${JSON.stringify({ error: { code: 502, message: "no" }, usage, choices: [] })}\n\n`
        )
      )
      yield* sendChat(router, STREAM)
      const rows = yield* eventually(router.rows, (rows) => rows.length === 2)
      for (const row of rows) {
        assert.strictEqual(row.state, "failed")
        assert.deepStrictEqual(figures(row), { cost: 500_000_000, source: "provider" })
      }
    })
  )
})

/** As OpenRouter tells afterwards. */
const told = (cost: number): Answer =>
  json(200, {
    data: {
      ...{ id: "gen-1", total_cost: cost, usage: cost, is_byok: false, upstream_inference_cost: 9 },
      ...{
        native_tokens_prompt: 10,
        native_tokens_completion: 5,
        native_tokens_cached: 4,
        native_tokens_reasoning: 3
      }
    }
  })

const completed = (rows: ReadonlyArray<Row>) => rows.every((row) => row.cost_source === "provider")

describe("a stream that was cut before its usage came", () => {
  it.scopedLive("is completed from what the provider tells afterwards, however it was cut", () =>
    Effect.gen(function* () {
      const { router, upstream } = yield* start
      upstream.tells(told(0.25))
      yield* leftBy(upstream, router)
      upstream.once((_, response) => {
        openStream(response, { "x-generation-id": "gen-broken" })
        response.write(chunk({ content: "Yes" }), () => response.destroy())
      })
      yield* sendChat(router, STREAM)
      const rows = yield* eventually(router.rows, (rows) => rows.length === 2 && completed(rows))
      assert.deepStrictEqual(
        rows.map(({ state }) => state),
        ["cancelled", "failed"]
      )
      for (const row of rows)
        assert.deepInclude(row, {
          ...{
            prompt_tokens: 10,
            completion_tokens: 5,
            total_tokens: 15,
            cached_tokens: 4,
            reasoning_tokens: 3
          },
          ...{ cost_nano_usd: 250_000_000, cost_usd: 0.25 }
        })
      assert.deepStrictEqual(upstream.looked.map(({ path }) => path).toSorted(), [
        "/v1/generation?id=gen-1",
        "/v1/generation?id=gen-broken"
      ])
      for (const { headers, method } of upstream.looked) {
        assert.strictEqual(headers.authorization, `Bearer ${UPSTREAM_KEY}`)
        assert.strictEqual(method, "GET")
      }
    })
  )

  it.scopedLive("is not asked for where the provider refused, or no number is known", () =>
    Effect.gen(function* () {
      const { router, upstream } = yield* start
      upstream.once(json(429, { error: { code: 429, message: "no" } }, { "x-generation-id": "gen-refused" }))
      yield* sendChat(router, STREAM)
      upstream.once((_, response) => {
        openStream(response)
        response.write(": PROCESSING\n\n", () => response.destroy())
      })
      yield* sendChat(router, STREAM)
      upstream.tells(told(0.25))
      yield* leftBy(upstream, router)
      yield* eventually(router.rows, (rows) => rows.at(-1)?.cost_source === "provider")
      assert.strictEqual(upstream.looked.length, 1)
    })
  )
})

/** A client that hears the beginning and goes. */
const leftBy = (upstream: Upstream, router: Parameters<typeof client>[0]) =>
  Effect.gen(function* () {
    const answering = byHand(upstream)
    const leaving = yield* client(router, { body: JSON.stringify(STREAM) })
    const response = yield* answering
    openStream(response)
    response.write(chunk({ content: "Yes" }))
    yield* leaving.hears("Yes")
    leaving.leave()
  }).pipe(Effect.scoped)
