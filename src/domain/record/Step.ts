/** One thing that was done for a request and took its time; `parent` is the place of the step it was part of. */
export interface Step {
  readonly name: StepName
  /** Milliseconds since the request came. */
  readonly at: number
  /** How long it took; null where it was not over when the request ended. */
  readonly ms: number | null
  readonly parent: number | null
  /** What it was about, in a few plain words. */
  readonly note: string | null
  readonly ok: boolean
}

export type StepName =
  | "read"
  | "perceive"
  | "observe"
  | "wait"
  | "fetch"
  | "probe"
  | "look"
  | "listen"
  | "describe"
  | "render"
  | "attempt"
  | "stream"
