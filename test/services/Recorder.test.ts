import { assert, describe, it } from "@effect/vitest"
import Sqlite from "better-sqlite3"
import { Effect } from "effect"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { field } from "../../src/domain/Json.ts"
import { eventually, startRouter } from "../support/Router.ts"
import type { Router } from "../support/Router.ts"
import { completion, json, send, sendChat, startUpstream, stream, streamText } from "../support/Upstream.ts"

const hello = (said: string) => ({ model: "percept/inspect", messages: [{ role: "user", content: said }] })

const ready = ({ url }: Router) =>
  Effect.promise(() => fetch(`${url}/readyz`).then((response) => response.json() as Promise<unknown>))

/** Another process's hand on the database; nobody else writes while it is there. */
const seize = ({ dataDir }: Router) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const other = new Sqlite(join(dataDir, "percept.db"), { timeout: 2000 })
      other.exec("BEGIN EXCLUSIVE")
      return {
        letGo: () => void other.exec("ROLLBACK"),
        close: () => other.close()
      }
    }),
    ({ close }) => Effect.sync(close)
  )

describe("while somebody else holds the database", () => {
  it.scopedLive("requests are answered, /readyz tells, and every row arrives afterwards", () =>
    Effect.gen(function* () {
      const router = yield* startRouter({})
      assert.deepInclude(yield* ready(router), { status: "ready", record: "ok", rows_lost: 0 })
      assert.strictEqual((yield* sendChat(router, hello("before"))).status, 200)
      const database = yield* seize(router)

      const from = performance.now()
      const answered: Array<unknown> = []
      const failing = yield* eventually(
        Effect.gen(function* () {
          const got = yield* sendChat(router, hello(`number ${answered.length}`))
          assert.strictEqual(got.status, 200)
          answered.push(got.headers["x-request-id"])
          return yield* ready(router)
        }),
        (report) => field(report, "record") === "failing" && performance.now() - from > 2000
      )
      assert.deepInclude(failing, { status: "ready", record: "failing", log: "ok", rows_lost: 0 })
      assert.isAbove(answered.length, 10)

      database.letGo()
      yield* eventually(ready(router), (report) => field(report, "record") === "ok")
      const rows = yield* eventually(
        router.rowsNow,
        (rows) => rows.length > answered.length && rows.every(({ state }) => state === "done")
      )
      assert.deepStrictEqual(rows.map((row) => row.internal_request_id).slice(-answered.length), answered)
      assert.strictEqual(rows.length, answered.length + 1)
      assert.deepInclude(yield* ready(router), { status: "ready", record: "ok", rows_lost: 0 })
    })
  )

  it.scopedLive("a request is never held up by it", () =>
    Effect.gen(function* () {
      const router = yield* startRouter({})
      const database = yield* seize(router)
      yield* sendChat(router, hello("first"))
      yield* eventually(ready(router), (report) => field(report, "record") === "failing")
      const times: Array<number> = []
      for (let index = 0; index < 20; index++) {
        const from = performance.now()
        yield* sendChat(router, hello("again"))
        times.push(performance.now() - from)
      }
      // The driver may hold the thread for 50 ms now and then, but not for its own five seconds.
      assert.isBelow(Math.max(...times), 1000)
      database.letGo()
    })
  )
})

describe("the record", () => {
  it.scopedLive("has a row from the start, and the same row at the end", () =>
    Effect.gen(function* () {
      const upstream = yield* startUpstream
      let finish = () => {}
      upstream.once((request, response) => {
        finish = () => completion("at last")(request, response)
      })
      const router = yield* startRouter(upstream.env)
      const answer = yield* Effect.fork(sendChat(router, { ...hello("Hi"), model: "test/plain" }))
      const [begun] = yield* eventually(router.rowsNow, (rows) => rows.length > 0)
      assert.strictEqual(begun?.state, "running")
      assert.strictEqual(begun?.model_requested_by_client, "test/plain")
      yield* eventually(
        Effect.sync(() => upstream.received.length),
        (count) => count === 1
      )
      finish()
      yield* answer
      const [ended, ...more] = yield* router.rows
      assert.deepStrictEqual(more, [])
      assert.strictEqual(ended?.id, begun?.id)
      assert.strictEqual(ended?.internal_request_id, begun?.internal_request_id)
      assert.strictEqual(ended?.state, "done")
    })
  )

  it.scopedLive("keeps the words of a request and of its answer, whole or streamed", () =>
    Effect.gen(function* () {
      const upstream = yield* startUpstream
      const router = yield* startRouter(upstream.env)
      upstream.once(completion("a whole answer"), stream(streamText(["an answer ", "in ", "pieces"])))
      yield* sendChat(router, { ...hello("a question"), model: "test/plain" })
      yield* sendChat(router, { ...hello("another"), model: "test/plain", stream: true })
      yield* eventually(router.rowsNow, (rows) => rows.filter(({ state }) => state === "done").length === 2)
      const kept = yield* eventually(
        Effect.sync(() => bodiesIn(router)),
        (bodies) => bodies.length === 2
      )
      const [whole, pieces] = kept.map(({ request_body, response_body }) => [request_body, response_body])
      assert.include(whole?.[0], '"a question"')
      assert.include(whole?.[1], '"a whole answer"')
      assert.include(pieces?.[0], '"another"')
      assert.include(pieces?.[1], '"an answer in pieces"')
      for (const body of [...(whole ?? []), ...(pieces ?? [])]) JSON.parse(body ?? "")
    })
  )

  it.scopedLive("has no key in it that somebody put where none belongs", () =>
    Effect.gen(function* () {
      const key = "sk-canary0123456789abcdef"
      const router = yield* startRouter({})
      yield* sendChat(router, { ...hello("Hi"), model: `percept/${key}` })
      yield* send(router, { path: `/v1/${key}`, method: "GET" })
      const rows = yield* eventually(
        router.rowsNow,
        (rows) => rows.length === 2 && rows.every(({ state }) => state === "failed")
      )
      assert.notInclude(rows.map(({ error_message }) => error_message).join(), "canary")
      assert.notInclude(JSON.stringify(rows), "canary")
      const file = join(router.dataDir, "router.log.json")
      const log = yield* eventually(
        Effect.sync(() => (existsSync(file) ? readFileSync(file, "utf8") : "")),
        (text) => text.split("\n").length > 2
      )
      assert.notInclude(log, "canary")
    })
  )

  it.scopedLive("has the text of an error without the keys in it", () =>
    Effect.gen(function* () {
      const upstream = yield* startUpstream
      const router = yield* startRouter({ ...upstream.env, UPSTREAM_RETRIES: "0" })
      upstream.once(json(400, { error: { message: "sk-canary0123456789abcdef is no good" } }))
      yield* sendChat(router, { ...hello("Hi"), model: "test/plain" })
      const [row] = yield* router.rows
      assert.strictEqual(row?.error_message, "[redacted] is no good")
      assert.strictEqual(row?.error_source, "upstream")
    })
  )
})

interface Bodies {
  readonly request_body: string | null
  readonly response_body: string | null
}

const bodiesIn = ({ dataDir }: Router): ReadonlyArray<Bodies> => {
  const database = new Sqlite(join(dataDir, "percept.db"), { readonly: true })
  try {
    return database
      .prepare<[], Bodies>(
        `SELECT request_body, response_body FROM request_bodies
         JOIN openrouter_requests USING (internal_request_id) ORDER BY openrouter_requests.id`
      )
      .all()
  } finally {
    database.close()
  }
}
