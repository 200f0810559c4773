import { Cause, Effect, Exit, Option, Schedule } from "effect"
import * as Money from "../../domain/Money.ts"
import { Internal, ShuttingDown } from "../../domain/Errors.ts"
import type { Failure } from "../../domain/Errors.ts"
import type { Exchange } from "../../domain/Exchange.ts"
import type { RequestBodies, RequestRecord, RequestState } from "../../domain/RequestRecord.ts"
import { AppConfig } from "../AppConfig.ts"
import { isPassing } from "../Database.ts"
import { makeBatch } from "./Batch.ts"
import { InFlight } from "./InFlight.ts"
import { Instances } from "./Instances.ts"
import { Recording } from "./Recording.ts"
import { Redaction } from "./Redaction.ts"
import { RequestLog } from "./RequestLog.ts"
import { TrackingRepo } from "./TrackingRepo.ts"

/** Keeps the record: opened at admit, closed exactly once, written in small batches off the request's path. */
export class Recorder extends Effect.Service<Recorder>()("percept/Recorder", {
  scoped: Effect.gen(function* () {
    const { enableLogging, logBodyKb } = yield* AppConfig
    const inFlight = yield* InFlight
    const { id: instance } = yield* Instances
    const log = yield* RequestLog
    const redaction = yield* Redaction
    const repo = yield* TrackingRepo
    let failing = false
    let lost = 0
    let ending = false

    /** Runs a request's flow between opening and closing its record; every ending is answered and written here. */
    const recording = <E extends Failure, R>(
      exchange: Exchange,
      flow: (recording: Recording) => Effect.Effect<void, E, R>
    ): Effect.Effect<void, E, R> =>
      Effect.withFiberRuntime((fiber) => {
        const recording = new Recording(exchange, instance, enableLogging ? logBodyKb * 1024 : 0)
        const cutShort = () => {
          recording.cut = true
          fiber.unsafeInterruptAsFork(fiber.id())
        }
        const place = inFlight.enter({ id: exchange.id, cutShort, stage: () => recording.stage })
        queue.add(recording)
        return Effect.onExit(flow(recording), (exit) => {
          inFlight.leave(place)
          return close(recording, exchange, exit)
        })
      })

    const close = (recording: Recording, exchange: Exchange, exit: Exit.Exit<void, Failure>) => {
      const { failure, state } = endingOf(exit, recording.cut)
      if (failure !== undefined) exchange.fail(failure)
      recording.close(state, exchange.status() ?? CLIENT_LEFT, failure)
      if (recording.written) queue.add(recording)
      return failure?.detail === undefined ? Effect.void : tellOperator(failure, exchange.id)
    }

    const tellOperator = (failure: Failure, id: string) => {
      const text = `${failure.message} [${id}] ${redaction.scrub(failure.detail ?? "")}`
      if (failure.source === "router") return Effect.logError(text)
      return failure.code === "upstream_auth_failed" ? Effect.logWarning(text) : Effect.logDebug(text)
    }

    const keep = (recordings: ReadonlyArray<Recording>) => {
      const rows: Array<RequestRecord> = []
      const bodies: Array<RequestBodies> = []
      for (const recording of new Set(recordings)) {
        if (recording.row.state === "running" && recording.elapsed() < YOUNG && !ending) {
          queue.add(recording)
          continue
        }
        recording.written = true
        const { row } = recording
        row.endpoint_called = redaction.scrub(row.endpoint_called)
        row.model_requested_by_client = scrubbed(row.model_requested_by_client)
        row.model_routed_to_openrouter = scrubbed(row.model_routed_to_openrouter)
        row.error_message = scrubbed(row.error_message)
        rows.push(row)
        if (row.state === "running" || !enableLogging) continue
        const body = fitBodies(recording)
        if (!recording.logged) log.write(logLine(row, body))
        recording.logged = true
        if (body.request_body !== null || body.response_body !== null) bodies.push(body)
      }
      if (rows.length === 0) return Effect.void
      return repo.save(rows, bodies).pipe(
        Effect.tapError((error) => {
          if (failing) return Effect.void
          failing = true
          return Effect.logWarning("The record cannot be written; rows wait in memory.", error.cause)
        }),
        Effect.retry({ schedule: PATIENCE, while: isPassing }),
        Effect.catchAll((error) => {
          lost += rows.length
          return Effect.logError(`${rows.length} rows of the record are lost to a bug.`, error.cause)
        }),
        Effect.andThen(() => {
          failing = false
        })
      )
    }

    const queue = yield* makeBatch<Recording>({ every: "20 millis", bound: MOST_WAITING, flush: keep })
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        ending = true
      })
    )

    const scrubbed = (text: string | null) => (text === null ? null : redaction.scrub(text).slice(0, 4096))

    /** One answer that cannot be kept must not cost the others their rows. */
    const fitBodies = (recording: Recording): RequestBodies => {
      try {
        return bodiesOf(recording)
      } catch {
        const { internal_request_id } = recording.row
        return { internal_request_id, request_body: null, response_body: null }
      }
    }

    const bodiesOf = (recording: Recording): RequestBodies => {
      const { rejected, request, row } = recording
      const answer = recording.answerText()
      return {
        internal_request_id: row.internal_request_id,
        request_body:
          request !== undefined
            ? redaction.json(request)
            : rejected !== undefined
              ? redaction.text(Buffer.from(rejected.subarray(0, 16384)).toString("utf8"))
              : null,
        response_body: answer === undefined ? null : redaction.json(answer)
      }
    }

    return { recording, failing: () => failing, dropped: () => lost + queue.dropped() }
  })
}) {}

interface Ending {
  readonly state: RequestState
  readonly failure: Failure | undefined
}

const endingOf = (exit: Exit.Exit<void, Failure>, cut: boolean): Ending => {
  if (Exit.isSuccess(exit)) return { state: "done", failure: undefined }
  const failure = Option.getOrUndefined(Cause.failureOption(exit.cause))
  if (failure !== undefined) return { state: "failed", failure }
  if (!Cause.isInterruptedOnly(exit.cause))
    return { state: "failed", failure: new Internal({ detail: Cause.pretty(exit.cause) }) }
  return cut
    ? { state: "interrupted", failure: new ShuttingDown() }
    : { state: "cancelled", failure: undefined }
}

/** One line of JSON; the bodies are JSON texts already. */
const logLine = (row: RequestRecord, bodies: RequestBodies): string => {
  const head = JSON.stringify({
    time: row.timestamp,
    id: row.internal_request_id,
    endpoint: row.endpoint_called,
    client: row.client_ip,
    key: row.key_id,
    model: row.model_requested_by_client,
    routed_model: row.model_routed_to_openrouter,
    provider: row.provider,
    rule: row.route_rule,
    state: row.state,
    status: row.status_code_returned_to_client,
    stream: row.is_streaming === 1,
    duration_ms: row.processing_duration_ms,
    upstream_ms: row.openrouter_latency_ms,
    first_token_ms: row.time_to_first_token_ms,
    prompt_tokens: row.prompt_tokens,
    completion_tokens: row.completion_tokens,
    cost_usd: row.cost_nano_usd === null ? null : Money.toDollars(row.cost_nano_usd),
    cost_source: row.cost_source,
    error: row.error_message === null ? null : { source: row.error_source, message: row.error_message }
  })
  return `${head.slice(0, -1)},"request":${bodies.request_body ?? "null"},"response":${bodies.response_body ?? "null"}}`
}

/** Milliseconds; who may be done by the next beat is written then, once instead of twice. */
const YOUNG = 20

/** A database that is out of reach is asked again for as long as it takes. */
const PATIENCE = Schedule.union(Schedule.exponential("50 millis"), Schedule.spaced("2 seconds"))

/** The status the record gives a request whose client did not wait for one. */
const CLIENT_LEFT = 499

/** Requests whose rows wait for the database; beyond it rows are lost, and counted. */
const MOST_WAITING = 20_000
