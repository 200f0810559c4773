import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { field, parseJson } from "../../src/domain/Json.ts"
import { fromDollars, toDollars } from "../../src/domain/Money.ts"
import { demandOf, worstCase } from "../../src/domain/record/WorstCase.ts"
import { png } from "../support/Images.ts"
import { everyDatabase } from "../support/Postgres.ts"
import { bearer, openKeys } from "../support/Keys.ts"
import { sensesAt, startStage } from "../support/Senses.ts"
import { eventually, startRouter, temporaryFolder } from "../support/Router.ts"
import {
  completion,
  HI,
  json,
  MODELS,
  send,
  sendChat,
  startUpstream,
  stream,
  streamText,
  USAGE
} from "../support/Upstream.ts"

/** A part with a picture of two by two pixels; another number is another picture. */
const picture = (number: number) => {
  const row = Buffer.from([0, ...[number, 100, 200], ...[200, number, 100]])
  const data = png(2, 2, Buffer.concat([row, row])).toString("base64")
  return [{ type: "image_url", image_url: { url: `data:image/png;base64,${data}` } }]
}

const ASKED = { ...HI, max_tokens: 1000 }
const [PLAIN = MODELS[0]] = MODELS
const pricing = { prompt: "0.000001", completion: "0.000002" }

/** What the router holds for this request, in nano-dollars. */
const holdFor = (body: object): number =>
  worstCase(demandOf({ body: { ...body }, bytes: Buffer.from(JSON.stringify(body)) }), pricing, {
    id: "test/plain",
    provider: "openrouter",
    pricing,
    entry: { ...PLAIN }
  }) ?? NaN

const costing = (nano: number) => completion("Paid.", { usage: { ...USAGE, cost: Number(toDollars(nano)) } })

const spentIn = (rows: ReadonlyArray<{ readonly cost_nano_usd: number | null }>) =>
  rows.reduce((sum, { cost_nano_usd }) => sum + Number(cost_nano_usd ?? 0), 0)

for (const { fresh, name } of everyDatabase())
  describe(`a budget on ${name}`, () => {
    const count = name === "Postgres" ? 2 : 1
    it.scopedLive(
      `for 50 calls lets 50 of 200 at once through, to the nano-dollar, with ${count} routers`,
      () =>
        Effect.gen(function* () {
          const upstream = yield* startUpstream
          const env = { ...(yield* fresh), ...upstream.env }
          const routers = yield* Effect.all(Array.from({ length: count }, () => startRouter(env)))
          const keys = yield* openKeys(env)
          const hold = holdFor(ASKED)
          // The worst case happens: each call costs all that was held for it.
          upstream.answers(costing(hold))
          const budget = 50 * hold + hold - 1
          const { id, secret } = yield* keys.make({ budget })
          const got = yield* Effect.forEach(
            Array.from({ length: 200 }, (_, at) => routers[at % count] ?? routers[0]),
            (router) =>
              router === undefined ? Effect.dieMessage("no router") : sendChat(router, ASKED, bearer(secret)),
            { concurrency: "unbounded" }
          )
          const [served, refused] = [200, 402].map((status) => got.filter((one) => one.status === status))
          assert.strictEqual(served?.length, 50)
          assert.strictEqual(refused?.length, 150)
          assert.strictEqual(upstream.received.length, 50)
          for (const { text } of refused ?? [])
            assert.deepInclude(field(parseJson(text), "error"), {
              type: "insufficient_quota",
              code: "insufficient_quota",
              param: null
            })
          const settled = yield* eventually(keys.look(id), ({ reserved }) => reserved === 0)
          assert.strictEqual(settled.spent, 50 * hold)
          assert.strictEqual(spentIn(yield* routers[0]?.rows ?? Effect.succeed([])), 50 * hold)
          assert.deepStrictEqual(yield* Effect.orDie(keys.sql`SELECT * FROM budget_reservations`), [])
        })
    )

    it.scopedLive(
      "is used up to what no longer fits, and not beyond, when calls cost less than they may",
      () =>
        Effect.gen(function* () {
          const upstream = yield* startUpstream
          const env = { ...(yield* fresh), ...upstream.env }
          const router = yield* startRouter(env)
          const keys = yield* openKeys(env)
          const hold = holdFor(ASKED)
          upstream.answers((request, response) =>
            costing(Math.floor(hold / (2 + (upstream.received.length % 5))))(request, response)
          )
          const { id, secret } = yield* keys.make({ budget: 20 * hold })
          const ask = sendChat(router, ASKED, bearer(secret))
          yield* Effect.forEach(Array.from({ length: 100 }), () => ask, { concurrency: 10 })
          yield* eventually(
            Effect.zipRight(ask, keys.look(id)),
            ({ reserved, spent }) => reserved === 0 && spent > 19 * hold
          )
          const { spent } = yield* keys.look(id)
          assert.isAtMost(spent, 20 * hold)
          assert.strictEqual(spentIn(yield* router.rows), spent)
        })
    )

    it.scopedLive("is given back by what fails, and kept by what nobody can tell the cost of", () =>
      Effect.gen(function* () {
        const upstream = yield* startUpstream
        const env = { ...(yield* fresh), ...upstream.env, UPSTREAM_RETRIES: "0" }
        const router = yield* startRouter(env)
        const keys = yield* openKeys(env)
        const hold = holdFor(ASKED)
        const { id, secret } = yield* keys.make({ budget: 2 * hold })
        const settled = eventually(keys.look(id), ({ reserved }) => reserved === 0)

        upstream.once(json(400, { error: { message: "No.", code: 400 } }))
        assert.strictEqual((yield* sendChat(router, ASKED, bearer(secret))).status, 400)
        assert.strictEqual((yield* settled).spent, 0)

        // No usage in the answer, and nobody who could be asked for it.
        upstream.once(
          json(200, { choices: [{ index: 0, message: { role: "assistant", content: "Free?" } }] })
        )
        assert.strictEqual((yield* sendChat(router, ASKED, bearer(secret))).status, 200)
        assert.strictEqual((yield* eventually(settled, ({ spent }) => spent > 0)).spent, hold)

        upstream.once(stream(streamText(["a", "b"])))
        const streamed = yield* sendChat(router, { ...ASKED, stream: true, max_tokens: 990 }, bearer(secret))
        assert.include(streamed.text, "[DONE]")
        const cost = fromDollars(USAGE.cost) ?? NaN
        assert.strictEqual((yield* eventually(settled, ({ spent }) => spent > hold)).spent, hold + cost)
      })
    )
  })

describe("what a budget is not asked for", () => {
  it.scopedLive("a free model, and one that runs here; an unknown one costs what the operator says", () =>
    Effect.gen(function* () {
      const upstream = yield* startUpstream
      const { fresh } = everyDatabase()[0] ?? { fresh: Effect.succeed({}) }
      const env = { ...(yield* fresh), ...upstream.env, BUDGET_UNKNOWN_USD: "0.5" }
      const router = yield* startRouter(env)
      const keys = yield* openKeys(env)
      const { secret } = yield* keys.make({ budget: 400_000_000 })
      const status = (model: string, path?: string) =>
        Effect.map(
          send(router, {
            body: JSON.stringify({ ...HI, model }),
            headers: { ...bearer(secret), "content-type": "application/json" },
            ...(path === undefined ? {} : { path })
          }),
          ({ status, text }) => [status, text] as const
        )
      upstream.answers(completion("Nothing to pay.", { usage: { ...USAGE, cost: 0 } }))
      assert.strictEqual((yield* status("test/free:free"))[0], 200)
      assert.strictEqual((yield* status("percept/inspect"))[0], 200)
      assert.strictEqual((yield* status("test/plain"))[0], 200)
      assert.strictEqual((yield* status("nobody/knows"))[0], 402)
      const [code, text] = yield* status("nobody/knows", "/api/chat")
      assert.strictEqual(code, 402)
      const said = parseJson(text)
      assert.match(String(field(said, "error")), /^The budget of this key, \$0\.4, does not hold the \$0\.5 /)
      // A dear model among the fallbacks is one that may answer.
      const fallback = { ...HI, max_tokens: 10, models: ["test/plain", "nobody/knows"] }
      assert.strictEqual((yield* sendChat(router, fallback, bearer(secret))).status, 402)
      assert.strictEqual(upstream.received.length, 2)
    })
  )

  it.scopedLive("but for what is described for it: side calls are paid by the same key, or not made", () =>
    Effect.gen(function* () {
      const { host, upstream } = yield* startStage
      const env = { DB_PATH: `${yield* temporaryFolder}/kept.db`, MEDIA_POLICY: "describe" }
      const keys = yield* openKeys(env)
      const rich = yield* keys.make({ name: "rich", budget: 1_000_000_000, models: ["test/blind"] })
      const poor = yield* keys.make({ name: "poor", budget: 1000 })
      const { ask, router } = yield* sensesAt(host, upstream, env)
      const body = { max_tokens: 10 }
      const headers = (secret: string) => ({ headers: bearer(secret), body })
      assert.strictEqual((yield* ask("test/blind", picture(1), headers(rich.secret))).status, 200)
      const rows = yield* router.rows
      assert.sameMembers(
        rows.map(({ key_id, kind }) => `${kind} ${key_id}`),
        [`main db:${rich.id}`, `describe db:${rich.id}`]
      )
      const { spent } = yield* eventually(keys.look(rich.id), ({ reserved }) => reserved === 0)
      assert.strictEqual(spent, 2 * (fromDollars(USAGE.cost) ?? NaN))

      const before = upstream.received.length
      assert.strictEqual((yield* ask("test/blind", picture(2), headers(poor.secret))).status, 402)
      assert.strictEqual((yield* ask("test/eyes", picture(3), headers(rich.secret))).status, 403)
      assert.strictEqual(upstream.received.length, before)
      assert.strictEqual((yield* keys.look(poor.id)).spent, 0)
    })
  )
})
