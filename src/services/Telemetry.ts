import * as OtlpSerialization from "@effect/opentelemetry/OtlpSerialization"
import { Clock, Duration, Effect } from "effect"
import type { Layer } from "effect"
import { randomBytes } from "node:crypto"
import type { Exchange } from "../domain/Exchange.ts"
import type { RequestBodies } from "../domain/RequestRecord.ts"
import { parseTraceParent, RequestTrace } from "../domain/TraceContext.ts"
import { AppConfig } from "./AppConfig.ts"
import { makeDelivery } from "./telemetry/Delivery.ts"
import { serversOf } from "./telemetry/genAi.ts"
import { GenAiMetrics } from "./telemetry/GenAiMetrics.ts"
import type { Span } from "./telemetry/otlp.ts"
import { spansOf } from "./telemetry/requestSpans.ts"
import { metricsTo, resourceOf, samplerOf, tracesTo } from "./telemetry/telemetryOptions.ts"
import type { Destination } from "./telemetry/telemetryOptions.ts"
import { makeBatch } from "./tracking/Batch.ts"
import { Instances } from "./tracking/Instances.ts"
import type { Recording } from "./tracking/Recording.ts"
import { Redaction } from "./tracking/Redaction.ts"
import { version } from "./version.ts"

/**
 * Traces and GenAI metrics for a collector of the operator's. A request gets its place in a trace when it comes, and
 * its spans are made of its record when that is written: while it runs it knows nothing of any of this. Without a
 * collector only those are in a trace whose callers say so.
 */
export class Telemetry extends Effect.Service<Telemetry>()("percept/Telemetry", {
  scoped: Effect.gen(function* () {
    const config = yield* AppConfig
    const { id: instance } = yield* Instances
    const { scrub } = yield* Redaction
    const servers = serversOf(config)
    const about = { servers, scrub, withContent: config.captureContent }
    const resource = { ...resourceOf(config, instance), droppedAttributesCount: 0 }
    const sampler = samplerOf(config)
    const toTraces = tracesTo(config)
    const toMetrics = metricsTo(config)
    let sent = 0
    let lost = 0

    const makeTraces = Effect.fnUntraced(function* (destination: Destination) {
      const { deliver, hurry } = yield* makeDelivery("traces", destination)
      const { traces } = yield* OtlpSerialization.OtlpSerialization.pipe(
        Effect.provide(serialization(destination))
      )
      const flush = (requests: ReadonlyArray<ReadonlyArray<Span>>) =>
        Effect.forEach(
          portions(requests),
          (portion) =>
            Effect.map(
              Effect.suspend(() =>
                deliver(
                  traces({
                    resourceSpans: [{ resource, scopeSpans: [{ scope: SCOPE, spans: portion.flat() }] }]
                  })
                )
              ),
              (isTaken) => {
                if (isTaken) sent += portion.length
                else lost += portion.length
              }
            ),
          { discard: true }
        )
      const batch = yield* makeBatch({
        ...{ every: Duration.millis(config.otelSpanDelay), bound: MOST_SPANS * SPAN_SIZE, flush, sizeOf }
      })
      yield* Effect.addFinalizer(() => Effect.sync(hurry))
      return batch
    })

    const makeMetrics = Effect.fnUntraced(function* (destination: Destination) {
      const { deliver, hurry } = yield* makeDelivery("metrics", destination)
      const { metrics: encode } = yield* OtlpSerialization.OtlpSerialization.pipe(
        Effect.provide(serialization(destination))
      )
      const genAi = new GenAiMetrics(servers)
      const send = Effect.flatMap(Clock.currentTimeMillis, (now) => {
        const metrics = genAi.collect(now)
        if (metrics === undefined) return Effect.void
        const scopeMetrics = [{ scope: SCOPE, metrics }]
        return Effect.asVoid(deliver(encode({ resourceMetrics: [{ resource, scopeMetrics }] })))
      })
      const every = Duration.millis(config.otelMetricInterval)
      yield* Effect.addFinalizer(() =>
        Effect.suspend(() => {
          hurry()
          return Effect.ignore(Effect.timeout(Effect.disconnect(Effect.interruptible(send)), LAST_WORDS))
        })
      )
      // A bug in a delivery costs that delivery.
      yield* Effect.forkScoped(
        Effect.forever(Effect.delay(Effect.catchAllDefect(send, Effect.logError), every))
      )
      return genAi
    })

    const traces = toTraces === undefined ? undefined : yield* makeTraces(toTraces)
    const metrics = toMetrics === undefined ? undefined : yield* makeMetrics(toMetrics)

    /** The place of a request that has just come; undefined where nobody traces it. */
    const begin = (exchange: Exchange): RequestTrace | undefined => {
      if (exchange.trace !== undefined) return exchange.trace
      const header = exchange.header("traceparent")
      if (header === undefined && traces === undefined) return undefined
      const caller =
        header === undefined ? undefined : parseTraceParent(header, exchange.header("tracestate"))
      if (caller === undefined && traces === undefined) return undefined
      const traceId = caller?.traceId ?? freshId(16)
      const isSampled = traces === undefined ? caller?.sampled : sampler(traceId, caller?.sampled)
      return new RequestTrace({
        ...{ traceId, spanId: freshId(8), parentId: caller?.spanId, state: caller?.state ?? "" },
        ...{ sampled: isSampled === true, method: exchange.method }
      })
    }

    /** A request has ended, and its texts are fit to be shown. */
    const ended = (recording: Recording, bodies: RequestBodies | undefined): void => {
      const { row, trace } = recording
      metrics?.count(row, recording.listedAs ?? "other")
      if (traces === undefined || trace === undefined || !trace.sampled) return
      try {
        traces.add(spansOf(recording, trace, bodies, about))
      } catch {
        lost++
      }
    }

    return { begin, ended, sent: () => sent, lost: () => lost + (traces?.dropped() ?? 0) }
  })
}) {}

/** A name for a trace or a span that nobody else has. */
export const freshSpanId = (): string => freshId(8)

const freshId = (bytes: number): string => randomBytes(bytes).toString("hex")

const serialization = ({ isJson }: Destination): Layer.Layer<OtlpSerialization.OtlpSerialization> =>
  isJson ? OtlpSerialization.layerJson : OtlpSerialization.layerProtobuf

/** No call with more spans than a collector takes at once, and no request torn apart. */
const portions = (
  requests: ReadonlyArray<ReadonlyArray<Span>>
): ReadonlyArray<ReadonlyArray<ReadonlyArray<Span>>> => {
  const found: Array<Array<ReadonlyArray<Span>>> = []
  let room = 0
  for (const spans of requests) {
    const size = sizeOf(spans)
    if (room < size || found.length === 0) {
      found.push([])
      room = SPANS_AT_ONCE * SPAN_SIZE
    }
    found.at(-1)?.push(spans)
    room -= size
  }
  return found
}

/** Characters, where there are many; a span is not nothing without them. */
const sizeOf = (spans: ReadonlyArray<Span>): number => {
  let size = 0
  for (const { attributes } of spans) {
    let characters = 0
    for (const { value } of attributes) if ("stringValue" in value) characters += value.stringValue.length
    size += Math.max(characters, SPAN_SIZE)
  }
  return size
}

const SCOPE = { name: "percept", version }

const SPANS_AT_ONCE = 256

/** Characters of an ordinary span. */
const SPAN_SIZE = 4096

/** Spans that wait for the collector; beyond it whole requests are dropped, and counted. */
const MOST_SPANS = 8192

const LAST_WORDS = Duration.seconds(3)
