import { assert, describe, it } from "@effect/vitest"
import { Either } from "effect"
import * as fc from "effect/FastCheck"
import * as Cursor from "../../../src/domain/record/Cursor.ts"
import { isOfShapes, mainByDefault, parse, without } from "../../../src/domain/record/RecordQuery.ts"
import type { RecordQuery } from "../../../src/domain/record/RecordQuery.ts"
import { SHAPE_COLUMNS } from "../../../src/domain/record/Shape.ts"
import type { Shape } from "../../../src/domain/record/Shape.ts"
import { matches } from "../../../src/domain/record/ShapeFilter.ts"

const NOW = Date.parse("2026-05-01T12:00:00.000Z")

const read = (text: string | URLSearchParams) => parse(new URLSearchParams(text), NOW)

const good = (text: string | URLSearchParams): RecordQuery =>
  Either.getOrThrowWith(read(text), (error) => new Error(error.message))

/** The parameter that is named as wrong. */
const wrong = (text: string | URLSearchParams): string | null | undefined => {
  const error = Either.getOrThrow(Either.flip(read(text)))
  assert.strictEqual(error.status, 400)
  assert.include(error.message, `'${error.param}'`)
  return error.param
}

const shape = (more: Partial<Shape>): Shape => ({
  ...(Object.fromEntries(SHAPE_COLUMNS.map((column) => [column, ""])) as Shape),
  ...more
})

describe("a question about the record", () => {
  it("is about everything, newest first, where nothing is said", () => {
    const { question, shapes, ...rest } = good("")
    assert.strictEqual(shapes.size, 0)
    assert.strictEqual(question, good("page=3&page_size=7&unknown=1").question)
    assert.deepStrictEqual(rest, {
      ips: [],
      minCost: undefined,
      minMillis: undefined,
      cache: undefined,
      from: undefined,
      to: undefined,
      search: undefined,
      sort: "id",
      descending: true,
      page: 1,
      pageSize: 50,
      place: undefined
    })
  })

  it("takes the first system's parameters", () => {
    const { descending, page, pageSize, sort } = good("page=3&page_size=100&sort_by=cost_usd&sort_order=ASC")
    assert.deepStrictEqual([page, pageSize, sort, descending], [3, 100, "cost_nano_usd", false])
    assert.strictEqual(good("sort_by=timestamp").sort, "id")
    for (const name of A_COLUMNS) assert.isString(good(`sort_by=${name}`).sort)
  })

  it("reads ranges, moments, money", () => {
    assert.strictEqual(good("range=15m").from, NOW - 900_000)
    assert.strictEqual(good("range=30d").from, NOW - 30 * 86_400_000)
    assert.isUndefined(good("range=all").from)
    for (const text of ["2026-01-31T12:00:00Z", "1769860800", "1769860800000", "2026-01-31T13:00:00%2B01:00"])
      assert.strictEqual(good(`from=${text}`).from, Date.parse("2026-01-31T12:00:00Z"), text)
    assert.strictEqual(good("min_cost=0.000000001").minCost, 1)
    assert.strictEqual(good("min_ms=1500").minMillis, 1500)
  })

  it("gathers what is repeated, in one order", () => {
    const query = good("model=b&model=a&model=b&status=5XX&status=404&stream=true&ip=::1&kind=all")
    assert.deepStrictEqual(Array.from(query.shapes), [
      ["kind", ["describe", "main", "transcribe"]],
      ["model_requested", ["a", "b"]],
      ["status", ["404", "5xx"]],
      ["streaming", ["1"]]
    ])
    assert.strictEqual(
      query.question,
      good("ip=::1&kind=all&status=404&status=5xx&stream=1&model=a&model=b").question
    )
  })

  for (const text of [
    ...["page=0", "page=-1", "page=1.5", "page=a", "page=1e3", "page=9999999999999999", "page=1&page=2"],
    ...[
      "page_size=0",
      "page_size=101",
      "page_size=all",
      "sort_by=nothing",
      "sort_by=constructor",
      "sort_by=__proto__"
    ],
    ...[
      "sort_by=id;DROP TABLE openrouter_requests",
      "sort_order=up",
      "range=2h",
      "range=toString",
      "from=yesterday"
    ],
    ...[
      "to=2026-13-40",
      "from=2026-02-01&to=2026-01-01",
      "range=1h&from=1",
      "status=600",
      "status=20",
      "status=6xx"
    ],
    ...["source=me", "state=gone", "kind=side", "stream=maybe", "min_cost=-1", "min_cost=much", "min_ms=1.5"],
    ...["min_cost=1e9", "cache=warm", "cursor=x", "cursor=e30", "cursor=%F0%9F%98%80"],
    ...["q", "model", "ip", "cursor", "endpoint", "from"].map((name) => `${name}=${"x".repeat(1_000_000)}`),
    `${"model=x&".repeat(50)}${Array.from({ length: 101 }, (_, at) => `model=${at}`).join("&")}`
  ])
    it(`is refused with the name of what is wrong: ${text.slice(0, 60)}`, () => {
      const name = text.startsWith("from=2026-02") ? "from" : text.slice(0, text.indexOf("="))
      assert.strictEqual(wrong(text), name)
    })

  it.prop(
    "takes any text in a box as text, or refuses it by name",
    [
      fc.constantFrom("q", "model", "routed", "provider", "endpoint", "key", "media", "ip"),
      fc.string({ unit: "binary" })
    ],
    ([name, text]) => {
      const query = read(new URLSearchParams({ [name]: text }))
      if (Either.isLeft(query)) assert.strictEqual(query.left.param, name)
      else
        assert.notInclude(
          JSON.stringify([...query.right.shapes, query.right.ips, query.right.search]),
          "\\u0000"
        )
    }
  )

  it("knows whether sums by shape can answer it", () => {
    for (const text of ["", "model=a&range=1h", "status=5xx"]) assert.isTrue(isOfShapes(good(text)), text)
    for (const text of ["q=a", "ip=::1", "min_cost=1", "min_ms=1", "cache=hit"])
      assert.isFalse(isOfShapes(good(text)), text)
  })

  it("is of clients' requests where no kind is asked for, and loses single filters for facets", () => {
    assert.deepStrictEqual(mainByDefault(good("")).shapes.get("kind"), ["main"])
    assert.deepStrictEqual(mainByDefault(good("kind=describe")).shapes.get("kind"), ["describe"])
    assert.deepStrictEqual(Array.from(without(good("model=a&status=200"), "status").shapes.keys()), [
      "model_requested"
    ])
  })
})

describe("a filter of shapes", () => {
  const cases: ReadonlyArray<readonly [string, Partial<Shape>, "yes" | "no" | "perhaps"]> = [
    ["model=a", { model_requested: "a" }, "yes"],
    ["model=a&model=b", { model_requested: "b" }, "yes"],
    ["model=a", { model_requested: "A" }, "no"],
    ["model=a", { model_requested: "(other)" }, "perhaps"],
    ["model=(other)", { model_requested: "(other)" }, "yes"],
    ["model=a&status=200", { model_requested: "(other)", status: "500" }, "no"],
    ["model=(none)", { model_requested: "" }, "yes"],
    [`model=${"x".repeat(200)}`, { model_requested: "x".repeat(120) }, "yes"],
    ["status=4xx", { status: "429" }, "yes"],
    ["status=4xx", { status: "500" }, "no"],
    ["status=4xx", { status: "" }, "no"],
    ["media=video", { media: "image,video" }, "yes"],
    ["media=vid", { media: "image,video" }, "no"],
    ["stream=false", { streaming: "0" }, "yes"],
    ["source=(none)", { error_source: "" }, "yes"]
  ]
  for (const [text, has, answer] of cases)
    it(`${text.slice(0, 40)} says ${answer} to ${JSON.stringify(has).slice(0, 60)}`, () =>
      assert.strictEqual(matches(good(text).shapes, shape(has)), answer))
})

describe("a cursor", () => {
  const place = fc.record({
    backwards: fc.boolean(),
    value: fc.oneof(fc.constant(null), fc.string({ unit: "binary" }), fc.integer()),
    id: fc.nat()
  })

  it.prop(
    "leads back to its place, for its question alone",
    [place, fc.string(), fc.string()],
    ([place, one, other]) => {
      const word = Cursor.encode(one, place)
      assert.match(word, /^[\w-]+$/)
      assert.deepStrictEqual(Cursor.decode(one, word), wellFormed(place))
      if (one !== other) assert.isUndefined(Cursor.decode(other, word))
    }
  )

  it.prop("that is damaged leads nowhere", [place, fc.nat(), fc.nat(61)], ([place, at, sign]) => {
    const word = Cursor.encode("", place)
    const damaged = `${word.slice(0, at % word.length)}${SIGNS[sign]}${word.slice((at % word.length) + 1)}`
    const found = Cursor.decode("", damaged)
    // The last sign of base64 has bits that say nothing.
    if (damaged !== word && found !== undefined) assert.deepStrictEqual(found, wellFormed(place))
  })

  it("is refused by name with another question, order or kind of value", () => {
    const { question } = good("model=a&sort_by=tokens")
    const word = Cursor.encode(question, { backwards: false, value: 5, id: 7 })
    assert.strictEqual(good(`model=a&sort_by=tokens&page_size=3&cursor=${word}`).place?.id, 7)
    for (const other of [
      "model=b&sort_by=tokens",
      "model=a",
      "model=a&sort_by=tokens&sort_order=asc",
      "sort_by=tokens"
    ])
      assert.strictEqual(wrong(`${other}&cursor=${word}`), "cursor")
    const text = Cursor.encode(question, { backwards: false, value: "5", id: 7 })
    assert.strictEqual(wrong(`model=a&sort_by=tokens&cursor=${text}`), "cursor")
  })
})

/** UTF-8 has no halves of signs. */
const wellFormed = (place: Cursor.Place): Cursor.Place => ({
  ...place,
  value: typeof place.value === "string" ? Buffer.from(place.value).toString() : place.value
})

const SIGNS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

const A_COLUMNS = [
  ...["id", "timestamp", "internal_request_id", "endpoint_called", "client_ip", "model_requested_by_client"],
  ...[
    "model_routed_to_openrouter",
    "openrouter_request_id",
    "prompt_tokens",
    "completion_tokens",
    "total_tokens"
  ],
  ...["cost_usd", "is_multimodal", "media_type_processed", "input_char_length", "output_char_length"],
  ...["processing_duration_ms", "openrouter_latency_ms", "status_code_returned_to_client", "error_source"],
  "error_message"
]
