import type { Failure } from "../../domain/Errors.ts"
import { endpointKind } from "../../domain/record/EndpointKind.ts"
import type { Step } from "../../domain/record/Step.ts"
import type { RequestBodies, RequestRecord } from "../../domain/RequestRecord.ts"
import type { RequestTrace } from "../../domain/TraceContext.ts"
import * as Money from "../../domain/Money.ts"
import { lastAttemptOf } from "../tracking/lastAttempt.ts"
import type { Recording } from "../tracking/Recording.ts"
import { Steps } from "../tracking/Steps.ts"
import { addressOf, operationOf } from "./genAi.ts"
import { attributesOf, double, KIND, STATUS } from "./otlp.ts"
import type { KeyValue, Span } from "./otlp.ts"
import { contentOf } from "./spanContent.ts"

/** What there is beside the request itself. */
export interface About {
  readonly servers: ReadonlyMap<string, URL>
  /** The words of prompts, answers and errors go along. */
  readonly withContent: boolean
  readonly scrub: (text: string) => string
}

/**
 * The spans of a request that has ended, made of what the record knows of it: itself, its steps one within the other,
 * and each call to a provider. A call made for another request has no span of its own, only those below it.
 */
export const spansOf = (
  recording: Recording,
  trace: RequestTrace,
  bodies: RequestBodies | undefined,
  about: About
): ReadonlyArray<Span> => {
  const { row } = recording
  const steps = stepsOf(recording)
  const whole = row.processing_duration_ms ?? 0
  const epoch = Date.parse(row.timestamp)
  const span = (from: number, to: number, rest: Pick<Span, "spanId" | "parentSpanId" | "name" | "kind">) => ({
    ...{ traceId: trace.traceId, ...rest, ...(trace.state === "" ? {} : { traceState: trace.state }) },
    startTimeUnixNano: `${epoch + from}000000`,
    endTimeUnixNano: `${epoch + Math.max(from, to)}000000`,
    ...NOTHING_MORE
  })
  const above = row.kind === "main" ? trace.spanId : trace.parentId

  const wholeRequest = (): Span => ({
    ...span(0, whole, {
      ...{ spanId: trace.spanId, parentSpanId: trace.parentId, kind: KIND.server },
      name: `${trace.method} ${routeOf(row) ?? ""}`.trim()
    }),
    attributes: rootAttributes(recording, trace),
    status: statusOf(failed(row), recording.failure, about)
  })

  const step = ({ at, ms, name, note, ok, parent }: Step, place: number): Span => ({
    ...span(at, ms === null ? whole : at + ms, {
      ...{ spanId: trace.stepId(place), kind: KIND.internal, name },
      parentSpanId: parent === null ? above : trace.stepId(parent)
    }),
    attributes: attributesOf({
      // What went wrong may quote what was asked.
      "percept.note": note !== null && (ok || about.withContent) ? about.scrub(note) : undefined,
      "error.type": ok ? undefined : "step_failed"
    }),
    status: { code: ok ? STATUS.unset : STATUS.error }
  })

  const calls = steps.all().flatMap(({ name }, place) => (name === "attempt" ? [place] : []))
  const call = ({ at, ms, ok }: Step, place: number): ReadonlyArray<Span> => {
    const nth = calls.indexOf(place)
    const isLast = nth === calls.length - 1
    // The last call that was told of the trace is the last there was.
    const spanId = trace.attemptId(isLast ? Math.max(nth, trace.told() - 1) : nth)
    const stream = isLast ? steps.all()[place + 1] : undefined
    const streaming = stream?.name === "stream" ? stream : undefined
    const failure =
      steps.failureOf(place) ?? (streaming === undefined ? undefined : steps.failureOf(place + 1))
    const end = streaming === undefined ? at + (ms ?? whole - at) : streaming.at + (streaming.ms ?? 0)
    const made: Span = {
      ...span(at, end, {
        ...{ spanId, parentSpanId: above, kind: KIND.client },
        name: `${operationOf(row)} ${about.scrub(row.model_routed_to_openrouter ?? "")}`.trim()
      }),
      attributes: [
        ...callAttributes(row, about, nth),
        ...(failure === undefined ? [] : failureAttributes(failure)),
        ...(isLast ? answerAttributes(row, trace) : []),
        ...(isLast && about.withContent ? contentOf(bodies) : [])
      ],
      status: statusOf(!ok || failure !== undefined, failure, about)
    }
    if (streaming === undefined) return [made]
    const from = {
      spanId: trace.stepId(place + 1),
      parentSpanId: spanId,
      kind: KIND.internal,
      name: "stream"
    }
    return [
      made,
      { ...span(streaming.at, end, from), attributes: [], status: { code: streaming.ok ? 0 : STATUS.error } }
    ]
  }

  return [
    ...(row.kind === "main" ? [wholeRequest()] : []),
    ...steps.all().flatMap((taken, place) => {
      if (taken.name === "attempt") return call(taken, place)
      return taken.name === "stream" || row.kind !== "main" ? [] : [step(taken, place)]
    })
  ]
}

/** Those that were kept, or what there is to tell of a request that had none but to ask. */
const stepsOf = (recording: Recording): Steps => {
  if (recording.steps !== undefined) return recording.steps
  const steps = new Steps()
  steps.finish(lastAttemptOf(recording, recording.failure))
  return steps
}

const rootAttributes = ({ media, row }: Recording, { method }: RequestTrace): ReadonlyArray<KeyValue> =>
  attributesOf({
    "http.request.method": method,
    "http.route": routeOf(row),
    "url.path": row.endpoint_called,
    "http.response.status_code": row.status_code_returned_to_client,
    "client.address": row.client_ip,
    "error.type": row.error_source === null ? undefined : String(row.status_code_returned_to_client),
    "percept.request_id": row.internal_request_id,
    "percept.state": row.state,
    "percept.error_source": row.error_source,
    "percept.model": row.model_requested_by_client,
    "percept.provider": row.provider,
    "percept.route_rule": row.route_rule,
    "percept.key_id": row.key_id,
    "percept.streaming": row.is_streaming === 1,
    "percept.media": media,
    "percept.media_remembered": row.cache_hits
  })

const callAttributes = (row: RequestRecord, { servers }: About, nth: number): ReadonlyArray<KeyValue> =>
  attributesOf({
    "gen_ai.operation.name": operationOf(row),
    "gen_ai.provider.name": row.provider,
    // As it was called before; some who read traces know no other name.
    "gen_ai.system": row.provider,
    "gen_ai.request.model": row.model_routed_to_openrouter,
    ...addressOf(servers.get(row.provider ?? "")),
    "percept.request_id": row.internal_request_id,
    "http.request.resend_count": nth === 0 ? undefined : nth
  })

const answerAttributes = (row: RequestRecord, trace: RequestTrace): ReadonlyArray<KeyValue> => {
  const reasons = trace.finishReasons()
  const first = row.time_to_first_token_ms
  return attributesOf({
    "gen_ai.response.id": row.openrouter_request_id,
    "gen_ai.response.model": trace.model,
    "gen_ai.response.finish_reasons": reasons.length === 0 ? undefined : reasons,
    "gen_ai.response.time_to_first_chunk": first === null ? undefined : double(first / 1000),
    "gen_ai.usage.input_tokens": row.prompt_tokens,
    "gen_ai.usage.output_tokens": row.completion_tokens,
    "gen_ai.usage.cache_read.input_tokens": row.cached_tokens,
    "gen_ai.usage.reasoning.output_tokens": row.reasoning_tokens,
    "percept.cost_usd":
      row.cost_nano_usd === null ? undefined : double(Number(Money.toDollars(row.cost_nano_usd))),
    "percept.cost_source": row.cost_source
  })
}

/** What the provider answered with, where it answered at all. */
const failureAttributes = (failure: Failure): ReadonlyArray<KeyValue> => {
  const status = / answered (\d{3})$|answered (\d{3}):/.exec(failure.detail ?? "")
  const code = failure.code ?? failure.type
  return attributesOf({
    "error.type": /^[\w.-]{1,64}$/.test(code) ? code : String(failure.status),
    "http.response.status_code": status === null ? undefined : Number(status[1] ?? status[2])
  })
}

const statusOf = (isError: boolean, failure: Failure | undefined, { scrub, withContent }: About) => ({
  code: isError ? STATUS.error : STATUS.unset,
  ...(isError && withContent && failure !== undefined
    ? { message: scrub(failure.message).slice(0, 1000) }
    : {})
})

/** A client's own mistake is no failure of the server's. */
const failed = ({ state, status_code_returned_to_client: status }: RequestRecord): boolean =>
  state === "interrupted" || (state === "failed" && (status === null || status < 400 || status >= 500))

const routeOf = ({ endpoint_called: path }: RequestRecord): string | undefined =>
  endpointKind(path) === "other" ? undefined : path

const NOTHING_MORE = {
  ...{ droppedAttributesCount: 0, events: [], droppedEventsCount: 0, links: [], droppedLinksCount: 0 }
}
