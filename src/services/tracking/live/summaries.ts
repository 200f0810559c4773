import * as Money from "../../../domain/Money.ts"
import * as Preview from "../../../domain/record/Preview.ts"
import type { RequestRecord } from "../../../domain/RequestRecord.ts"
import type { Ongoing } from "../InFlight.ts"

/** Takes secrets out of a text. */
export type Scrub = (text: string) => string

/** What may change of a request while it runs, as it was told last. */
export interface Told {
  readonly request: Ongoing
  readonly stage: string
  readonly model: string | null
  readonly routed: string | null
  readonly media: string | null
  readonly firstToken: number | null
}

export const toldOf = (request: Ongoing): Told => ({
  request,
  stage: request.stage(),
  model: request.row.model_requested_by_client,
  routed: request.row.model_routed_to_openrouter,
  media: request.row.media_type_processed,
  firstToken: request.row.time_to_first_token_ms
})

export const isNews = (told: Told | undefined, now: Told): boolean =>
  told === undefined ||
  told.stage !== now.stage ||
  told.model !== now.model ||
  told.routed !== now.routed ||
  told.media !== now.media ||
  told.firstToken !== now.firstToken

/** A request under way: columns under the names of the list, its stage, and how long it has been there. */
export const ongoingSummary = ({ elapsed, row, stage }: Ongoing, scrub: Scrub) => ({
  internal_request_id: row.internal_request_id,
  timestamp: row.timestamp,
  stage: scrub(stage()).slice(0, LONGEST),
  elapsed_ms: elapsed(),
  kind: row.kind,
  parent_request_id: row.parent_request_id,
  endpoint_called: clean(row.endpoint_called, scrub),
  client_ip: row.client_ip,
  key_id: row.key_id,
  model_requested_by_client: clean(row.model_requested_by_client, scrub),
  model_routed_to_openrouter: clean(row.model_routed_to_openrouter, scrub),
  provider: row.provider,
  media_type_processed: row.media_type_processed,
  is_streaming: row.is_streaming,
  time_to_first_token_ms: row.time_to_first_token_ms
})

/** A row that has ended, as the list gives it but for its number, which the database is about to give it. */
export const endedSummary = (row: RequestRecord, scrub: Scrub) => ({
  ...row,
  endpoint_called: clean(row.endpoint_called, scrub),
  model_requested_by_client: clean(row.model_requested_by_client, scrub),
  model_routed_to_openrouter: clean(row.model_routed_to_openrouter, scrub),
  error_message: clean(row.error_message, scrub),
  preview: row.preview === null ? null : Preview.shortened(scrub(row.preview)),
  cost_usd: row.cost_nano_usd === null ? null : row.cost_nano_usd / 1e9,
  cost: row.cost_nano_usd === null ? null : Money.toDollars(row.cost_nano_usd)
})

const clean = <Text extends string | null>(text: Text, scrub: Scrub) =>
  text === null ? null : scrub(text).slice(0, LONGEST)

const LONGEST = 4096
