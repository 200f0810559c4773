import { assert, describe, it } from "@effect/vitest"
import { Either } from "effect"
import { read } from "../../../src/services/AppConfig.ts"
import type { Environment } from "../../../src/services/AppConfig.ts"
import {
  metricsTo,
  resourceOf,
  samplerOf,
  tracesTo
} from "../../../src/services/telemetry/telemetryOptions.ts"

const config = (env: Environment) => Either.getOrThrow(read(env))

const addresses = (env: Environment) => [tracesTo(config(env))?.url.href, metricsTo(config(env))?.url.href]

describe("where telemetry goes", () => {
  it("is nowhere, unless a collector is named and nothing turns it off", () => {
    const OTEL_EXPORTER_OTLP_ENDPOINT = "http://c:4318"
    assert.deepStrictEqual(addresses({}), [undefined, undefined])
    assert.deepStrictEqual(addresses({ OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_SDK_DISABLED: "true" }), [
      ...[undefined, undefined]
    ])
    assert.deepStrictEqual(addresses({ OTEL_EXPORTER_OTLP_ENDPOINT }), [
      ...["http://c:4318/v1/traces", "http://c:4318/v1/metrics"]
    ])
    assert.deepStrictEqual(addresses({ OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_TRACES_EXPORTER: "none" }), [
      ...[undefined, "http://c:4318/v1/metrics"]
    ])
    assert.deepStrictEqual(addresses({ OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_METRICS_EXPORTER: "none" }), [
      ...["http://c:4318/v1/traces", undefined]
    ])
  })

  it("is below the common address, and at an own one as it stands", () => {
    assert.deepStrictEqual(addresses({ OTEL_EXPORTER_OTLP_ENDPOINT: "https://c/otlp/" }), [
      ...["https://c/otlp/v1/traces", "https://c/otlp/v1/metrics"]
    ])
    assert.deepStrictEqual(
      addresses({
        OTEL_EXPORTER_OTLP_ENDPOINT: "http://c",
        OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://traces/here?x=1"
      }),
      ["http://traces/here?x=1", "http://c/v1/metrics"]
    )
    assert.deepStrictEqual(addresses({ OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: "http://metrics/" }), [
      ...[undefined, "http://metrics/"]
    ])
  })

  it("has the headers that were given, and none that are none", () => {
    const to = tracesTo(
      config({
        OTEL_EXPORTER_OTLP_ENDPOINT: "http://me:pass%40word@c:4318",
        OTEL_EXPORTER_OTLP_HEADERS: "X-A=1%2C2, x-b = two ,bad name=x,x-c=line%0Abreak,nothing,=x"
      })
    )
    const { "user-agent": agent, ...headers } = to?.headers ?? {}
    assert.match(agent ?? "", /^percept\/\d/)
    assert.deepStrictEqual(headers, {
      ...{ "x-a": "1,2", "x-b": "two", "content-type": "application/x-protobuf" },
      authorization: `Basic ${Buffer.from("me:pass@word").toString("base64")}`
    })
    assert.strictEqual(to?.url.href, "http://c:4318/v1/traces")
  })

  it("is told whose it is", () => {
    const nameIn = (env: Environment) =>
      resourceOf(config(env), "i").attributes.find(({ key }) => key === "service.name")?.value
    assert.deepStrictEqual(nameIn({}), { stringValue: "percept" })
    const OTEL_RESOURCE_ATTRIBUTES = "service.name=from%20there,x=y"
    assert.deepStrictEqual(nameIn({ OTEL_RESOURCE_ATTRIBUTES }), { stringValue: "from there" })
    assert.deepStrictEqual(nameIn({ OTEL_RESOURCE_ATTRIBUTES, OTEL_SERVICE_NAME: "mine" }), {
      stringValue: "mine"
    })
    const { attributes } = resourceOf(config({ OTEL_RESOURCE_ATTRIBUTES }), "i")
    assert.deepInclude(attributes, { key: "x", value: { stringValue: "y" } })
    assert.deepInclude(attributes, { key: "service.instance.id", value: { stringValue: "i" } })
  })
})

describe("which requests are traced", () => {
  const ids = Array.from({ length: 2000 }, (_, at) =>
    (BigInt(at + 1) * 0x9e3779b97f4a7c15f39cc0605cedc835n).toString(16).padStart(32, "0").slice(-32)
  )
  const share = (env: Environment, parent?: boolean) => {
    const isTraced = samplerOf(config(env))
    return ids.filter((id) => isTraced(id, parent)).length / ids.length
  }

  it("is what the sampler says, and its caller where it is to be asked", () => {
    assert.deepStrictEqual([share({}), share({}, true), share({}, false)], [1, 1, 0])
    const always = { OTEL_TRACES_SAMPLER: "always_on" }
    assert.deepStrictEqual([share(always), share(always, false)], [1, 1])
    const never = { OTEL_TRACES_SAMPLER: "always_off" }
    assert.deepStrictEqual([share(never), share(never, true)], [0, 0])
    const parent = { OTEL_TRACES_SAMPLER: "parentbased_always_off" }
    assert.deepStrictEqual([share(parent), share(parent, true), share(parent, false)], [0, 1, 0])
  })

  it("is a part of them, the same for whoever asks about one", () => {
    const some = { OTEL_TRACES_SAMPLER: "parentbased_traceidratio", OTEL_TRACES_SAMPLER_ARG: "0.25" }
    assert.closeTo(share(some), 0.25, 0.05)
    assert.deepStrictEqual([share(some, true), share(some, false)], [1, 0])
    const [one, two] = [samplerOf(config(some)), samplerOf(config(some))]
    for (const id of ids) assert.strictEqual(one(id, undefined), two(id, undefined))
    const all = { OTEL_TRACES_SAMPLER: "traceidratio" }
    const none = { ...all, OTEL_TRACES_SAMPLER_ARG: "0" }
    assert.deepStrictEqual([share(all), share(none), share(none, true)], [1, 0, 0])
  })
})
