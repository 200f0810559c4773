/** A request under way, as the server tells of it. Texts in it are as hostile as those of rows. */
export interface Ongoing {
  readonly internal_request_id: string
  readonly timestamp: string
  readonly stage: string
  readonly elapsed_ms: number
  readonly kind: string
  readonly parent_request_id: string | null
  readonly endpoint_called: string
  readonly client_ip: string | null
  readonly key_id: string | null
  readonly model_requested_by_client: string | null
  readonly model_routed_to_openrouter: string | null
  readonly provider: string | null
  readonly media_type_processed: string | null
  readonly is_streaming: number
  readonly time_to_first_token_ms: number | null
  /** By this page's clock, in milliseconds: when it came, and when it was last heard to go on. */
  readonly began: number
  readonly stirred: number
}

/** With the times of this page; `known` is what was known of it before. */
export const withTimes = (told: Ongoing, known: Ongoing | undefined, now: number): Ongoing => {
  const isSame = known?.stage === told.stage && known.time_to_first_token_ms === told.time_to_first_token_ms
  return {
    ...told,
    began: known?.began ?? now - (told.elapsed_ms || 0),
    stirred: isSame ? known.stirred : now
  }
}
