import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fc from "effect/FastCheck"
import type { RequestRecord } from "../../../src/domain/RequestRecord.ts"
import { anyAddress, queryOf, recordOf, rowsFor, wants } from "../../support/Figures.ts"
import type { Figures } from "../../support/Figures.ts"
import { everyDatabase } from "../../support/Postgres.ts"

const rows = rowsFor(400, 23)

const FACETS: { readonly [name: string]: (row: RequestRecord) => ReadonlyArray<string> } = {
  model: (row) => [row.model_requested_by_client ?? "(none)"],
  routed: (row) => [row.model_routed_to_openrouter ?? "(none)"],
  provider: (row) => [row.provider ?? "(none)"],
  endpoint: (row) => [row.endpoint_called],
  status: ({ status_code_returned_to_client: status }) => [
    status === null ? "(none)" : `${Math.floor(status / 100)}xx`
  ],
  source: (row) => [row.error_source ?? "(none)"],
  media: (row) => (row.media_type_processed ?? "(none)").split(","),
  stream: (row) => [String(row.is_streaming === 1)],
  state: (row) => [row.state],
  key: (row) => [row.key_id ?? "(none)"]
}

const assertRight = (record: Figures, address: string) =>
  Effect.gen(function* () {
    const asked = address.includes("kind=") ? address : `${address}&kind=main`
    const { facets, is_partial } = yield* record.facets(queryOf(address))
    assert.isFalse(is_partial)
    assert.sameMembers(Object.keys(facets), Object.keys(FACETS))
    for (const [name, values] of Object.entries(facets)) {
      const own = new URLSearchParams(asked)
      const chosen = own.getAll(name)
      own.delete(name)
      const left = rows.filter((row) => wants(own.toString(), row))
      const expected = new Map<string, number>()
      for (const row of left)
        for (const value of FACETS[name]?.(row) ?? []) expected.set(value, (expected.get(value) ?? 0) + 1)
      for (const value of chosen)
        if (!expected.has(value))
          expected.set(
            value,
            left.filter((row) => wants(new URLSearchParams([[name, value]]).toString(), row)).length
          )
      assert.deepStrictEqual(
        new Map(values.map(({ count, value }) => [value, count])),
        expected,
        `${address} ${name}`
      )
    }
  })

describe.each(everyDatabase())("filters with counts on $name", ({ fresh, name }) => {
  // Each takes a dozen statements; the databases differ in few of them.
  const runs = name === "SQLite" ? 24 : 8

  it.scopedLive("leave as many requests as they say", () =>
    Effect.gen(function* () {
      const record = yield* recordOf(yield* fresh, rows)
      for (const more of [false, true])
        yield* Effect.promise(() =>
          fc.assert(
            fc.asyncProperty(anyAddress(more), (address) => Effect.runPromise(assertRight(record, address))),
            { numRuns: more ? runs / 4 : runs }
          )
        )
    })
  )
})
