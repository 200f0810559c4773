import type { RequestRecord } from "../../domain/RequestRecord.ts"
import { observe, Registry } from "../metrics/Registry.ts"
import type { Family } from "../metrics/Registry.ts"
import { addressOf, operationOf } from "./genAi.ts"
import { attributesOf, CUMULATIVE } from "./otlp.ts"

/** The metrics of the GenAI conventions, as OpenTelemetry wants them; buckets are those of the conventions. */
export class GenAiMetrics {
  private readonly registry = new Registry()
  private readonly startedAt = `${Date.now()}000000`
  private readonly servers: ReadonlyMap<string, URL>

  constructor(servers: ReadonlyMap<string, URL>) {
    this.servers = servers
  }

  count(row: RequestRecord, model: string): void {
    const { provider } = row
    if (provider === null || provider === "percept") return
    const labels = [operationOf(row), provider, model]
    const error = row.error_source === null ? "" : String(row.status_code_returned_to_client)
    const observing = (family: Family, value: number, more: string) =>
      observe(this.registry.histogram(family, ...labels, more), value)
    observing(DURATION, (row.processing_duration_ms ?? 0) / 1000, error)
    if (row.time_to_first_token_ms !== null) observing(FIRST_CHUNK, row.time_to_first_token_ms / 1000, error)
    if (row.prompt_tokens !== null) observing(TOKENS, row.prompt_tokens, "input")
    if (row.completion_tokens !== null) observing(TOKENS, row.completion_tokens, "output")
  }

  /** All there is so far, in the protocol's form; undefined where there is nothing. */
  collect(now: number): ReadonlyArray<unknown> | undefined {
    const metrics = FAMILIES.flatMap((family) => {
      const { series } = this.registry.collect(family)
      const dataPoints = series.flatMap(({ labels, value }) =>
        typeof value === "number"
          ? []
          : [
              {
                attributes: this.attributes(family, labels),
                startTimeUnixNano: this.startedAt,
                timeUnixNano: `${now}000000`,
                count: value.count,
                sum: value.sum,
                bucketCounts: [...value.counts],
                explicitBounds: value.bounds
              }
            ]
      )
      const histogram = { dataPoints, aggregationTemporality: CUMULATIVE }
      const unit = family === TOKENS ? "{token}" : "s"
      return dataPoints.length === 0 ? [] : [{ name: family.name, description: family.help, unit, histogram }]
    })
    return metrics.length === 0 ? undefined : metrics
  }

  private attributes({ labels: names }: Family, values: ReadonlyArray<string>) {
    const pairs = names.map((name, at) => [name, values[at] === "" ? undefined : values[at]] as const)
    return attributesOf({ ...Object.fromEntries(pairs), ...addressOf(this.servers.get(values[1] ?? "")) })
  }
}

const family = (name: string, help: string, last: string, bounds: ReadonlyArray<number>): Family => ({
  ...{ name, help, type: "histogram", bounds },
  labels: ["gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.request.model", last]
})

const doubling = (first: number, factor: number, count: number): ReadonlyArray<number> =>
  Array.from({ length: count }, (_, at) => Number((first * factor ** at).toPrecision(12)))

const DURATION = family(
  "gen_ai.client.operation.duration",
  "How long a request to a model took.",
  "error.type",
  doubling(0.01, 2, 14)
)
const TOKENS = family(
  "gen_ai.client.token.usage",
  "Tokens of a request to a model.",
  "gen_ai.token.type",
  doubling(1, 4, 14)
)
const FIRST_CHUNK = family(
  "gen_ai.client.operation.time_to_first_chunk",
  "From a request to the first piece of its streamed answer.",
  "error.type",
  [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]
)
const FAMILIES = [DURATION, TOKENS, FIRST_CHUNK]
