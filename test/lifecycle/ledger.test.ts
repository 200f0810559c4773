import { assert, describe, it } from "@effect/vitest"
import { SqlClient } from "@effect/sql/SqlClient"
import { Context, Effect, Layer } from "effect"
import sharp from "sharp"
import { AppConfig } from "../../src/services/AppConfig.ts"
import * as Database from "../../src/services/Database.ts"
import { ALL_ROLLUPS, ALL_ROWS, assertBalanced } from "../support/Accounts.ts"
import type { Books, CountedLine } from "../support/Accounts.ts"
import { fateOf, seeded, sourceOf, startLedger } from "../support/Ledger.ts"
import type { Charge, Fate } from "../support/Ledger.ts"
import { freshDatabase, hasPostgres, sharedPostgres } from "../support/Postgres.ts"
import { startProgram, WITHOUT_TOOLS } from "../support/Program.ts"
import { eventually, temporaryFolder } from "../support/Router.ts"
import type { Row } from "../support/Router.ts"

const REQUESTS = 2000
const AT_ONCE = 32
const KILLS = 5

const postgres = sharedPostgres()

const databases = [
  ["SQLite", Effect.succeed({}), true],
  ["Postgres", Effect.map(postgres, (server) => ({ DATABASE_URL: freshDatabase(server) })), hasPostgres]
] as const

for (const [seed, [database, where, isThere]] of databases.entries())
  describe.skipIf(!isThere)(`the record on ${database}`, () => {
    it.scopedLive(
      `agrees with the provider's books after ${REQUESTS} mixed requests and ${KILLS} times kill -9`,
      () =>
        Effect.gen(function* () {
          const ledger = yield* startLedger
          const env = {
            ...WITHOUT_TOOLS,
            ...ledger.env,
            ...(yield* where),
            DATA_DIR: yield* temporaryFolder,
            LOG_LEVEL: "error"
          }
          const early = yield* mixedRequests(env, seed, () => new Set(ledger.charges.keys()))
          const context = yield* Effect.orDie(
            Layer.build(Database.layer.pipe(Layer.provide(AppConfig.layer(env))))
          )
          const sql = Context.get(context, SqlClient)
          const look: Effect.Effect<Books> = Effect.orDie(
            Effect.all({ rows: sql.unsafe<Row>(ALL_ROWS), rollups: sql.unsafe<CountedLine>(ALL_ROLLUPS) })
          )
          const isSettled = ({ rows }: Books) =>
            rows.every((row) => row.state !== "running" && !isAwaited(row, chargeOf(ledger.charges, row)))
          const books = yield* eventually(look, isSettled, 30)
          assertBalanced(books)
          assertCharged(books.rows, ledger.charges, early)
        }),
      120_000
    )
  })

/** Sends them all, through whichever process is there; gives the charges from before the last one's start. */
const mixedRequests = Effect.fnUntraced(function* (
  env: { readonly [name: string]: string },
  seed: number,
  soFar: () => ReadonlySet<string>
) {
  const random = seeded(20_261_120 + seed)
  const killAt = new Set(
    Array.from({ length: KILLS }, (_, at) =>
      Math.floor(((at + 0.2 + random() * 0.7) * REQUESTS) / (KILLS + 1))
    )
  )
  const up = yield* Effect.makeLatch(true)
  let program = yield* startProgram(env)
  let early = soFar()
  let ended = 0
  const restart = Effect.gen(function* () {
    yield* up.close
    program.kill("SIGKILL")
    yield* program.ended
    program = yield* startProgram(env)
    // Not sooner: what the dead one had sent may still be on its way to the provider when it is gone.
    early = soFar()
    yield* up.open
  })
  const ask = (number: number) =>
    up.await.pipe(
      Effect.zipRight(Effect.promise(() => sendCase(program.url, number))),
      Effect.zipRight(Effect.suspend(() => (killAt.has(++ended) ? restart : Effect.void)))
    )
  yield* Effect.forEach(
    Array.from({ length: REQUESTS }, (_, number) => number),
    ask,
    { concurrency: AT_ONCE, discard: true }
  )
  return early
})

/** One request as its fate wants it; whatever becomes of it here is told by the record. */
const sendCase = async (url: string, number: number): Promise<void> => {
  const fate = fateOf(number)
  const leaving = new AbortController()
  const words = { type: "text", text: `case ${number}` }
  const content =
    fate === "described"
      ? [words, { type: "image_url", image_url: { url: await pictureOf(number) } }]
      : words.text
  try {
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        ...(fate === "described" ? { "x-percept-policy": "describe" } : {})
      },
      body: JSON.stringify({
        model: fate === "free" ? "test/free:free" : "test/plain",
        stream: STREAMED.has(fate),
        messages: [{ role: "user", content }]
      }),
      signal: leaving.signal
    })
    if (fate.startsWith("leaves")) {
      await response.body?.getReader().read()
      leaving.abort()
    } else await response.arrayBuffer()
  } catch {
    // It was killed, or this is how it is meant to end.
  }
}

const STREAMED: ReadonlySet<Fate> = new Set<Fate>([
  ...([
    "stream",
    "leaves",
    "leaves late",
    "breaks off",
    "fails with usage",
    "untold stream",
    "costs nothing"
  ] as const)
])

/** No two alike, since what is known is not described again. */
const pictureOf = async (number: number): Promise<string> => {
  const background = { r: number % 256, g: Math.floor(number / 256), b: 99 }
  const png = await sharp({ create: { width: 32, height: 32, channels: 3, background } })
    .png()
    .toBuffer()
  return `data:image/png;base64,${png.toString("base64")}`
}

const chargeOf = (charges: ReadonlyMap<string, Charge>, row: Row): Charge | undefined =>
  charges.get(row.openrouter_request_id ?? "")

/** The provider still tells what it charged. */
const isAwaited = (row: Row, charge: Charge | undefined): boolean =>
  charge !== undefined && row.state !== "done" && row.cost_source === null && sourceOf(charge.fate) !== null

const assertCharged = (
  rows: ReadonlyArray<Row>,
  charges: ReadonlyMap<string, Charge>,
  early: ReadonlySet<string>
): void => {
  const found = new Map<string, Row>()
  let recorded = 0
  let charged = 0
  for (const row of rows) {
    const charge = chargeOf(charges, row)
    const id = row.openrouter_request_id ?? ""
    const what = `${row.internal_request_id} ${id} ${row.state} ${charge?.fate}`
    if (charge === undefined) {
      // Refused, or dead before an answer began: nothing was charged that anybody could know of.
      assert.include(["failed", "interrupted", "cancelled"], row.state, what)
      assert.isNull(row.cost_nano_usd, what)
      continue
    }
    assert.isFalse(found.has(id), what)
    found.set(id, row)
    const source =
      row.state === "done" ? sourceOf(charge.fate) : sourceOf(charge.fate) === null ? null : "provider"
    assert.strictEqual(row.cost_source, source, what)
    if (source === null) {
      assert.isNull(row.cost_nano_usd, what)
      continue
    }
    const told = [
      row.cost_nano_usd,
      row.prompt_tokens,
      row.completion_tokens,
      row.cached_tokens,
      row.reasoning_tokens
    ]
    const { cached, completion, nano, prompt, reasoning } = charge
    assert.deepStrictEqual(told.map(Number), [nano, prompt, completion, cached, reasoning], what)
    recorded += Number(row.cost_nano_usd)
    charged += nano
  }
  assert.strictEqual(recorded, charged)
  // Where nobody was killed, nothing is missing.
  const missing = Array.from(charges.keys()).filter((id) => !found.has(id))
  assert.deepStrictEqual(
    missing.filter((id) => !early.has(id)),
    []
  )
  // Each kind was there.
  assert.deepStrictEqual(
    new Set(Array.from(found, ([id]) => charges.get(id)?.fate)),
    new Set(Array.from(charges.values(), ({ fate }) => fate))
  )
  const described = rows.filter(({ kind }) => kind === "describe")
  const ids = new Set(rows.map((row) => row.internal_request_id))
  assert.isAtLeast(described.length, 2)
  for (const row of described)
    assert.isTrue(ids.has(row.parent_request_id ?? "") || early.has(row.openrouter_request_id ?? ""))
}
