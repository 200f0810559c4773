import { assert, describe, it } from "@effect/vitest"
import { Effect, Either, Exit, Scope } from "effect"
import { parse } from "../../../src/domain/record/RecordQuery.ts"
import { searchable } from "../../../src/domain/record/Searchable.ts"
import type { RequestRecord } from "../../../src/domain/RequestRecord.ts"
import { everyDatabase } from "../../support/Postgres.ts"
import { openRecord } from "../../support/Record.ts"
import { eventually } from "../../support/Router.ts"
import { rowOf } from "../../support/Rows.ts"

const asked = (q: string, more = "") =>
  Either.getOrThrow(parse(new URLSearchParams(`${more}&q=${encodeURIComponent(q)}`), Date.now()))

const idOf = (number: number) => `req_${number.toString(16).padStart(32, "0")}`

/** A request, and what was said in it. */
const said = (number: number, prompt: string, answer = "", more: Partial<RequestRecord> = {}) => ({
  row: rowOf(idOf(number), { timestamp: new Date(Date.now() - 5000).toISOString(), ...more }),
  body: {
    internal_request_id: idOf(number),
    request_body: JSON.stringify({ model: "m", messages: [{ role: "user", content: prompt }] }),
    response_body: JSON.stringify({ choices: [{ message: { role: "assistant", content: answer } }] })
  }
})

type Said = ReturnType<typeof said>
type Opened = Effect.Effect.Success<ReturnType<typeof openRecord>>

const save = ({ repo }: Opened, all: ReadonlyArray<Said>) =>
  repo.save(
    all.map(({ row }) => row),
    all.map(({ body }) => body)
  )

/** The numbers of what is found, newest first. */
const numbersFor = ({ lists }: Opened, q: string, more = "") =>
  Effect.map(lists.list(asked(q, more)), ({ items }) =>
    items.map(({ internal_request_id }) => Number.parseInt(internal_request_id.slice(4), 16))
  )

const SAID: ReadonlyArray<Said> = [
  said(1, "How tall is the Eiffel Tower?", "It is 330 metres high."),
  said(2, 'She said "hello" & left; 100% sure_thing', "C:\\temp\\file.txt"),
  said(3, "看看这个视频里有什么", "一只猫坐在窗边"),
  said(4, "🎉🎉 party 🐈‍⬛ time", "naïve café ÜBER"),
  said(5, "SELECT * FROM users; DROP TABLE openrouter_requests; --", "' OR 1=1 NEAR(a b)"),
  said(6, "quiet", "", {
    state: "failed",
    error_source: "upstream",
    error_message: "The provider is overloaded",
    status_code_returned_to_client: 529,
    openrouter_request_id: "gen-1747000000-AbCdEf"
  }),
  said(7, "The frame shows a tower", "", { kind: "describe", parent_request_id: idOf(1) }),
  said(8, `${"filler ".repeat(3000)}the very last words: zanzibar`, "")
]

for (const { fresh, name } of everyDatabase())
  describe(`a search of the record on ${name}`, () => {
    it.scopedLive(
      "finds prompts, answers, errors and ids by any part, whatever signs they have, and nothing else",
      () =>
        Effect.gen(function* () {
          const opened = yield* Effect.flatMap(fresh, openRecord)
          yield* save(opened, SAID)
          yield* eventually(numbersFor(opened, "zanzibar"), (found) => found.length > 0)
          const cases: ReadonlyArray<readonly [string, ReadonlyArray<number>, string?]> = [
            ["eiffel", [1]],
            ["EIFFEL tower", [1]],
            ["tower eiffel", [1]],
            ["iffe", [1]],
            ["330 metres", [1]],
            ["tower", [7, 1], "kind=all"],
            ["tower", [1]],
            ['"hello"', [2]],
            ["100%", [2]],
            ["sure_thing", [2]],
            ["sureXthing", []],
            ["C:\\temp\\file", [2]],
            ["这个视频", [3]],
            ["一只猫", [3]],
            ["🎉🎉 party", [4]],
            ["naïve", [4]],
            ["über", [4]],
            ["DROP TABLE openrouter_requests; --", [5]],
            ["' OR 1=1", [5]],
            ["NEAR(a b)", [5]],
            ["overloaded", [6]],
            ["gen-1747000000-abcdef", [6]],
            ["quiet", [6], "status=5xx"],
            ["quiet", [], "status=200"],
            [idOf(5), [5]],
            [idOf(7), [7]],
            [idOf(99), []],
            ["nowhere to be found", []],
            ["*", []],
            ['"""', []],
            ["AND OR NOT", []],
            ["document:eiffel", []],
            ["the", [8, 6, 1]]
          ]
          for (const [q, wanted, more] of cases)
            assert.deepStrictEqual(yield* numbersFor(opened, q, more), wanted, `${q} ${more ?? ""}`)
          const sorted = yield* numbersFor(opened, "the", "sort_by=status&sort_order=desc")
          assert.deepStrictEqual(sorted, [6, 8, 1])
          assert.strictEqual((yield* opened.lists.list(asked("the", "page_size=2"))).total_items, 3)
        }),
      40_000
    )

    it.scopedLive("of one or two signs goes through names and beginnings", () =>
      Effect.gen(function* () {
        const opened = yield* Effect.flatMap(fresh, openRecord)
        yield* save(opened, [
          said(1, "", "", { preview: "你好 world" }),
          said(2, "", "", { preview: "50% off" }),
          said(3, "", "", { preview: "fifty", model_requested_by_client: "o1" }),
          said(4, "", "", { preview: "🎉" })
        ])
        for (const [q, wanted] of [
          ["你好", [1]],
          ["%", [2]],
          ["O1", [3]],
          ["🎉", [4]],
          ["f", [3, 2, 1]],
          ["_", []]
        ] as const)
          assert.deepStrictEqual(
            (yield* numbersFor(opened, q)).filter((number) => q !== "f" || number !== 4),
            [...wanted],
            q
          )
      })
    )

    it.scopedLive("finds what ended late, what came while nobody followed, and nothing that is gone", () =>
      Effect.gen(function* () {
        const env = yield* fresh
        const before = yield* Scope.make()
        const first = yield* Scope.extend(openRecord(env), before)
        const late = said(1, "a running gag", "", { state: "running", status_code_returned_to_client: null })
        yield* save(first, [late, said(2, "an early bird")])
        yield* eventually(numbersFor(first, "early bird"), (found) => found.length === 1)
        assert.deepStrictEqual(yield* numbersFor(first, "running gag"), [])
        yield* Scope.close(before, Exit.void)

        const off = yield* openRecord({ ...env, SEARCH_INDEX: "false" })
        yield* save(off, [said(1, "a running gag"), said(3, "came meanwhile")])

        const again = yield* openRecord(env)
        yield* eventually(numbersFor(again, "running gag"), (found) => found.length === 1)
        yield* eventually(numbersFor(again, "came meanwhile"), (found) => found.length === 1)

        yield* again.sql`DELETE FROM openrouter_requests WHERE internal_request_id <= ${idOf(2)}`
        assert.deepStrictEqual(yield* numbersFor(again, "early bird"), [])
        const last = yield* openRecord(env)
        yield* eventually(
          last.sql<{ removed: number }>`SELECT removed FROM request_search_state`,
          ([state]) => Number(state?.removed) >= 2
        )
        const kept = yield* last.sql<{ found: number }>`SELECT count(*) AS found FROM request_search`
        assert.strictEqual(Number(kept[0]?.found), 1)
      })
    )

    it.scopedLive("passes nobody by whose clock is ahead of the others'", () =>
      Effect.gen(function* () {
        const env = yield* fresh
        const off = yield* openRecord({ ...env, SEARCH_INDEX: "false" })
        const timestamp = new Date(Date.now() + 1500).toISOString()
        yield* save(off, [said(1, "an early bird", "", { timestamp }), said(2, "a running gag")])
        const record = yield* openRecord(env)
        yield* eventually(numbersFor(record, "running gag"), (found) => found.length === 1)
        yield* eventually(numbersFor(record, "early bird"), (found) => found.length === 1)
      })
    )

    it.scopedLive("that is off says so, and still knows ids", () =>
      Effect.gen(function* () {
        const env = yield* fresh
        const opened = yield* openRecord({ ...env, SEARCH_INDEX: "false" })
        yield* save(opened, [said(1, "hello there")])
        const refused = yield* Effect.flip(opened.lists.list(asked("hello")))
        assert.deepStrictEqual(
          [refused.status, refused._tag === "InvalidRequest" && refused.param],
          [400, "q"]
        )
        assert.include(refused.message, "SEARCH_INDEX")
        assert.deepStrictEqual(yield* numbersFor(opened, idOf(1)), [1])
      })
    )
  })

describe("what is searched of a request", () => {
  const ofPieces = (...pieces: ReadonlyArray<string | null>) => searchable({ names: [null, "req_1"], pieces })

  it("is what was said in it, wherever its pieces begin and end", () => {
    assert.strictEqual(
      ofPieces('{"messages":[{"role":"user","content":"a\\n\\"b\\" \\u00e9"}]}'),
      'req_1\na\n"b" é'
    )
    assert.strictEqual(ofPieces('"content":"cut off he'), "req_1\ncut off he")
    assert.strictEqual(ofPieces('"content":"cut \\u00'), "req_1\ncut \\u00")
    assert.strictEqual(ofPieces(`${"word ".repeat(60)}end"}]}`), `req_1\n${"word ".repeat(60)}end`)
    assert.strictEqual(
      ofPieces('{"type":"text","text":"one"},{"type":"text","text":"two"}', null),
      "req_1\none\ntwo"
    )
  })

  it("is bounded, and quick to get of hostile texts", () => {
    assert.isAtMost(ofPieces(`"content":"${"x".repeat(50_000)}"`).length, 8500)
    for (const hostile of ['"'.repeat(20_000), "\\".repeat(20_000), '"content":"\\'.repeat(2000)])
      assert.isAtMost(ofPieces(hostile).length, 8500)
  })
})
