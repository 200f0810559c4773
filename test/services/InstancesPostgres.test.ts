import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { ServerResponse } from "node:http"
import { freshDatabase, hasPostgres, sharedPostgres } from "../support/Postgres.ts"
import { startProgram, WITHOUT_TOOLS } from "../support/Program.ts"
import type { Program } from "../support/Program.ts"
import { eventually, temporaryFolder } from "../support/Router.ts"
import { chunk, openStream, startUpstream, USAGE } from "../support/Upstream.ts"

const ask = (program: Program) =>
  fetch(`${program.url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      model: "test/plain",
      stream: true,
      messages: [{ role: "user", content: "Go on." }]
    })
  })
    .then((answer) => answer.text())
    .catch((error: unknown) => `broken: ${String(error)}`)

const END = `${chunk({}, "stop", { usage: USAGE })}data: [DONE]\n\n`

describe.skipIf(!hasPostgres)("two routers on one Postgres", () => {
  const postgres = sharedPostgres()

  it.scopedLive("both write; of the one that is killed, and of it alone, rows become interrupted", () =>
    Effect.gen(function* () {
      const server = yield* postgres
      const url = freshDatabase(server)
      const database = new URL(url).pathname.slice(1)
      const rows = (words: string) =>
        server
          .psql(`SELECT ${words}`, database)
          .split("\n")
          .filter((line) => line !== "")
      const upstream = yield* startUpstream
      upstream.answers((_, response) => {
        openStream(response)
        response.end(END)
      })
      const env = { ...upstream.env, ...WITHOUT_TOOLS, DATABASE_URL: url }
      // Both at once: the database is new to them.
      const [one, other] = yield* Effect.all(
        [
          startProgram({ ...env, DATA_DIR: yield* temporaryFolder }),
          startProgram({ ...env, DATA_DIR: yield* temporaryFolder })
        ],
        { concurrency: "unbounded" }
      )

      const quick = yield* Effect.promise(() =>
        Promise.all(Array.from({ length: 20 }, (_, at) => ask(at % 2 === 0 ? one : other)))
      )
      assert.isTrue(quick.every((text) => text.includes("[DONE]")))
      const open: Array<ServerResponse> = []
      upstream.answers((_, response) => {
        openStream(response)
        response.write(chunk({ content: "so far" }))
        open.push(response)
      })
      const held = [one, other].flatMap((program) => [ask(program), ask(program), ask(program)])
      const running = "count(*) FROM openrouter_requests WHERE state = 'running'"
      yield* eventually(
        Effect.sync(() => rows(running)),
        ([count]) => count === "6"
      )

      one.kill("SIGKILL")
      yield* one.ended
      assert.deepStrictEqual(rows(running), ["6"])
      // Its heart has only just stopped beating, but on this host the process itself is the proof.
      yield* startProgram({ ...env, DATA_DIR: yield* temporaryFolder })
      assert.deepStrictEqual(rows(running), ["3"])
      for (const response of open) response.end(END)
      yield* Effect.promise(() => Promise.all(held))
      yield* eventually(
        Effect.sync(() => rows(running)),
        ([count]) => count === "0"
      )

      const byInstance = "state, count(*) FROM openrouter_requests GROUP BY instance_id, state ORDER BY 1, 2"
      assert.deepStrictEqual(rows(byInstance), ["done|10", "done|13", "interrupted|3"])
      assert.deepStrictEqual(rows("count(*) FROM instances"), ["2"])
      // The sums say the same as the rows.
      const sums = (of: string, end: string) =>
        rows(`${of}, sum(completion_tokens), sum(cost_nano_usd) ${end}`)
      const ended = sums("state, count(*)", "FROM openrouter_requests GROUP BY state ORDER BY state")
      for (const span of [3600, 86_400])
        assert.deepStrictEqual(
          sums(
            "state, sum(requests)",
            `FROM request_rollups JOIN request_shapes ON id = shape_id WHERE span = ${span} GROUP BY state ORDER BY state`
          ),
          ended.map((line) => line.replace(/\|(?=\||$)/g, "|0"))
        )
    })
  )
})
