import { SqlClient } from "@effect/sql/SqlClient"
import { Effect, Either } from "effect"
import { InvalidRequest, speaksOllama } from "../../../domain/Errors.ts"
import { mainByDefault, parse } from "../../../domain/record/RecordQuery.ts"
import type { RequestRecord } from "../../../domain/RequestRecord.ts"
import { InFlight } from "../InFlight.ts"
import { ReadDatabase } from "../ReadDatabase.ts"
import { Redaction } from "../Redaction.ts"
import { RecordList } from "./List.ts"
import type { Listed } from "./List.ts"

/** The last requests and those under way, in the words of an earlier system. */
export class EarlierLogs extends Effect.Service<EarlierLogs>()("percept/EarlierLogs", {
  effect: Effect.gen(function* () {
    const going = yield* InFlight
    const lists = yield* RecordList
    const reader = yield* ReadDatabase
    const redaction = yield* Redaction
    const sql = yield* SqlClient

    const list = Effect.fnUntraced(function* (parameters: URLSearchParams) {
      const limit = yield* whole(parameters, "limit", 100, 1, 1000)
      const offset = yield* whole(parameters, "offset", 0, 0, 10_000)
      const service = parameters.get("service_type") ?? ""
      if (!["", "openai", "ollama"].includes(service)) return yield* wrong("service_type", "openai or ollama")
      const query = mainByDefault(yield* parse(new URLSearchParams(), 0))
      const rows = yield* lists.some(
        query,
        offset,
        limit,
        service === "" ? undefined : ({ endpoint }) => serviceOf(endpoint) === service
      )
      const ids = rows.map((row) => row.internal_request_id)
      const sizes =
        ids.length === 0
          ? []
          : yield* reader.rows(
              sql<Sizes>`
          SELECT internal_request_id AS id, octet_length(request_body) AS request,
            octet_length(response_body) AS response
          FROM request_bodies WHERE internal_request_id IN ${sql.in(ids)}`
            )
      const sizesOf = new Map(sizes.map((size) => [size.id, size]))
      return rows
        .filter((row) => service === "" || serviceOf(row.endpoint_called) === service)
        .map((row) => logged(row, sizesOf.get(row.internal_request_id)))
    })

    /** What clients say goes through here before anybody has looked at it. */
    const scrubbed = (text: string | null) => (text === null ? null : redaction.scrub(text))
    const inFlight = Effect.sync(() =>
      going.all().map(({ elapsed, id, row, stage }) => underWay(row, id, elapsed(), stage()))
    )
    const underWay = (row: Readonly<RequestRecord>, id: string, elapsed_ms: number, stage: string) => {
      const known = common(row)
      return {
        ...known,
        id,
        path: redaction.scrub(known.path),
        original_model: scrubbed(known.original_model),
        mapped_model: scrubbed(known.mapped_model),
        elapsed_ms,
        stage
      }
    }

    return { list, inFlight }
  })
}) {}

interface Sizes {
  readonly id: string
  readonly request: number | null
  readonly response: number | null
}

const logged = (row: Listed, size: Sizes | undefined) => ({
  ...common(row),
  id: row.id,
  upstream_url: null,
  provider: row.provider,
  duration_ms: row.processing_duration_ms,
  request_size: size?.request ?? null,
  response_size: size?.response ?? null,
  status_code: row.status_code_returned_to_client,
  completed_at: completedAt(row),
  error_message: row.error_message
})

const common = (row: Readonly<RequestRecord>) => ({
  request_id: row.internal_request_id,
  timestamp: row.timestamp,
  source_ip: row.client_ip,
  method: "POST",
  path: row.endpoint_called,
  service_type: serviceOf(row.endpoint_called),
  original_model: row.model_requested_by_client,
  mapped_model: row.model_routed_to_openrouter
})

const serviceOf = (endpoint: string): "openai" | "ollama" => (speaksOllama(endpoint) ? "ollama" : "openai")

/** Null while it runs. */
const completedAt = (row: RequestRecord): string | null =>
  row.state === "running"
    ? null
    : new Date(Date.parse(row.timestamp) + (row.processing_duration_ms ?? 0)).toISOString()

const whole = (
  parameters: URLSearchParams,
  name: string,
  usual: number,
  least: number,
  most: number
): Either.Either<number, InvalidRequest> => {
  const text = parameters.get(name) ?? ""
  if (text === "") return Either.right(usual)
  const number = /^\d{1,9}$/.test(text) ? Number(text) : -1
  return number >= least && number <= most
    ? Either.right(number)
    : wrong(name, `a whole number from ${least} to ${most}`)
}

const wrong = (name: string, wanted: string): Either.Either<never, InvalidRequest> =>
  Either.left(new InvalidRequest({ message: `'${name}' must be ${wanted}.`, param: name, code: null }))
