import { assert, layer } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { parseJson, stringField } from "../../src/domain/Json.ts"
import { startCollector } from "../support/Collector.ts"
import type { Collector } from "../support/Collector.ts"
import { status } from "../support/MediaHost.ts"
import { startPage } from "../support/MediaPage.ts"
import type { Span } from "../support/Otlp.ts"
import { eventually, startRouter } from "../support/Router.ts"
import type { Router, Row } from "../support/Router.ts"
import { film, makeClips, rowsOf, talkie } from "../support/Senses.ts"
import type { Senses } from "../support/Senses.ts"
import { closedPort, json, startUpstream, stream, streamText, UPSTREAM_KEY } from "../support/Upstream.ts"

interface Traced extends Senses {
  readonly collector: Collector
  readonly clips: Readonly<Record<"film.mp4" | "talkie.mp4", Buffer>>
}

/** A router whose traces go to a collector, and media for it. */
class Stage extends Context.Tag("test/Stage")<Stage, Traced>() {}

const Ready = Layer.scoped(
  Stage,
  Effect.gen(function* () {
    const collector = yield* startCollector
    const clips = yield* makeClips({ "film.mp4": film(1), "talkie.mp4": talkie })
    const senses = yield* startPage({
      OTEL_EXPORTER_OTLP_ENDPOINT: `${collector.url}/`,
      OTEL_EXPORTER_OTLP_HEADERS: "X-Team=media%20people,authorization=Bearer%20collector-key",
      OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=test,service.name=other",
      OTEL_SERVICE_NAME: "percept-test",
      ...QUICK,
      UPSTREAM_RETRIES: "2"
    })
    return { ...senses, collector, clips }
  })
)

const QUICK = { OTEL_BSP_SCHEDULE_DELAY: "20", OTEL_METRIC_EXPORT_INTERVAL: "50" }

const CALLER = { trace: "0af7651916cd43dd8448eb211c80319c", span: "b7ad6b7169203331" }
const SECRET = "The cat is called Mirabelle."

layer(Ready, { excludeTestServices: true, timeout: "30 seconds" })("a trace", (it) => {
  it.effect("of a film has all that was done, one within the other, looking and listening at once", () =>
    Effect.gen(function* () {
      const { ask, clips, collector, host, router, upstream } = yield* Stage
      const url = `${host.serve("/talkie.mp4", clips["talkie.mp4"]).href}?token=abcdef123456`
      const answer = yield* ask("test/eyes", `${SECRET} What is said in ${url} ?`, {
        body: { stream: true }
      })
      const traceId = answer.headers.get("x-trace-id") ?? ""
      assert.match(traceId, /^[0-9a-f]{32}$/)
      const spans = yield* traceAt(collector, traceId, 1)
      assert.deepStrictEqual(
        spans.map((span) => `${span.name} < ${nameOf(spans, span.parentId)}`).toSorted(),
        [
          ...["POST /v1/chat/completions < ", "chat test/eyes < POST /v1/chat/completions"],
          ...["fetch < observe", "listen < observe", "look < observe", "observe < perceive"],
          ...["perceive < POST /v1/chat/completions", "probe < observe", "read < POST /v1/chat/completions"],
          ...["render < perceive", "stream < chat test/eyes"]
        ]
      )
      assert.strictEqual(new Set(spans.map(({ spanId }) => spanId)).size, spans.length)
      for (const span of spans) {
        const above = spans.find(({ spanId }) => spanId === span.parentId)
        assert.isTrue(span.from <= span.to, span.name)
        if (above === undefined) continue
        assert.isTrue(above.from <= span.from && span.to <= above.to, `${span.name} leaves ${above.name}`)
      }
      const [look, listen] = [named(spans, "look"), named(spans, "listen")]
      assert.isTrue(look.from < listen.to && listen.from < look.to)
      assert.match(String(look.attributes["percept.note"]), /^\d+ pictures of \d+ moments$/)

      const [row] = (yield* rowsOf({ router }, 1)).slice(-1)
      const root = named(spans, "POST /v1/chat/completions")
      assert.strictEqual(root.kind, 2)
      assert.strictEqual(row?.trace_id, traceId)
      assert.strictEqual((root.to - root.from) / 1_000_000n, BigInt(row?.processing_duration_ms ?? -1))
      assert.strictEqual(root.from / 1_000_000n, BigInt(Date.parse(row?.timestamp ?? "")))
      assert.deepInclude(root.attributes, {
        ...{ "http.request.method": "POST", "http.route": "/v1/chat/completions" },
        ...{ "http.response.status_code": 200, "percept.request_id": row?.internal_request_id },
        ...{ "percept.state": "done", "percept.streaming": true }
      })
      assert.match(String(root.attributes["percept.media"]), /video/)
      const call = named(spans, "chat test/eyes")
      const server = new URL(upstream.url)
      assert.strictEqual(call.kind, 3)
      assert.deepInclude(call.attributes, {
        ...{ "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openrouter" },
        ...{ "gen_ai.system": "openrouter", "gen_ai.request.model": "test/eyes" },
        ...{ "gen_ai.response.model": "test/eyes", "gen_ai.response.id": "gen-1" },
        ...{ "gen_ai.usage.input_tokens": 10, "gen_ai.usage.output_tokens": 5 },
        ...{ "gen_ai.response.finish_reasons": ["stop"], "percept.cost_usd": 0.00014 },
        ...{ "server.address": server.hostname, "server.port": Number(server.port) }
      })
      const first = call.attributes["gen_ai.response.time_to_first_chunk"]
      assert.strictEqual(first, (row?.time_to_first_token_ms ?? -1) / 1000)
      assert.deepStrictEqual(
        spans.map(({ status }) => status),
        spans.map(() => 0)
      )
      assert.deepInclude(root.resource, {
        ...{ "service.name": "percept-test", "deployment.environment.name": "test" },
        "service.instance.id": row?.instance_id
      })
      assert.match(String(root.resource["service.version"]), /^\d+\.\d+/)

      const line = readFileSync(join(router.dataDir, "router.log.json"), "utf8").trim().split("\n").at(-1)
      assert.strictEqual(stringField(parseJson(line ?? ""), "trace"), traceId)
      assert.deepInclude(collector.deliveries[0]?.headers, {
        ...{ "content-type": "application/x-protobuf", "x-team": "media people" },
        authorization: "Bearer collector-key"
      })
    })
  )

  it.effect("goes on where its caller began it, unless the caller's word is none, or is no", () =>
    Effect.gen(function* () {
      const { ask, collector, upstream } = yield* Stage
      const asked = (traceparent: string) =>
        Effect.map(
          ask("test/eyes", "Hi", { headers: { traceparent, tracestate: "vendor=opaque" } }),
          ({ headers }) => headers.get("x-trace-id") ?? ""
        )
      const { span, trace } = CALLER
      assert.strictEqual(yield* asked(`00-${trace}-${span}-01`), trace)
      const spans = yield* traceAt(collector, trace, 1)
      const root = named(spans, "POST /v1/chat/completions")
      assert.deepInclude(root, { parentId: span, state: "vendor=opaque" })
      assert.strictEqual(named(spans, "chat test/eyes").parentId, root.spanId)

      const unsampled = trace.replace("0af7", "1111")
      assert.strictEqual(yield* asked(`00-${unsampled}-${span}-00`), unsampled)
      for (const invalid of [
        ...[`00-${"0".repeat(32)}-${span}-01`, `00-${trace}-${"0".repeat(16)}-01`, `ff-${trace}-${span}-01`],
        ...[`00-${trace.toUpperCase()}-${span}-01`, `00-${trace}-${span}-01-more`, `00-${trace}-${span}`],
        ...["", "nonsense", `00-${trace}-${span}-01, 00-${trace}-${span}-01`]
      ]) {
        const own = yield* asked(invalid)
        assert.match(own, /^[0-9a-f]{32}$/)
        assert.notStrictEqual(own, trace, invalid)
        assert.strictEqual(named(yield* traceAt(collector, own, 1), "POST /v1/chat/completions").parentId, "")
      }
      // Whoever was asked afterwards has been told of; who was not to be traced has not.
      const all = yield* collector.spans
      assert.isFalse(all.some(({ traceId }) => traceId === unsampled))
      for (const { headers } of upstream.received) {
        assert.isUndefined(headers["traceparent"])
        assert.isUndefined(headers["tracestate"])
      }
    })
  )

  it.effect("has each call to a provider, those that failed included, and calls made on behalf", () =>
    Effect.gen(function* () {
      const { ask, clips, collector, host, router, upstream } = yield* Stage
      const before = (yield* router.rowsNow).length
      const overloaded = json(503, { error: { message: `Overloaded by: ${SECRET}` } })
      upstream.once(overloaded, json(429, { error: { message: SECRET, code: SECRET } }))
      const retried = yield* ask("test/eyes", SECRET, { body: { stream: true } })
      const spans = yield* traceAt(collector, retried.headers.get("x-trace-id") ?? "", 1)
      const calls = spans.filter(({ kind }) => kind === 3)
      assert.deepStrictEqual(
        calls.map(({ attributes, status }) => [
          ...[status, attributes["http.response.status_code"], attributes["error.type"]],
          attributes["http.request.resend_count"]
        ]),
        [
          [2, 503, "upstream_error", undefined],
          [2, 429, "429", 1],
          [0, undefined, undefined, 2]
        ]
      )
      for (const [at, { from }] of calls.entries()) assert.isTrue(from >= (calls[at - 1]?.to ?? 0n))

      const url = host.serve("/film.mp4", clips["film.mp4"]).href
      const described = yield* ask("test/blind", url, { headers: { "x-percept-policy": "describe" } })
      const rows = yield* rowsOf({ router }, before + 3)
      const side = rows.filter(({ kind }) => kind === "describe")
      const traceId = described.headers.get("x-trace-id") ?? ""
      assert.isNotEmpty(side)
      assert.deepStrictEqual(
        side.map(({ trace_id }) => trace_id),
        side.map(() => traceId)
      )
      const whole = yield* traceAt(collector, traceId, 1 + side.length)
      const asides = whole.filter(({ name }) => name === "chat test/vision")
      assert.deepStrictEqual(
        asides.map(({ attributes }) => attributes["percept.request_id"]).toSorted(),
        side.map(({ internal_request_id }) => internal_request_id).toSorted()
      )
      for (const { from, parentId, to } of asides) {
        const step = whole.find(({ spanId }) => spanId === parentId)
        const above = whole.find(({ spanId }) => spanId === step?.parentId)
        assert.deepStrictEqual([step?.name, above?.name], ["describe", "describe"])
        // Each request counts its own milliseconds.
        assert.isTrue((step?.from ?? 0n) <= from + 2_000_000n && to <= (step?.to ?? 0n) + 2_000_000n)
      }
      assert.strictEqual(new Set(asides.map(({ parentId }) => parentId)).size, asides.length)

      const gone = `${host.behave("/gone.mp4", status(404)).href}?of=Mirabelle`
      const missed = yield* ask("test/eyes", gone)
      const steps = yield* traceAt(collector, missed.headers.get("x-trace-id") ?? "", 1)
      assert.deepStrictEqual(
        steps.flatMap(({ attributes, kind, name, status }) =>
          kind === 1 && status === 2 ? [[name, attributes["error.type"], attributes["percept.note"]]] : []
        ),
        [
          ["observe", "step_failed", undefined],
          ["fetch", "step_failed", undefined]
        ]
      )

      upstream.once(json(400, { error: { message: SECRET } }))
      const refused = yield* ask("test/eyes", "Hi")
      const failed = yield* traceAt(collector, refused.headers.get("x-trace-id") ?? "", 1)
      assert.deepStrictEqual(
        failed.map(({ message, name, status }) => [name, status, message]),
        [
          ["POST /v1/chat/completions", 0, ""],
          ["chat test/eyes", 2, ""]
        ]
      )
    })
  )

  it.effect("says nothing of what was said, and figures come along", () =>
    Effect.gen(function* () {
      const { collector, router } = yield* Stage
      const rows = yield* router.rows
      const points = yield* eventually(collector.metrics, (points) => countOf(points) === rows.length)
      for (const { attributes, bounds, buckets, count, name, resource } of points) {
        assert.strictEqual(buckets.length, bounds.length + 1, name)
        assert.strictEqual(
          buckets.reduce((sum, bucket) => sum + bucket, 0),
          count
        )
        assert.strictEqual(attributes["gen_ai.provider.name"], "openrouter")
        assert.strictEqual(resource["service.name"], "percept-test")
      }
      const used = (type: string) =>
        points
          .filter((point) => point.attributes["gen_ai.token.type"] === type)
          .reduce((sum, { sum: tokens }) => sum + tokens, 0)
      assert.strictEqual(used("input"), sumOf(rows, "prompt_tokens"))
      assert.strictEqual(used("output"), sumOf(rows, "completion_tokens"))
      assert.isAbove(used("output"), 0)
      assert.include(
        points.map(({ name, unit }) => `${name} ${unit}`),
        "gen_ai.client.operation.time_to_first_chunk s"
      )
      const failed = points.filter(({ attributes }) => attributes["error.type"] === "400")
      assert.deepStrictEqual(
        failed.map(({ count, name }) => [name, count]),
        [["gen_ai.client.operation.duration", 1]]
      )
      const text = collector.deliveries.map(({ body }) => body.toString("latin1")).join("\n")
      assert.include(text, "test/eyes")
      for (const secret of [
        "Mirabelle",
        "abcdef123456",
        "striped",
        "Hello from",
        UPSTREAM_KEY,
        "Good morning"
      ])
        assert.notInclude(text, secret)
    })
  )
})

layer(Layer.empty, { excludeTestServices: true, timeout: "30 seconds" })("the other ways", (it) => {
  it.scoped("JSON, words where they are wanted, and providers that may know", () =>
    Effect.gen(function* () {
      const collector = yield* startCollector
      const upstream = yield* startUpstream
      const router = yield* startRouter({
        ...upstream.env,
        ...QUICK,
        OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${collector.url}/v1/traces`,
        OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
        OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT: "true",
        TRACE_UPSTREAM: "true"
      })
      const { span, trace } = CALLER
      const headers = {
        ...{ "content-type": "application/json", traceparent: `00-${trace}-${span}-01` },
        tracestate: "vendor=opaque"
      }
      const picture = { type: "image_url", image_url: { url: `data:image/png;base64,${"A".repeat(4000)}` } }
      const key = "sk-or-v1-0123456789abcdef"
      const content = [{ type: "text", text: `${SECRET} My key is ${key}` }, picture]
      upstream.once(json(503, { error: { message: SECRET } }), stream(streamText(["Hel", "lo"])))
      const question = { model: "test/plain", stream: true, messages: [{ role: "user", content }] }
      yield* router.post(question, {
        headers: { ...headers, "x-percept-policy": "off" }
      })
      const spans = yield* traceAt(collector, trace, 1)
      const calls = spans.filter(({ kind }) => kind === 3)
      assert.deepStrictEqual(
        upstream.received.map(({ headers }) => [headers["traceparent"], headers["tracestate"]]),
        calls.map(({ spanId }) => [`00-${trace}-${spanId}-01`, "vendor=opaque"])
      )
      assert.strictEqual(calls.length, 2)
      assert.strictEqual(calls[0]?.message, SECRET)
      const asked = parseJson(String(calls[1]?.attributes["gen_ai.input.messages"]))
      const [{ parts: [text, image] = [], role } = { role: "" }] = asked as ReadonlyArray<{
        readonly role: string
        readonly parts?: ReadonlyArray<unknown>
      }>
      assert.strictEqual(role, "user")
      assert.deepStrictEqual(text, { type: "text", content: `${SECRET} My key is [redacted]` })
      assert.isBelow(JSON.stringify(image).length, 400)
      assert.deepStrictEqual(parseJson(String(calls[1]?.attributes["gen_ai.output.messages"])), [
        { role: "assistant", parts: [{ type: "text", content: "Hello" }], finish_reason: "stop" }
      ])
      assert.notInclude(collector.deliveries.map(({ body }) => body.toString()).join(""), key)
      assert.strictEqual(collector.deliveries[0]?.headers["content-type"], "application/json")
    })
  )

  it.scoped("a collector that is gone harms nobody, and its figure tells", () =>
    Effect.gen(function* () {
      const upstream = yield* startUpstream
      const port = yield* closedPort
      const router = yield* startRouter({
        ...upstream.env,
        ...QUICK,
        OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`
      })
      const question = { model: "test/plain", messages: [{ role: "user", content: "Hi" }] }
      const answers = yield* Effect.all(
        Array.from({ length: 20 }, () => router.post(question)),
        { concurrency: 5 }
      )
      for (const { headers, status } of answers) {
        assert.strictEqual(status, 200)
        assert.match(headers.get("x-trace-id") ?? "", /^[0-9a-f]{32}$/)
      }
      const figures = Effect.promise(async () => (await fetch(`${router.url}/metrics`)).text())
      const text = yield* eventually(figures, (text) => /_requests_dropped_total 20$/m.test(text))
      assert.include(text, "percept_telemetry_requests_sent_total 0\n")
    })
  )

  it.scoped("what is left goes out on the way down, and what cannot go holds nobody up", () =>
    Effect.gen(function* () {
      const upstream = yield* startUpstream
      const collector = yield* startCollector
      const env = { ...upstream.env, OTEL_BSP_SCHEDULE_DELAY: "60000" }
      const question = { model: "test/plain", messages: [{ role: "user", content: "Hi" }] }
      const life = (address: string) =>
        Effect.scoped(
          Effect.gen(function* () {
            const router = yield* startRouter({ ...env, OTEL_EXPORTER_OTLP_ENDPOINT: address })
            yield* router.post(question)
          })
        )
      yield* life(collector.url)
      const names = (yield* collector.spans).map(({ name }) => name)
      assert.deepStrictEqual(names, ["POST /v1/chat/completions", "chat test/plain"])
      assert.isNotEmpty(yield* collector.metrics)
      yield* life(`http://127.0.0.1:${yield* closedPort}`)
    })
  )

  it.scoped("words that are many in deliveries that are not too large, and no more than can wait", () =>
    Effect.gen(function* () {
      const collector = yield* startCollector
      const env = {
        ...(yield* startUpstream).env,
        OTEL_BSP_SCHEDULE_DELAY: "60000",
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
        OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT: "true",
        LOG_BODY_KB: "16384"
      }
      const ask = (router: Router, millions: number) => {
        const messages = [{ role: "user", content: "many words ".repeat(millions * 100_000) }]
        return router.post({ model: "test/plain", messages })
      }
      yield* Effect.scoped(
        Effect.gen(function* () {
          const router = yield* startRouter(env)
          for (const millions of [0.3, 0.3, 0.3, 0.3, 10, 10, 10]) yield* ask(router, millions)
          const figures = Effect.promise(async () => (await fetch(`${router.url}/metrics`)).text())
          yield* eventually(figures, (text) => /_requests_dropped_total 1$/m.test(text))
        })
      )
      const sizes = collector.deliveries
        .filter(({ path }) => path === "/v1/traces")
        .map(({ body }) => Math.round(body.length / 1_100_000))
      assert.deepStrictEqual(sizes, [1, 0, 10, 10])
    })
  )

  it.scoped("nothing at all where nothing is set, but for who comes with a trace", () =>
    Effect.gen(function* () {
      const upstream = yield* startUpstream
      const router = yield* startRouter(upstream.env)
      const question = { model: "test/plain", messages: [{ role: "user", content: "Hi" }] }
      const plain = yield* router.post(question)
      assert.isNull(plain.headers.get("x-trace-id"))
      const { span, trace } = CALLER
      const traced = yield* router.post(question, {
        headers: { "content-type": "application/json", traceparent: `00-${trace}-${span}-01` }
      })
      assert.strictEqual(traced.headers.get("x-trace-id"), trace)
      const rows = yield* rowsOf({ router }, 2)
      assert.deepStrictEqual(
        rows.map(({ trace_id }) => trace_id),
        [null, trace]
      )
      for (const { headers } of upstream.received) assert.isUndefined(headers["traceparent"])
    })
  )
})

/** All spans of a trace, once as many requests as belong to it have been told of. */
const traceAt = (collector: Collector, traceId: string, requests: number) =>
  eventually(
    Effect.map(collector.spans, (spans) => spans.filter((span) => span.traceId === traceId)),
    (spans) =>
      spans.some(({ kind }) => kind === 2) &&
      new Set(spans.flatMap(({ attributes }) => attributes["percept.request_id"] ?? [])).size === requests
  )

const named = (spans: ReadonlyArray<Span>, name: string): Span => {
  const [span, another] = spans.filter((span) => span.name === name)
  if (span === undefined || another !== undefined) throw new Error(`not one ${name}`)
  return span
}

const nameOf = (spans: ReadonlyArray<Span>, id: string): string =>
  spans.find(({ spanId }) => spanId === id)?.name ?? ""

const countOf = (points: ReadonlyArray<{ readonly name: string; readonly count: number }>): number =>
  points
    .filter(({ name }) => name === "gen_ai.client.operation.duration")
    .reduce((sum, { count }) => sum + count, 0)

const sumOf = (rows: ReadonlyArray<Row>, column: "prompt_tokens" | "completion_tokens"): number =>
  rows.reduce((sum, row) => sum + (row[column] ?? 0), 0)
