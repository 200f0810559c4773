/** One thing that was done for a request and took its time; `parent` is the place of the step it was part of. */
export interface Step {
  readonly name: string
  /** Milliseconds since the request came. */
  readonly at: number
  /** Null where it was not over when the request ended. */
  readonly ms: number | null
  readonly parent: number | null
  readonly note: string | null
  readonly ok: boolean
}
