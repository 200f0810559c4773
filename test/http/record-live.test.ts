import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Exit, Layer, Logger, LogLevel, Scope } from "effect"
import { HttpServer } from "../../src/http/Server.ts"
import { router as routerLayer } from "../../src/program.ts"
import { AppConfig } from "../../src/services/AppConfig.ts"
import { InFlight } from "../../src/services/tracking/InFlight.ts"
import { LiveFeed } from "../../src/services/tracking/LiveFeed.ts"
import { openEvents } from "../support/EventReader.ts"
import type { EventParser } from "../support/EventReader.ts"
import { startProgram, WITHOUT_TOOLS } from "../support/Program.ts"
import { eventually, startRouter, temporaryFolder } from "../support/Router.ts"
import { rowOf } from "../support/Rows.ts"
import {
  byHand,
  chunk,
  client,
  closedPort,
  HI,
  openStream,
  send,
  sendChat,
  startUpstream
} from "../support/Upstream.ts"

const hello = { model: "percept/inspect", messages: [{ role: "user", content: "hello" }] }

const doneIn = (seen: EventParser) => seen.named("done").map((data) => data["internal_request_id"])

describe("the live feed over HTTP", () => {
  it.scopedLive("shows a request from its first moment to its row, as the list has it", () =>
    Effect.gen(function* () {
      const upstream = yield* startUpstream
      const router = yield* startRouter(upstream.env)
      const { head, seen, until } = yield* openEvents(router.url)
      assert.strictEqual(head.statusCode, 200)
      assert.strictEqual(head.headers["content-type"], "text/event-stream; charset=utf-8")
      assert.strictEqual(head.headers["cache-control"], "no-cache")
      yield* until(({ events }) => events[0]?.name === "snapshot")

      const coming = yield* Effect.fork(byHand(upstream))
      const asking = yield* client(router, { body: JSON.stringify({ ...HI, stream: true }) })
      const response = yield* coming
      const stage = (name: string, more: object) =>
        until((seen) =>
          seen
            .named("stage")
            .some(
              (data) =>
                data["stage"] === name && Object.entries(more).every(([key, value]) => data[key] === value)
            )
        )
      yield* stage("answering", {
        model_requested_by_client: "test/plain",
        is_streaming: 1,
        state: undefined
      })
      const late = yield* openEvents(router.url)
      yield* late.until(({ events }) => events.length > 0)
      const requests = late.seen.events[0]?.data["requests"]
      assert.isTrue(Array.isArray(requests) && requests.length === 1)

      openStream(response)
      response.write(chunk({ content: "Hel" }))
      yield* until((seen) => seen.named("stage").some((data) => data["time_to_first_token_ms"] !== null))
      response.end(chunk({ content: "lo" }) + chunk({}, "stop", { usage: USAGE }) + "data: [DONE]\n\n")
      yield* asking.answer
      yield* until((seen) => doneIn(seen).length === 1)
      yield* router.rows
      const list = yield* send(router, { method: "GET", path: "/ui/tracking_data" })
      const { items } = JSON.parse(list.text) as { readonly items: ReadonlyArray<Record<string, unknown>> }
      const { id: _, shape_id: __, preview: ___, ...listed } = items[0] ?? {}
      assert.deepInclude(seen.named("done")[0], listed)
      assert.strictEqual(listed["cost"], "0.00014")
      assert.deepStrictEqual(doneIn(late.seen), doneIn(seen))
      yield* until((seen) =>
        seen.named("stats").some((data) => data["requests"] === 1 && data["in_flight"] === 0)
      )
    })
  )

  it.scopedLive("loses nothing and repeats nothing for who comes and goes", () =>
    Effect.gen(function* () {
      const router = yield* startRouter({})
      const stays = yield* openEvents(router.url)
      const told: Array<unknown> = []
      const comesAndGoes = Effect.gen(function* () {
        let id = ""
        while (told.length < 120) {
          const before = told.length
          const seen = yield* Effect.scoped(
            Effect.gen(function* () {
              const { until } = yield* openEvents(router.url, id === "" ? {} : { "last-event-id": id })
              return yield* until((seen) => seen.lastEventId !== "" && (id === "" || doneIn(seen).length > 0))
            })
          )
          if (id !== "") assert.deepStrictEqual(seen.named("snapshot"), [])
          told.push(...doneIn(seen))
          id = seen.lastEventId
          assert.isTrue(told.length > before || before === 0)
        }
      })
      const sending = Effect.forEach(Array.from({ length: 120 }), () => sendChat(router, hello), {
        concurrency: 2
      })
      const [got] = yield* Effect.all([sending, comesAndGoes], { concurrency: 2 })
      const ids = got.map(({ headers }) => headers["x-request-id"]).toSorted()
      yield* stays.until((seen) => doneIn(seen).length >= 120)
      assert.deepStrictEqual([...told].toSorted(), ids)
      assert.deepStrictEqual([...doneIn(stays.seen)].toSorted(), ids)
      const numbers = stays.seen.events
        .filter(({ name }) => name === "done" || name === "stage")
        .map(({ id }) => Number(id.split("-")[1]))
      assert.deepStrictEqual(
        numbers,
        numbers.map((_, at) => (numbers[0] ?? 0) + at)
      )
    })
  )

  it.scopedLive("lets in who may see the record, and turns the others away", () =>
    Effect.gen(function* () {
      const router = yield* startRouter({ API_KEYS: "a-good-key" })
      const refused = yield* send(router, { method: "GET", path: "/ui/tracking_live" })
      assert.strictEqual(refused.status, 401)
      const basic = Buffer.from("any:a-good-key").toString("base64")
      const { head } = yield* openEvents(router.url, { authorization: `Basic ${basic}` })
      assert.strictEqual(head.statusCode, 200)
      const off = yield* startRouter({ UI_ENABLED: "false" })
      assert.strictEqual((yield* send(off, { method: "GET", path: "/ui/tracking_live" })).status, 404)
    })
  )

  it.scopedLive("says so where all seats are taken", () =>
    Effect.gen(function* () {
      const router = yield* startRouter({})
      const viewers = yield* Effect.forEach(Array.from({ length: 64 }), () => openEvents(router.url))
      const refused = yield* send(router, { method: "GET", path: "/ui/tracking_live" })
      assert.strictEqual(refused.status, 503)
      assert.include(refused.text, "too_many_viewers")
      assert.strictEqual(refused.headers["retry-after"], "30")
      viewers[0]?.leave()
      yield* eventually(
        Effect.scoped(Effect.map(openEvents(router.url), ({ head }) => head.statusCode)),
        (status) => status === 200
      )
    })
  )

  it.scopedLive("does not hold a router that goes down", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const router = yield* Scope.extend(startRouter({ DRAIN_TIMEOUT: "600" }), scope)
      const viewers = yield* Effect.forEach(Array.from({ length: 5 }), () => openEvents(router.url))
      yield* Effect.timeout(Scope.close(scope, Exit.void), "20 seconds")
      yield* Effect.forEach(viewers, ({ ended }) => ended)
    })
  )

  it.scopedLive("begins anew after the server was killed", () =>
    Effect.gen(function* () {
      const DATA_DIR = yield* temporaryFolder
      const env = { ...WITHOUT_TOOLS, DATA_DIR, LISTEN_PORT: String(yield* closedPort) }
      const first = yield* startProgram(env)
      const { ended, seen, until } = yield* openEvents(first.url)
      const asked = (url: string) =>
        Effect.promise(() =>
          fetch(`${url}/v1/chat/completions`, {
            method: "POST",
            body: JSON.stringify(hello),
            headers: JSON_TYPE
          })
        )
      yield* asked(first.url)
      yield* until((seen) => doneIn(seen).length === 1)
      first.kill("SIGKILL")
      yield* ended
      yield* first.ended
      const second = yield* startProgram(env)
      const again = yield* openEvents(second.url, { "last-event-id": seen.lastEventId })
      yield* asked(second.url)
      yield* again.until((seen) => doneIn(seen).length === 1)
      assert.strictEqual(again.seen.events[0]?.name, "snapshot")
      assert.deepStrictEqual(again.seen.events[0]?.data["requests"], [])
      assert.notStrictEqual(again.seen.events[0]?.data["instance"], seen.events[0]?.data["instance"])
      assert.notStrictEqual(doneIn(again.seen)[0], doneIn(seen)[0])
    })
  )

  it.scopedLive("drops a page that hangs, and no other", () =>
    Effect.gen(function* () {
      const DATA_DIR = yield* temporaryFolder
      const config = AppConfig.layer({ LISTEN_PORT: "0", DATA_DIR, LOG_LEVEL: "none" })
      const quiet = Logger.minimumLogLevel(LogLevel.None)
      const context = yield* Layer.build(routerLayer.pipe(Layer.provideMerge(config), Layer.provide(quiet)))
      const { url } = Context.get(context, HttpServer)
      const [feed, inFlight] = [Context.get(context, LiveFeed), Context.get(context, InFlight)]
      const hanging = yield* openEvents(url)
      const reading = yield* openEvents(url)
      yield* reading.until(({ events }) => events.length > 0)
      hanging.pause()
      let count = 0
      yield* eventually(
        Effect.sync(() => {
          // Few enough for those who read to miss none.
          for (let more = 0; more < 40; more++)
            inFlight.ended(rowOf(`req_${++count}`, { state: "failed", error_message: "x".repeat(4000) }))
          return feed.dropped()
        }),
        (dropped) => dropped === 1
      )
      yield* reading.until((seen) => doneIn(seen).length === count)
      assert.strictEqual(feed.viewers(), 1)
    })
  )
})

const USAGE = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15, cost: 0.00014 }
const JSON_TYPE = { "content-type": "application/json" }
