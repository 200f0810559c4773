import * as HttpBody from "@effect/platform/HttpBody"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Logger } from "effect"
import { makeDelivery } from "../../../src/services/telemetry/Delivery.ts"
import { startCollector } from "../../support/Collector.ts"
import { closedPort } from "../../support/Upstream.ts"

const BODY = HttpBody.uint8Array(new Uint8Array([1, 2, 3]), "application/x-protobuf")

const to = (url: string) => ({ url: new URL(url), headers: { "x-a": "b" }, isJson: false, timeout: 2000 })

/** What the operator reads meanwhile. */
const heard = <A, E, R>(work: (lines: ReadonlyArray<string>) => Effect.Effect<A, E, R>) =>
  Effect.suspend(() => {
    const lines: Array<string> = []
    const logger = Logger.make(({ message }) => void lines.push([message].flat().join(" ")))
    return work(lines).pipe(Effect.provide(Logger.replace(Logger.defaultLogger, logger)))
  })

describe("a delivery", () => {
  it.scopedLive("that is not taken for now is tried again, and one that is refused is not", () =>
    heard((lines) =>
      Effect.gen(function* () {
        const collector = yield* startCollector
        const { deliver } = yield* makeDelivery("traces", to(`${collector.url}/v1/traces`))
        collector.answers(503)
        assert.isTrue(yield* deliver(BODY))
        assert.strictEqual(collector.deliveries.length, 2)
        assert.deepStrictEqual(
          collector.deliveries.map(({ body, headers }) => [...body, headers["x-a"]]),
          [
            [1, 2, 3, "b"],
            [1, 2, 3, "b"]
          ]
        )
        assert.deepStrictEqual(lines, [])
        collector.answers(400)
        assert.isFalse(yield* deliver(BODY))
        assert.strictEqual(collector.deliveries.length, 3)
        assert.match(
          lines.join("\n"),
          /^The collector at http:\/\/127\.0\.0\.1:\d+ takes no traces \(status 400\)/
        )
      })
    )
  )

  it.scopedLive(
    "is told of once while nobody takes any, each costing one call, and once when that is over",
    () =>
      heard((lines) =>
        Effect.gen(function* () {
          const collector = yield* startCollector
          const { deliver } = yield* makeDelivery("traces", to(`${collector.url}/v1/traces`))
          collector.answers(400, 503, 503, 400)
          for (let time = 0; time < 4; time++) assert.isFalse(yield* deliver(BODY))
          assert.strictEqual(collector.deliveries.length, 4)
          assert.strictEqual(lines.length, 1)
          assert.isTrue(yield* deliver(BODY))
          assert.isTrue(yield* deliver(BODY))
          assert.deepStrictEqual(
            lines.map((line) => line.replace(/.*\d /, "")),
            ["takes no traces (status 400); they are dropped until it does.", "takes traces again."].map(
              (line) => line.replace(/.*\d /, "")
            )
          )
        })
      )
  )

  it.scopedLive("is not tried again once the router goes down", () =>
    heard((lines) =>
      Effect.gen(function* () {
        const { deliver, hurry } = yield* makeDelivery(
          "metrics",
          to(`http://127.0.0.1:${yield* closedPort}/`)
        )
        hurry()
        assert.isFalse(yield* deliver(BODY))
        assert.match(lines.join("\n"), /takes no metrics \(ECONNREFUSED\)/)
      })
    )
  )
})
