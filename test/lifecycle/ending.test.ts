import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { ServerResponse } from "node:http"
import { connect } from "node:net"
import { integrityOf, rowsIn, startProgram, WITHOUT_TOOLS } from "../support/Program.ts"
import type { Program } from "../support/Program.ts"
import { eventually, temporaryFolder } from "../support/Router.ts"
import { chunk, openStream, startUpstream } from "../support/Upstream.ts"
import type { Upstream } from "../support/Upstream.ts"

/** Streams that go on until the test lets them end. */
const holdStreams = (upstream: Upstream) => {
  const open: Array<ServerResponse> = []
  upstream.answers((_, response) => {
    openStream(response)
    response.write(chunk({ content: "piece " }))
    open.push(response)
  })
  const finish = () => {
    for (const response of open) response.end(chunk({}, "stop") + "data: [DONE]\n\n")
  }
  return { open, finish }
}

const streamsOf = (program: Program, count: number) =>
  Array.from({ length: count }, () =>
    fetch(`${program.url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        model: "test/plain",
        stream: true,
        messages: [{ role: "user", content: "Go on." }]
      })
    })
      .then((response) => response.text())
      .catch((error: unknown) => `broken: ${String(error)}`)
  )

const settle = (answers: ReadonlyArray<Promise<string>>) => Effect.promise(() => Promise.all(answers))

describe("kill -9", () => {
  it.scopedLive(
    "in the middle of 20 streams leaves one row each, which the next start calls interrupted",
    () =>
      Effect.gen(function* () {
        const upstream = yield* startUpstream
        const env = { ...upstream.env, ...WITHOUT_TOOLS, DATA_DIR: yield* temporaryFolder }
        const program = yield* startProgram(env)
        holdStreams(upstream)
        const answers = streamsOf(program, 20)
        const running = Effect.sync(
          () => rowsIn(env.DATA_DIR).filter((row) => row.state === "running").length
        )
        yield* eventually(running, (count) => count === 20)
        program.kill("SIGKILL")
        yield* program.ended
        yield* settle(answers)

        yield* startProgram(env)
        const rows = rowsIn(env.DATA_DIR)
        assert.strictEqual(rows.length, 20)
        assert.strictEqual(new Set(rows.map((row) => row.internal_request_id)).size, 20)
        for (const row of rows) {
          assert.strictEqual(row.state, "interrupted")
          assert.strictEqual(row.error_source, "router")
        }
        assert.strictEqual(integrityOf(env.DATA_DIR), "ok")
      })
  )

  it.scopedLive("at any moment loses no request that had run for 100 ms, and keeps none twice", () =>
    Effect.gen(function* () {
      const upstream = yield* startUpstream
      const env = { ...upstream.env, ...WITHOUT_TOOLS, DATA_DIR: yield* temporaryFolder }
      holdStreams(upstream)
      let owed = 0
      for (const delay of [0, 7, 23, 61]) {
        const program = yield* startProgram(env)
        const before = upstream.received.length
        const old = streamsOf(program, 5)
        yield* eventually(
          Effect.sync(() => upstream.received.length - before),
          (count) => count === 5
        )
        yield* Effect.sleep("100 millis")
        const young = streamsOf(program, 5)
        yield* Effect.sleep(delay)
        program.kill("SIGKILL")
        yield* program.ended
        yield* settle([...old, ...young])
        owed += 5
      }
      yield* startProgram(env)
      const rows = rowsIn(env.DATA_DIR)
      assert.isAtLeast(rows.length, owed)
      assert.isAtMost(rows.length, upstream.received.length)
      assert.deepStrictEqual([...new Set(rows.map((row) => row.state))], ["interrupted"])
      assert.strictEqual(new Set(rows.map((row) => row.internal_request_id)).size, rows.length)
      assert.strictEqual(integrityOf(env.DATA_DIR), "ok")
    })
  )
})

describe("SIGTERM", () => {
  it.scopedLive("lets 20 open streams come to their end, takes no new ones, and exits with 0", () =>
    Effect.gen(function* () {
      const upstream = yield* startUpstream
      const env = { ...upstream.env, ...WITHOUT_TOOLS, DATA_DIR: yield* temporaryFolder }
      const program = yield* startProgram(env)
      const { finish, open } = holdStreams(upstream)
      const answers = streamsOf(program, 20)
      yield* eventually(
        Effect.sync(() => open.length),
        (count) => count === 20
      )
      program.kill("SIGTERM")
      const refused = Effect.promise(() =>
        fetch(`${program.url}/healthz`).then(
          () => false,
          () => true
        )
      )
      yield* eventually(refused, (is) => is)
      finish()
      for (const text of yield* settle(answers)) assert.match(text, /piece .*\[DONE\]\n\n$/s)
      assert.deepStrictEqual(yield* program.ended, { code: 0, signal: null })
      const states = rowsIn(env.DATA_DIR).map((row) => row.state)
      assert.deepStrictEqual(
        states,
        Array.from({ length: 20 }, () => "done")
      )
    })
  )

  it.scopedLive("does not wait for a connection that has asked for nothing", () =>
    Effect.gen(function* () {
      const env = {
        ...WITHOUT_TOOLS,
        DATA_DIR: yield* temporaryFolder,
        DRAIN_TIMEOUT: "1 hour",
        HEADERS_TIMEOUT: "1 hour"
      }
      const program = yield* startProgram(env)
      const { hostname, port } = new URL(program.url)
      const silent = yield* Effect.acquireRelease(
        Effect.sync(() => connect(Number(port), hostname).on("error", () => {})),
        (socket) => Effect.sync(() => socket.destroy())
      )
      yield* eventually(
        Effect.sync(() => silent.readyState),
        (state) => state === "open"
      )
      // Connections are taken in their order: after this answer the silent one is taken too.
      yield* Effect.promise(() => fetch(`${program.url}/healthz`).then((response) => response.text()))
      program.kill("SIGTERM")
      assert.deepStrictEqual(yield* program.ended, { code: 0, signal: null })
    })
  )

  it.scopedLive("ends what outlives DRAIN_TIMEOUT with one error event, and exits with 0", () =>
    Effect.gen(function* () {
      const upstream = yield* startUpstream
      const env = {
        ...upstream.env,
        ...WITHOUT_TOOLS,
        DATA_DIR: yield* temporaryFolder,
        DRAIN_TIMEOUT: "300 millis"
      }
      const program = yield* startProgram(env)
      const { open } = holdStreams(upstream)
      const answers = streamsOf(program, 20)
      yield* eventually(
        Effect.sync(() => open.length),
        (count) => count === 20
      )
      program.kill("SIGTERM")
      for (const text of yield* settle(answers)) {
        const events = text.trimEnd().split("\n\n")
        assert.strictEqual(events.length, 2)
        assert.include(events[1], `"code":"shutting_down"`)
        assert.notInclude(text, "[DONE]")
      }
      assert.deepStrictEqual(yield* program.ended, { code: 0, signal: null })
      const rows = rowsIn(env.DATA_DIR)
      assert.strictEqual(rows.length, 20)
      for (const row of rows) assert.strictEqual(row.state, "interrupted")
      assert.isTrue(upstream.received.every((request) => request.aborted))
    })
  )

  it.scopedLive("answers with 503 where nothing had been sent yet", () =>
    Effect.gen(function* () {
      const upstream = yield* startUpstream
      const env = {
        ...upstream.env,
        ...WITHOUT_TOOLS,
        DATA_DIR: yield* temporaryFolder,
        DRAIN_TIMEOUT: "300 millis"
      }
      const program = yield* startProgram(env)
      upstream.answers(() => {})
      const [answer] = streamsOf(program, 1)
      yield* eventually(
        Effect.sync(() => upstream.received.length),
        (count) => count === 1
      )
      program.kill("SIGTERM")
      assert.include(yield* Effect.promise(() => answer ?? Promise.resolve("")), "shutting_down")
      assert.deepStrictEqual(yield* program.ended, { code: 0, signal: null })
      assert.deepStrictEqual(
        rowsIn(env.DATA_DIR).map((row) => [row.state, row.status_code_returned_to_client]),
        [["interrupted", 503]]
      )
    })
  )

  it.scopedLive("twice ends the program at once", () =>
    Effect.gen(function* () {
      const upstream = yield* startUpstream
      const program = yield* startProgram({
        ...upstream.env,
        ...WITHOUT_TOOLS,
        DATA_DIR: yield* temporaryFolder
      })
      const { open } = holdStreams(upstream)
      const answers = streamsOf(program, 1)
      yield* eventually(
        Effect.sync(() => open.length),
        (count) => count === 1
      )
      program.kill("SIGTERM")
      // One press of Ctrl-C can arrive twice within a moment; only a later signal is a second wish.
      yield* Effect.sleep("400 millis")
      program.kill("SIGTERM")
      assert.deepStrictEqual(yield* program.ended, { code: 143, signal: null })
      yield* settle(answers)
    })
  )

  it.scopedLive("that arrives twice at once is one wish", () =>
    Effect.gen(function* () {
      const upstream = yield* startUpstream
      const program = yield* startProgram({
        ...upstream.env,
        ...WITHOUT_TOOLS,
        DATA_DIR: yield* temporaryFolder
      })
      const { finish, open } = holdStreams(upstream)
      const answers = streamsOf(program, 1)
      yield* eventually(
        Effect.sync(() => open.length),
        (count) => count === 1
      )
      program.kill("SIGINT")
      program.kill("SIGINT")
      finish()
      assert.deepStrictEqual(yield* program.ended, { code: 0, signal: null })
      assert.match((yield* settle(answers))[0] ?? "", /\[DONE\]/)
    })
  )
})
