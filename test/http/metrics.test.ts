import { assert, describe, it, layer } from "@effect/vitest"
import Sqlite from "better-sqlite3"
import { Context, Effect, Layer } from "effect"
import { mkdirSync, readFileSync, rmdirSync } from "node:fs"
import { join } from "node:path"
import { ASKED, COUNTED } from "../../src/services/metrics/families.ts"
import { readExposition } from "../support/Exposition.ts"
import type { Exposition } from "../support/Exposition.ts"
import { startPage } from "../support/MediaPage.ts"
import { eventually, startRouter } from "../support/Router.ts"
import type { Router, Row } from "../support/Router.ts"
import { film, makeClips, rowsOf } from "../support/Senses.ts"
import type { Senses } from "../support/Senses.ts"
import { json, startUpstream } from "../support/Upstream.ts"

const ALL = [...Object.values(COUNTED), ...Object.values(ASKED)]

class Stage extends Context.Tag("test/Stage")<Stage, Senses & { readonly film: Buffer }>() {}

const Ready = Layer.scoped(
  Stage,
  Effect.gen(function* () {
    const clips = yield* makeClips({ "film.mp4": film(1) })
    return { ...(yield* startPage({ UPSTREAM_RETRIES: "1" })), film: clips["film.mp4"] }
  })
)

layer(Ready, { excludeTestServices: true, timeout: "30 seconds" })("the metrics", (it) => {
  it.effect("stay well-formed and only grow under load, and come to what the record says", () =>
    Effect.gen(function* () {
      const stage = yield* Stage
      const { ask, host, router, upstream } = stage
      const link = host.serve("/film.mp4", stage.film).href
      const overloaded = json(503, { error: { message: "Overloaded." } })
      const asking = Effect.forEach(
        Array.from({ length: 120 }, (_, at) => at),
        (at) => {
          if (at % 30 === 7) upstream.once(overloaded)
          if (at % 20 === 3) upstream.once(json(400, { error: { message: "No." } }))
          if (at % 24 === 5) return ask("test/eyes", `What is shown in ${link} ?`)
          if (at % 17 === 4) return ask(`made/up-${at}\n"} 1`, "Hi")
          if (at % 13 === 6) return ask("test/blind", link, { headers: { "x-percept-policy": "describe" } })
          return ask("test/eyes", "Hi", { body: { stream: at % 2 === 0 } })
        },
        { concurrency: 8, discard: true }
      )
      let last: Exposition | undefined
      let looks = 0
      const looking = Effect.gen(function* () {
        const now = readExposition(yield* scrape(router))
        for (const [name, before] of last?.samples ?? [])
          if (/_(?:total|bucket|count)\b/.test(name))
            assert.isAtLeast(now.samples.get(name) ?? -1, before, name)
        last = now
        looks++
      })
      yield* Effect.race(asking, Effect.forever(Effect.delay(looking, "5 millis")))
      assert.isAbove(looks, 5)

      const rows = yield* rowsOf(stage, 120)
      const told = yield* eventually(
        Effect.map(scrape(router), (text) => readExposition(text)),
        ({ sum }) => sum("percept_requests_total") === rows.length
      )
      for (const [labels, count] of countedBy(
        rows,
        ({ kind, provider, state, status_code_returned_to_client }) => ({
          ...{ kind, state, provider: provider ?? "none" },
          ...{ endpoint: "chat", status: `${Math.floor((status_code_returned_to_client ?? 0) / 100)}xx` }
        })
      ))
        assert.strictEqual(told.sum("percept_requests_total", labels), count, JSON.stringify(labels))
      const sumOf = (column: keyof Row) => rows.reduce((sum, row) => sum + Number(row[column] ?? 0), 0)
      assert.strictEqual(told.sum("percept_tokens_total", { type: "input" }), sumOf("prompt_tokens"))
      assert.strictEqual(told.sum("percept_tokens_total", { type: "output" }), sumOf("completion_tokens"))
      const cost = Array.from(told.families.get("percept_cost_dollars_total")?.samples ?? [])
      assert.strictEqual(
        cost.reduce((sum, { value }) => sum + Math.round(value * 1e9), 0),
        sumOf("cost_nano_usd")
      )
      const failed = rows.filter(({ error_source }) => error_source === "upstream").length
      assert.isAbove(failed, 0)
      assert.strictEqual(told.sum("percept_request_errors_total", { source: "upstream" }), failed)
      assert.strictEqual(told.sum("percept_request_duration_seconds_count"), rows.length)
      const seconds = told.sum("percept_request_duration_seconds_sum")
      assert.closeTo(seconds, sumOf("processing_duration_ms") / 1000, 1e-6)
      assert.strictEqual(
        told.sum("percept_time_to_first_token_seconds_count"),
        rows.filter(({ time_to_first_token_ms }) => time_to_first_token_ms !== null).length
      )
      assert.strictEqual(told.sum("percept_media_cache_hits_total"), sumOf("cache_hits"))
      assert.isAbove(told.sum("percept_media_cache_misses_total", { kind: "video" }), 0)
      assert.strictEqual(told.sum("percept_media_step_seconds_count", { step: "look", outcome: "ok" }), 1)
      assert.strictEqual(told.sum("percept_upstream_retries_total", { provider: "openrouter" }), 4)
      assert.strictEqual(told.sum("percept_in_flight_requests"), 0)
      // What clients make up is never a label.
      const models = new Set(
        Array.from(told.families.get("percept_tokens_total")?.samples ?? [], ({ labels }) => labels["model"])
      )
      assert.deepStrictEqual(
        Array.from(models).toSorted(),
        ["other", "test/eyes", "test/vision", "test/blind"].toSorted()
      )
    })
  )

  it.effect("are all there, in both forms, with the types and labels that are written down", () =>
    Effect.gen(function* () {
      const { router } = yield* Stage
      const text = yield* scrape(router)
      const plain = readExposition(text)
      assert.deepStrictEqual(
        Array.from(plain.families, ([name, { type }]) => `${name} ${type}`).toSorted(),
        ALL.map(({ name, type }) => `${name} ${type === "info" ? "gauge" : type}`).toSorted()
      )
      for (const { labels, name, type } of ALL) {
        const samples = plain.families.get(name)?.samples ?? []
        for (const sample of samples)
          assert.deepStrictEqual(
            Object.keys(sample.labels).filter((label) => type !== "histogram" || label !== "le"),
            labels
          )
        if (labels.length === 0) assert.isNotEmpty(samples, name)
      }
      const answer = yield* get(router, {
        accept: "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"
      })
      assert.match(answer.type, /^application\/openmetrics-text; version=1\.0\.0; charset=utf-8$/)
      const open = readExposition(answer.text, "openmetrics")
      assert.strictEqual(open.families.size, plain.families.size)
      assert.strictEqual(open.families.get("percept_requests")?.type, "counter")
      assert.strictEqual(open.families.get("percept_build")?.type, "info")
      assert.strictEqual(open.sum("percept_requests_total"), plain.sum("percept_requests_total"))
      assert.match((yield* get(router, {})).type, /^text\/plain; version=0\.0\.4; charset=utf-8$/)
      assert.isAbove(plain.sum("process_resident_memory_bytes"), 1e7)
      assert.isAbove(plain.sum("percept_database_bytes"), 1e4)
      assert.closeTo(plain.sum("process_start_time_seconds"), Date.now() / 1000, 3600)

      const written = readFileSync(new URL("../../docs/metrics.md", import.meta.url), "utf8")
      for (const { labels, name, type } of ALL)
        assert.include(written, `| \`${name}\` | ${type} | ${labels.map((l) => `\`${l}\``).join(", ")} |`)
      const named = Array.from(written.matchAll(/^\| `(\w+)`/gm), ([, name]) => name)
      assert.deepStrictEqual(named.toSorted(), ALL.map(({ name }) => name).toSorted())
    })
  )
})

describe("the metrics of a router", () => {
  it.scopedLive("are for who may look at the record, and gone where there is no page", () =>
    Effect.gen(function* () {
      const login = { UI_USERNAME: "admin", UI_PASSWORD: "a-long-password" }
      const router = yield* startRouter({ API_KEYS: "client-key", ...login })
      const status = (headers: Record<string, string>) =>
        Effect.map(get(router, headers), ({ status }) => status)
      const basic = (pair: string) => ({ authorization: `Basic ${Buffer.from(pair).toString("base64")}` })
      assert.strictEqual(yield* status({}), 401)
      assert.strictEqual(yield* status({ authorization: "Bearer wrong" }), 401)
      assert.strictEqual(yield* status(basic("admin:wrong")), 401)
      assert.strictEqual(yield* status({ authorization: "Bearer client-key" }), 200)
      assert.strictEqual(yield* status(basic("admin:a-long-password")), 200)
      const without = yield* startRouter({ UI_ENABLED: "false" })
      assert.strictEqual((yield* get(without, {})).status, 404)
    })
  )

  it.scopedLive("say when record and log cannot be written, and when they can again", () =>
    Effect.gen(function* () {
      const upstream = yield* startUpstream
      const router = yield* startRouter(upstream.env)
      const log = join(router.dataDir, "router.log.json")
      mkdirSync(log)
      const lock = new Sqlite(join(router.dataDir, "percept.db"))
      yield* Effect.addFinalizer(() => Effect.sync(() => lock.close()))
      const figures = Effect.map(scrape(router), (text) => {
        const { sum } = readExposition(text)
        return [sum("percept_record_failing"), sum("percept_log_failing"), sum("percept_requests_total")]
      })
      assert.deepStrictEqual(yield* figures, [0, 0, 0])
      lock.exec("BEGIN IMMEDIATE")
      const answer = yield* router.post({ model: "test/plain", messages: [{ role: "user", content: "Hi" }] })
      assert.strictEqual(answer.status, 200)
      yield* eventually(figures, ([record, log, requests]) => record === 1 && log === 1 && requests === 1)
      lock.exec("ROLLBACK")
      rmdirSync(log)
      yield* eventually(figures, ([record, log, requests]) => record === 0 && log === 0 && requests === 1)
    })
  )
})

const get = ({ url }: Router, headers: Record<string, string>) =>
  Effect.promise(async () => {
    const answer = await fetch(`${url}/metrics`, { headers })
    return {
      status: answer.status,
      type: answer.headers.get("content-type") ?? "",
      text: await answer.text()
    }
  })

const scrape = (router: Router) =>
  Effect.map(get(router, {}), ({ status, text }) => {
    assert.strictEqual(status, 200, text)
    return text
  })

/** How many rows there are of each kind. */
const countedBy = (rows: ReadonlyArray<Row>, labelsOf: (row: Row) => Record<string, string>) => {
  const counts = new Map<string, number>()
  for (const row of rows) {
    const key = JSON.stringify(labelsOf(row))
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  return Array.from(counts, ([key, count]) => [JSON.parse(key) as Record<string, string>, count] as const)
}
