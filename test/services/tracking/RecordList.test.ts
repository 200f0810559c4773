import { assert, describe, it } from "@effect/vitest"
import { Effect, Either } from "effect"
import { mainByDefault, parse } from "../../../src/domain/record/RecordQuery.ts"
import type { RecordQuery } from "../../../src/domain/record/RecordQuery.ts"
import type { RequestKind, RequestRecord, RequestState } from "../../../src/domain/RequestRecord.ts"
import { makeIds } from "../../../src/services/tracking/read/Ids.ts"
import { everyDatabase } from "../../support/Postgres.ts"
import { openRecord } from "../../support/Record.ts"
import { rowOf } from "../../support/Rows.ts"

const asked = (text: string): RecordQuery =>
  Either.getOrThrowWith(parse(new URLSearchParams(text), NOW), (error) => new Error(error.message))

/** Rows of every sort, the same each time. */
const rows = (count: number): ReadonlyArray<RequestRecord> => {
  let seed = 42
  const next = (below: number) => {
    seed = (seed * 1103515245 + 12345) % 2147483648
    return Math.floor((seed / 2147483648) * below)
  }
  const of = <A>(...values: ReadonlyArray<A>): A => values[next(values.length)] as A
  return Array.from({ length: count }, (_, at) => {
    const state = of<RequestState>("done", "done", "done", "failed", "cancelled", "running")
    const kind = of<RequestKind>("main", "main", "main", "main", "describe", "transcribe")
    const status =
      state === "running" ? null : state === "done" ? 200 : state === "failed" ? of(400, 429, 502) : 499
    const media = of(null, null, "image", "video", "image,video", "audio")
    return rowOf(`req_${at.toString(16).padStart(32, "0")}`, {
      timestamp: new Date(NOW - (count - at) * 60_000 + next(20_000)).toISOString(),
      state,
      kind,
      status_code_returned_to_client: status,
      endpoint_called: of("/v1/chat/completions", "/v1/embeddings", "/api/chat"),
      client_ip: of("10.0.0.1", "10.0.0.2", "::1", null),
      model_requested_by_client: of("a/one", "b/two", "c%_!'three", null),
      model_routed_to_openrouter: of("a/one", "b/two", null),
      provider: of("openrouter", "openai", null),
      key_id: of("env:1", "env:2", null),
      error_source: state === "failed" ? of("client", "upstream", "router") : null,
      media_type_processed: media,
      is_multimodal: media === null ? 0 : 1,
      cache_hits: media === null ? null : of(0, 1, 2),
      is_streaming: of(0, 1),
      cost_nano_usd: state === "running" ? null : of(null, 0, 5, 1_000_000, next(1_000_000_000)),
      processing_duration_ms: state === "running" ? null : next(5000),
      total_tokens: of(null, next(50)),
      prompt_tokens: null,
      preview: `row ${at}`
    })
  })
}

/** The same questions, answered by looking at each row. */
const isWanted = (row: RequestRecord, text: string): boolean => {
  const wants = new URLSearchParams(text)
  const media = row.media_type_processed
  const has: { readonly [name: string]: (value: string) => boolean } = {
    model: (value) => named(row.model_requested_by_client, value),
    routed: (value) => named(row.model_routed_to_openrouter, value),
    provider: (value) => named(row.provider, value),
    key: (value) => named(row.key_id, value),
    endpoint: (value) => row.endpoint_called === value,
    source: (value) => named(row.error_source, value),
    state: (value) => row.state === value,
    kind: (value) => value === "all" || row.kind === value,
    stream: (value) => row.is_streaming === (value === "true" ? 1 : 0),
    ip: (value) => row.client_ip === value,
    media: (value) => (media === null ? value === "(none)" : media.split(",").includes(value)),
    status: (value) => {
      const status = String(row.status_code_returned_to_client)
      return value.endsWith("xx") ? status[0] === value[0] : status === value
    },
    min_cost: (value) => row.cost_nano_usd !== null && row.cost_nano_usd >= Number(value) * 1e9,
    min_ms: (value) => row.processing_duration_ms !== null && row.processing_duration_ms >= Number(value),
    cache: (value) => row.is_multimodal === 1 && (value === "hit") === (row.cache_hits ?? 0) > 0,
    from: (value) => Date.parse(row.timestamp) >= Date.parse(value),
    to: (value) => Date.parse(row.timestamp) < Date.parse(value),
    range: (value) => Date.parse(row.timestamp) >= NOW - (value === "1h" ? 3_600_000 : 6 * 3_600_000)
  }
  if (!wants.has("kind") && row.kind !== "main") return false
  return Array.from(new Set(wants.keys())).every((name) =>
    wants.getAll(name).some((value) => has[name]?.(value) ?? true)
  )
}

const named = (has: string | null, wanted: string) => (wanted === "(none)" ? has === null : has === wanted)

const QUESTIONS = [
  "",
  "kind=all",
  "kind=describe&kind=transcribe",
  "model=a/one",
  "model=a/one&model=b/two&status=2xx",
  `model=${encodeURIComponent("c%_!'three")}`,
  "model=nobody",
  "routed=(none)",
  "provider=openai&stream=true",
  "key=env:1",
  "endpoint=/api/chat",
  "status=4xx&status=502",
  "status=429",
  "source=upstream",
  "state=running",
  "state=running&model=a/one&kind=all",
  "media=image",
  "media=(none)&kind=all",
  "ip=10.0.0.1",
  "ip=10.0.0.1&ip=::1&model=a/one",
  "min_cost=0.001",
  "min_ms=4500&media=video",
  "cache=hit",
  "cache=miss&kind=all",
  "range=1h",
  "range=6h&status=2xx",
  `from=2026-05-01T10:00:00Z&to=2026-05-01T11:30:30Z`,
  "from=2030-01-01",
  "to=2000-01-01"
]

const SORTS = [
  ...["", "&sort_order=asc", "&sort_by=cost_usd", "&sort_by=cost_usd&sort_order=asc"],
  ...["&sort_by=total_tokens", "&sort_by=model&sort_order=asc", "&sort_by=ms"]
]

const WAYS = ["walk", "shapes", "ip", "cost", "millis", "branches", "extremes"] as const

for (const { fresh, name } of everyDatabase())
  describe(`a list of the record on ${name}`, () => {
    it.scopedLive(
      "is what looking at each row gives, whatever is asked, forwards and backwards, in every way to come by it",
      () =>
        Effect.gen(function* () {
          const { context, lists, repo, shapes } = yield* Effect.flatMap(fresh, openRecord)
          const all = rows(150)
          yield* repo.save([...all], [])
          const idsOf = yield* Effect.provide(makeIds, context)
          for (const [at, question] of QUESTIONS.entries())
            for (const sort of at < 2 ? SORTS : ["", SORTS[at % SORTS.length]]) {
              const what = `${question}${sort}`
              const wanted = all
                .filter((row) => isWanted(row, question))
                .map((row) => row.internal_request_id)
              const forwards = yield* walk(lists.list, `${what}&page_size=23`)
              assert.sameMembers(forwards.ids, wanted, what)
              assert.strictEqual(forwards.ids.length, wanted.length, what)
              assert.strictEqual(forwards.total, wanted.length, what)
              assertSorted(forwards.rows, what)
              assert.deepStrictEqual(
                yield* walkBack(lists.list, forwards.last),
                forwards.ids.slice(0, -forwards.lastSize),
                what
              )
              const query = mainByDefault(asked(what))
              if (question.includes("range") || question.includes("from=") || question.includes("to="))
                continue
              const picked = yield* lists.pick(query)
              for (const way of WAYS) {
                const approach = {
                  way,
                  telling: undefined,
                  counted: undefined,
                  low: 0,
                  high: Number.MAX_SAFE_INTEGER
                }
                const found = yield* lists.found(query)
                const ids = yield* idsOf({ query, picked, approach, found, skip: 3, take: 20 })
                const numbers = forwards.rows.slice(3, 23).map((row) => row.id)
                assert.deepStrictEqual(ids, numbers, `${what} by ${way}`)
              }
            }
          assert.isAbove((yield* shapes.all()).size, 50)
        }),
      60_000
    )
  })

interface Page {
  readonly items: ReadonlyArray<RequestRecord & { readonly id: number }>
  readonly next_cursor: string | null
  readonly prev_cursor: string | null
  readonly total_items: number
}

const walk = <E>(list: (query: RecordQuery) => Effect.Effect<Page, E>, text: string) =>
  Effect.gen(function* () {
    const found: Array<Page["items"][number]> = []
    let page = yield* list(asked(text))
    const total = page.total_items
    assert.isNull(page.prev_cursor)
    for (;;) {
      found.push(...page.items)
      if (page.next_cursor === null) break
      page = yield* list(asked(`${text}&cursor=${page.next_cursor}`))
    }
    return {
      ids: found.map((row) => row.internal_request_id),
      rows: found,
      total,
      lastSize: page.items.length,
      last: { text, cursor: page.prev_cursor }
    }
  })

const walkBack = <E>(
  list: (query: RecordQuery) => Effect.Effect<Page, E>,
  { cursor, text }: { readonly cursor: string | null; readonly text: string }
) =>
  Effect.gen(function* () {
    const found: Array<string> = []
    for (let at = cursor; at !== null;) {
      const page = yield* list(asked(`${text}&cursor=${at}`))
      found.unshift(...page.items.map((row) => row.internal_request_id))
      at = page.prev_cursor
    }
    return found
  })

const assertSorted = (found: Page["items"], what: string) => {
  const { descending, sort } = asked(what)
  const values = found.map((row) => row[sort])
  const empty = values.indexOf(null)
  if (empty >= 0)
    assert.isTrue(
      values.slice(empty).every((value) => value === null),
      what
    )
  for (const [at, value] of values.entries()) {
    const before = values[at - 1]
    if (at === 0 || value === null || before === null || before === undefined) continue
    assert.isTrue(descending ? before >= value : before <= value, `${what}: ${before} before ${value}`)
  }
}

const NOW = Date.parse("2026-05-01T12:00:00.000Z")
