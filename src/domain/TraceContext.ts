import { arrayField, stringField } from "./Json.ts"
import type { JsonObject } from "./Json.ts"

/** Where a request stands in its caller's trace, as W3C's `traceparent` and `tracestate` say it. */
export interface TraceParent {
  readonly traceId: string
  /** The caller's span. */
  readonly spanId: string
  readonly sampled: boolean
  /** What other systems want passed on; empty where there is nothing. */
  readonly state: string
}

/** What the two headers say; undefined where the first is not valid. */
export const parseTraceParent = (
  header: string,
  state: string | undefined = undefined
): TraceParent | undefined => {
  const [, version = "ff", traceId = "", spanId = "", flags = "", rest] = SHAPE.exec(header) ?? []
  // Later versions may say more; of the first this is all.
  if (version === "ff" || (version === "00" && rest !== undefined)) return undefined
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined
  return {
    ...{ traceId, spanId, sampled: (parseInt(flags, 16) & 1) === 1 },
    state: state !== undefined && isState(state) ? state : ""
  }
}

/** One request's part of a trace while it lives: the names of its spans, and what its answer says of itself. */
export class RequestTrace {
  readonly traceId: string
  /** Its own span; a call made for another request has none, only what is below it. */
  readonly spanId: string
  /** The span it is part of. */
  readonly parentId: string | undefined
  readonly sampled: boolean
  readonly state: string
  /** Of the request. */
  readonly method: string
  /** The model that answers, in its own words. */
  model: string | undefined
  private readonly reasons: Array<string> = []
  private attempts = 0

  constructor(place: Pick<RequestTrace, "traceId" | "spanId" | "parentId" | "sampled" | "state" | "method">) {
    this.traceId = place.traceId
    this.spanId = place.spanId
    this.parentId = place.parentId
    this.sampled = place.sampled
    this.state = place.state
    this.method = place.method
  }

  /** Where a request that is made for this one stands: in a step of it, if that is known. */
  below(spanId: string, step: number | undefined): RequestTrace {
    const parentId = step === undefined ? this.spanId : this.stepId(step)
    return new RequestTrace({ ...this, spanId, parentId })
  }

  /** The span of a step, by its place among the request's steps. */
  stepId(place: number): string {
    return offset(this.spanId, STEPS + place)
  }

  /** The span of a call to a provider; the first is 0. */
  attemptId(nth: number): string {
    return offset(this.spanId, ATTEMPTS + nth)
  }

  /** The `traceparent` of its next call to a provider. */
  nextAttempt(): string {
    return `00-${this.traceId}-${this.attemptId(this.attempts++)}-${this.sampled ? "01" : "00"}`
  }

  /** Calls that were told of the trace so far. */
  told(): number {
    return this.attempts
  }

  /** A whole answer, or a piece of one. */
  hear(said: JsonObject): void {
    this.model ??= stringField(said, "model")?.slice(0, 200)
    for (const choice of arrayField(said, "choices")) {
      const reason = stringField(choice, "finish_reason")
      if (reason !== undefined && this.reasons.length < MOST_REASONS) this.reasons.push(reason.slice(0, 100))
    }
  }

  finishReasons(): ReadonlyArray<string> {
    return this.reasons
  }
}

const SHAPE = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/

/** Members, each a name and a value without control characters, commas or equal signs. */
const isState = (state: string): boolean =>
  state.length <= 512 &&
  state.split(",").length <= 32 &&
  state
    .split(",")
    .every((member) => /^[ \t]*(?:[a-z0-9][a-z0-9_*/@-]{0,255}=[ -+\--<>-~]{1,256}[ \t]*)?$/.test(member))

/** Another id that is as good as random, since the first one is; an id of zeros alone would be none. */
const offset = (id: string, by: number): string => {
  const other = BigInt(`0x${id}`) ^ BigInt(by)
  return other === 0n ? `8${"0".repeat(15)}` : other.toString(16).padStart(16, "0")
}

const STEPS = 1
const ATTEMPTS = 4096

/** Choices of an answer. */
const MOST_REASONS = 16
