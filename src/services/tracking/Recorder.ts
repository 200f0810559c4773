import { Cause, Effect, Exit, Option } from "effect"
import * as Preview from "../../domain/record/Preview.ts"
import { Internal, ShuttingDown } from "../../domain/Errors.ts"
import type { Failure } from "../../domain/Errors.ts"
import type { Exchange } from "../../domain/Exchange.ts"
import type { Trace } from "../../domain/record/Sighting.ts"
import type { RequestBodies, RequestState } from "../../domain/RequestRecord.ts"
import { AppConfig } from "../AppConfig.ts"
import { Meters } from "../Meters.ts"
import { Telemetry } from "../Telemetry.ts"
import { makeBatch } from "./Batch.ts"
import { InFlight } from "./InFlight.ts"
import { Instances } from "./Instances.ts"
import { logLine } from "./logLine.ts"
import { Recording } from "./Recording.ts"
import { Redaction } from "./Redaction.ts"
import { RequestLog } from "./RequestLog.ts"
import { makeRowWriter } from "./RowWriter.ts"
import type { Written } from "./RowWriter.ts"
import { traceOf } from "./traceOf.ts"
import { TrackingRepo } from "./TrackingRepo.ts"

/** Keeps the record: opened at admit, closed exactly once, written in small batches off the request's path. */
export class Recorder extends Effect.Service<Recorder>()("percept/Recorder", {
  scoped: Effect.gen(function* () {
    const { enableLogging, logBodyKb } = yield* AppConfig
    const inFlight = yield* InFlight
    const { id: instance } = yield* Instances
    const log = yield* RequestLog
    const meters = yield* Meters
    const telemetry = yield* Telemetry
    const redaction = yield* Redaction
    const repo = yield* TrackingRepo
    const writer = yield* makeRowWriter(repo)
    let ending = false

    /** Runs a request's flow between opening and closing its record; every ending is answered and written here. */
    const recording = <E extends Failure, R>(
      exchange: Exchange,
      flow: (recording: Recording) => Effect.Effect<void, E, R>
    ): Effect.Effect<void, E, R> =>
      Effect.withFiberRuntime((fiber) => {
        const trace = telemetry.begin(exchange)
        if (trace !== undefined) exchange.trace = trace
        const recording = new Recording(exchange, instance, enableLogging ? logBodyKb * 1024 : 0)
        const cutShort = () => {
          recording.cut = true
          fiber.unsafeInterruptAsFork(fiber.id())
        }
        const place = inFlight.enter({
          id: exchange.id,
          cutShort,
          stage: () => recording.stage,
          row: recording.row,
          elapsed: () => recording.elapsed()
        })
        queue.add(recording)
        return Effect.onExit(flow(recording), (exit) => {
          inFlight.leave(place)
          return close(recording, exchange, exit)
        })
      })

    const close = (recording: Recording, exchange: Exchange, exit: Exit.Exit<void, Failure>) => {
      const { failure, state } = endingOf(exit, recording.cut)
      if (failure !== undefined) exchange.fail(failure)
      recording.failure = failure
      recording.close(state, exchange.status() ?? CLIENT_LEFT, failure)
      inFlight.ended(recording.row)
      if (recording.written) queue.add(recording)
      return failure?.detail === undefined ? Effect.void : tellOperator(failure, exchange.id)
    }

    const tellOperator = (failure: Failure, id: string) => {
      const text = `${failure.message} [${id}] ${redaction.scrub(failure.detail ?? "")}`
      if (failure.source === "router") return Effect.logError(text)
      return failure.code === "upstream_auth_failed" ? Effect.logWarning(text) : Effect.logDebug(text)
    }

    const keep = (recordings: ReadonlyArray<Recording>) => {
      const rows: Array<Written> = []
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
        row.preview = row.preview === null ? null : Preview.shortened(redaction.scrub(row.preview))
        if (row.state === "running") {
          rows.push([row])
          continue
        }
        const body = enableLogging ? fitBodies(recording) : undefined
        if (!recording.told) tell(recording, body)
        const isEmpty = (body?.request_body ?? body?.response_body ?? null) === null
        rows.push([row, isEmpty ? undefined : body, fitTrace(recording)])
      }
      return rows.length === 0 ? Effect.void : writer.save(rows)
    }

    /** Once for each, however often its row has to be written. */
    const tell = (recording: Recording, body: RequestBodies | undefined) => {
      recording.told = true
      if (body !== undefined) log.write(logLine(recording.row, body, recording.failure, redaction.scrub))
      meters.count(recording)
      telemetry.ended(recording, body)
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

    const fitTrace = (recording: Recording): Trace | undefined => {
      if (recording.steps === undefined && recording.sightings === undefined) return undefined
      try {
        return traceOf(recording, redaction)
      } catch {
        return undefined
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

    return { recording, failing: writer.failing, dropped: () => writer.lost() + queue.dropped() }
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

/** Milliseconds; who may be done by the next beat is written then, once instead of twice. */
const YOUNG = 20

/** The status the record gives a request whose client did not wait for one. */
const CLIENT_LEFT = 499

/** Requests between two beats; beyond it their rows are lost, and counted. */
const MOST_WAITING = 20_000
