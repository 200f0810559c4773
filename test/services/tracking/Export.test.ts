import { assert, describe, it } from "@effect/vitest"
import { Chunk, Context, Effect, Either, Layer, Stream } from "effect"
import * as Money from "../../../src/domain/Money.ts"
import { parse } from "../../../src/domain/record/RecordQuery.ts"
import type { RecordQuery } from "../../../src/domain/record/RecordQuery.ts"
import type { RequestRecord } from "../../../src/domain/RequestRecord.ts"
import { Export } from "../../../src/services/tracking/read/Export.ts"
import { csv, jsonl } from "../../../src/services/tracking/read/exportFormats.ts"
import { readCsv } from "../../support/CsvReader.ts"
import { everyDatabase } from "../../support/Postgres.ts"
import { openRecord } from "../../support/Record.ts"
import { rowOf } from "../../support/Rows.ts"

const NOW = Date.parse("2026-11-20T12:00:00.000Z")

const asked = (text: string): RecordQuery =>
  Either.getOrThrowWith(parse(new URLSearchParams(text), NOW), (error) => new Error(error.message))

const open = (env: { readonly [name: string]: string }) =>
  Effect.gen(function* () {
    const record = yield* openRecord(env)
    const built = yield* Effect.provide(Layer.build(Export.Default), record.context)
    return { ...record, files: Context.get(built, Export) }
  })

/** Rows that differ in what is asked for below. */
const rows = (count: number): ReadonlyArray<RequestRecord> =>
  Array.from({ length: count }, (_, at) =>
    rowOf(`req_${at.toString(16).padStart(32, "0")}`, {
      timestamp: new Date(NOW - (count - at) * 10_000).toISOString(),
      model_requested_by_client: ["a/one", "b/two", "=c/three"][at % 3] ?? null,
      kind: at % 10 === 0 ? "describe" : "main",
      state: at % 7 === 0 ? "failed" : "done",
      status_code_returned_to_client: at % 7 === 0 ? 502 : 200,
      error_message: at % 7 === 0 ? `no, "${at}"\nreally` : null,
      client_ip: `10.0.0.${at % 4}`,
      cost_nano_usd: at % 5 === 0 ? null : (at * 7919) % 100,
      processing_duration_ms: (at * 31) % 50,
      preview: `row ${at}`
    })
  )

interface Line {
  readonly [column: string]: unknown
}

const linesOf = (text: string): ReadonlyArray<Line> =>
  text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Line)

const QUESTIONS = [
  "",
  "sort_order=asc",
  "kind=all&sort_by=cost",
  "sort_by=cost&sort_order=asc",
  "sort_by=error_message",
  "model=b/two&model=%3Dc/three&state=done",
  "status=5xx&ip=10.0.0.1&ip=10.0.0.3&sort_by=ms",
  "range=1h",
  "from=2026-11-20T11:00:00Z&to=2026-11-20T11:30:00Z&min_cost=0.00000005",
  "model=nobody",
  "from=2030-01-01"
]

for (const { fresh, name } of everyDatabase())
  describe(`an export from ${name}`, () => {
    it.scopedLive("has the rows of the list, in its order, whatever is asked", () =>
      Effect.gen(function* () {
        const { files, lists, repo } = yield* open(yield* fresh)
        yield* repo.save(rows(400), [])
        for (const question of QUESTIONS) {
          const listed: Array<object> = []
          let cursor: string | null = ""
          while (cursor !== null) {
            const page: Effect.Effect.Success<ReturnType<typeof lists.list>> = yield* lists.list(
              asked(`${question}&page_size=100&cursor=${cursor}`)
            )
            listed.push(...page.items)
            cursor = page.next_cursor
          }
          const file = yield* files.open(asked(question), jsonl)
          const lines = linesOf(yield* Stream.mkString(file.pieces))
          assert.deepStrictEqual(
            lines.map(({ id }) => id),
            listed.map((row) => "id" in row && row.id),
            question
          )
          assert.strictEqual(file.rows, lines.length, question)
          assert.isFalse(file.isTruncated)
          const table = yield* files.open(asked(question), csv)
          const [head = [], ...cells] = readCsv(yield* Stream.mkString(table.pieces))
          assert.deepStrictEqual(
            cells.map((line) => Object.fromEntries(head.map((column, at) => [column, line[at]]))),
            lines.map((line) =>
              Object.fromEntries(Object.entries(line).map(([key, value]) => [key, cellOf(value)]))
            )
          )
        }
      })
    )

    it.scopedLive("is exact in money and texts, which are there for who asks", () =>
      Effect.gen(function* () {
        const { files, repo } = yield* open(yield* fresh)
        const costs = [0, 1, 140_000, 123_456_789_012, 9_007_199_254_740_991]
        const request_body = '{"n": 1.10, "big":12345678901234567890, "text":"\\u00e9 🙂 \\n=1"}'
        const many = costs.map((cost_nano_usd, at) => rowOf(`req_${at}`, { cost_nano_usd }))
        const bodies = many.map(({ internal_request_id }) => ({
          internal_request_id,
          request_body,
          response_body: internal_request_id === "req_1" ? `"${"x".repeat(1_500_000)}"` : null
        }))
        yield* repo.save(many, bodies)
        const question = asked("sort_order=asc")
        const plain = yield* files.open(question, jsonl)
        const file = yield* files.open(question, jsonl, { bodies: true })
        assert.notInclude(yield* Stream.mkString(plain.pieces), "request_body")
        const pieces = Chunk.toReadonlyArray(yield* Stream.runCollect(file.pieces))
        assert.isAbove(pieces.length, 2)
        const lines = linesOf(pieces.join(""))
        assert.deepStrictEqual(
          lines.map((line) => line["cost_usd"]),
          ["0", "0.000000001", "0.00014", "123.456789012", "9007199.254740991"]
        )
        assert.deepStrictEqual(
          lines.map((line) => Money.fromDollars(String(line["cost_usd"]))),
          costs
        )
        assert.deepStrictEqual(
          lines.map((line) => line["cost_nano_usd"]),
          costs
        )
        for (const line of lines) assert.strictEqual(line["request_body"], request_body)
        assert.deepStrictEqual(
          lines.map((line) => String(line["response_body"]).length),
          [4, 1_500_002, 4, 4, 4]
        )
      })
    )

    it.scopedLive("says beforehand that there are more rows than it has", () =>
      Effect.gen(function* () {
        const { files, repo } = yield* open({ ...(yield* fresh), EXPORT_MAX_ROWS: "250" })
        yield* repo.save(rows(500), [])
        for (const [question, count, isTruncated] of [
          ["", 250, true],
          ["sort_by=cost", 250, true],
          ["status=502", 64, false]
        ] as const) {
          const file = yield* files.open(asked(question), jsonl)
          assert.deepInclude(file, { rows: count, isTruncated })
          assert.strictEqual(linesOf(yield* Stream.mkString(file.pieces)).length, count)
        }
        const file = yield* files.open(asked(""), jsonl, { most: 450 })
        assert.deepInclude(file, { rows: 450, isTruncated: false })
      })
    )

    it.scopedLive("has every row of many once, and those alone that were there when it began", () =>
      Effect.gen(function* () {
        const { files, repo, sql } = yield* open(yield* fresh)
        yield* sql`
          INSERT INTO openrouter_requests (timestamp, internal_request_id, endpoint_called, state, instance_id,
            processing_duration_ms)
          WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 10400)
          SELECT '2026-11-20T11:00:00.000Z', 'req_' || n, '/v1/chat/completions', 'done', 'me', n % 3 FROM numbers`
        for (const question of ["", "sort_by=ms"]) {
          const file = yield* files.open(asked(question), jsonl)
          const pull = yield* Stream.toPull(file.pieces)
          const texts = [...(yield* pull)]
          yield* repo.save([rowOf(`req_late_${question}`)], [])
          // What is forgotten meanwhile is missing, and nothing else.
          yield* sql`DELETE FROM openrouter_requests WHERE internal_request_id IN ('req_7', 'req_8')`
          const ids: Array<unknown> = []
          while (true) {
            const next = yield* Effect.either(pull)
            if (Either.isLeft(next)) break
            texts.push(...next.right)
          }
          ids.push(...linesOf(texts.join("")).map((line) => line["internal_request_id"]))
          assert.strictEqual(new Set(ids).size, ids.length)
          assert.notInclude(ids, `req_late_${question}`)
          assert.isAtLeast(ids.length, question === "" ? 10_398 : 10_397)
        }
      })
    )
  })

/** A value of JSON as it stands in CSV. */
const cellOf = (value: unknown): string => {
  const text = value === null ? "" : String(value)
  return typeof value === "string" && text.startsWith("=") ? `'${text}` : text
}
