import { Effect } from "effect"
import { endpointKind } from "../domain/record/EndpointKind.ts"
import * as Money from "../domain/Money.ts"
import type { RequestRecord } from "../domain/RequestRecord.ts"
import type { StepName } from "../domain/record/Step.ts"
import { COUNTED } from "./metrics/families.ts"
import { observe, Registry } from "./metrics/Registry.ts"
import type { Collected, Counter, Family, Histogram } from "./metrics/Registry.ts"
import type { Recording } from "./tracking/Recording.ts"

/**
 * Counts what has ended, for `/metrics`: told by whoever writes the record, off every request's path. Models are told
 * apart only where a catalogue lists them, and so many of them; what a client makes up is never a label.
 */
export class Meters extends Effect.Service<Meters>()("percept/Meters", {
  sync: () => {
    const registry = new Registry()
    const known = new Map<string, Cells>()
    const models = new Set<string>()

    const count = (recording: Ended): void => {
      const { row } = recording
      const cells = cellsOf(row, modelLabel(recording.listedAs))
      cells.requests.value++
      if (cells.errors !== undefined) cells.errors.value++
      observe(cells.duration, seconds(row.processing_duration_ms))
      if (row.time_to_first_token_ms !== null)
        observe(cells.firstToken(), seconds(row.time_to_first_token_ms))
      countUse(row, cells)
      if (recording.upstreamAt > 0 && row.provider !== "percept") {
        const before = recording.upstreamAt - recording.startedAt - (row.media_ms ?? 0)
        observe(cells.overhead(), Math.max(0, before) / 1000)
      }
      if (recording.steps !== undefined) countSteps(recording.steps.all(), row.provider ?? "")
      for (const { failure, kind, remembered } of recording.sightings ?? []) {
        const family =
          failure !== null ? COUNTED.mediaFailures : remembered ? COUNTED.mediaHits : COUNTED.mediaMisses
        registry.counter(family, kind).value++
      }
    }

    const countUse = (row: RequestRecord, cells: Cells): void => {
      const { cached_tokens, completion_tokens, cost_nano_usd, prompt_tokens, reasoning_tokens } = row
      if (prompt_tokens !== null) cells.input().value += prompt_tokens
      if (completion_tokens !== null) cells.output().value += completion_tokens
      if (cached_tokens !== null) cells.cached().value += cached_tokens
      if (reasoning_tokens !== null) cells.reasoning().value += reasoning_tokens
      if (cost_nano_usd !== null) {
        const cost = row.cost_source === "provider" ? cells.charged() : cells.estimated()
        cost.value += cost_nano_usd
      } else if (row.openrouter_latency_ms !== null) cells.unpriced().value++
    }

    const countSteps = (
      steps: ReadonlyArray<{
        readonly name: StepName
        readonly ms: number | null
        readonly parent: number | null
        readonly ok: boolean
      }>,
      provider: string
    ): void => {
      let attempts = 0
      for (const { ms, name, ok, parent } of steps) {
        if (name === "attempt") attempts++
        // A description is told once, not once more for each of its calls.
        const isPart = name === "describe" && parent !== null && steps[parent]?.name === "describe"
        if (ms !== null && MEDIA_STEPS.has(name) && !isPart)
          observe(registry.histogram(COUNTED.mediaStep, name, ok ? "ok" : "failed"), ms / 1000)
      }
      if (attempts > 1) registry.counter(COUNTED.retries, provider).value += attempts - 1
    }

    /** The series that a request is counted in, found by one look. */
    const cellsOf = (row: RequestRecord, model: string): Cells => {
      const { error_source, kind, provider: named, state, status_code_returned_to_client: status } = row
      const endpoint = endpointKind(row.endpoint_called)
      const provider = named ?? "none"
      const key = `${kind} ${endpoint} ${provider} ${status} ${state} ${error_source} ${model}`
      let cells = known.get(key)
      if (cells !== undefined) return cells
      const statusClass = status === null ? "none" : `${Math.floor(status / 100)}xx`
      const counter = (family: Family, ...labels: ReadonlyArray<string>) =>
        once(() => registry.counter(family, ...labels))
      cells = {
        requests: registry.counter(COUNTED.requests, kind, endpoint, provider, statusClass, state),
        errors:
          error_source === null
            ? undefined
            : registry.counter(COUNTED.errors, endpoint, provider, error_source),
        duration: registry.histogram(COUNTED.duration, endpoint, provider),
        firstToken: once(() => registry.histogram(COUNTED.firstToken, provider)),
        overhead: once(() => registry.histogram(COUNTED.overhead, endpoint)),
        input: counter(COUNTED.tokens, provider, model, "input"),
        output: counter(COUNTED.tokens, provider, model, "output"),
        cached: counter(COUNTED.tokens, provider, model, "cached"),
        reasoning: counter(COUNTED.tokens, provider, model, "reasoning"),
        charged: counter(COUNTED.cost, provider, model, "provider"),
        estimated: counter(COUNTED.cost, provider, model, "estimated"),
        unpriced: counter(COUNTED.unpriced, provider)
      }
      if (known.size < MOST_CELLS) known.set(key, cells)
      return cells
    }

    const modelLabel = (listed: string | undefined): string => {
      if (listed === undefined) return OTHER
      if (models.has(listed)) return listed
      if (models.size >= MOST_MODELS) return OTHER
      models.add(listed)
      return listed
    }

    const collect = (): ReadonlyArray<Collected> =>
      Object.values(COUNTED).map((family) =>
        family === COUNTED.cost ? inDollars(registry.collect(family)) : registry.collect(family)
      )

    return { count, collect }
  }
}) {}

/** What is counted of a request that has ended. */
export type Ended = Pick<Recording, "row" | "listedAs" | "startedAt" | "upstreamAt" | "steps" | "sightings">

interface Cells {
  readonly requests: Counter
  readonly errors: Counter | undefined
  readonly duration: Histogram
  readonly firstToken: () => Histogram
  readonly overhead: () => Histogram
  readonly input: () => Counter
  readonly output: () => Counter
  readonly cached: () => Counter
  readonly reasoning: () => Counter
  /** In nano-dollars, so that small sums do not get lost in large ones. */
  readonly charged: () => Counter
  readonly estimated: () => Counter
  readonly unpriced: () => Counter
}

const inDollars = ({ family, series }: Collected): Collected => ({
  family,
  series: series.map(({ labels, value }) => ({
    labels,
    value: typeof value === "number" ? Number(Money.toDollars(value)) : value
  }))
})

const once = <A>(make: () => A) => {
  let made: A | undefined
  return () => (made ??= make())
}

const seconds = (millis: number | null): number => (millis ?? 0) / 1000

const MEDIA_STEPS: ReadonlySet<StepName> = new Set<StepName>([
  ...(["perceive", "observe", "wait", "fetch", "probe", "look", "listen", "describe", "render"] as const)
])

/** What models are called that no catalogue has, or that come after so many others. */
const OTHER = "other"
const MOST_MODELS = 200

/** Kinds of requests whose series are at hand; others are found all the same. */
const MOST_CELLS = 5000
