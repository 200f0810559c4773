import type { Failure } from "../../domain/Errors.ts"
import type { Step, StepName } from "../../domain/record/Step.ts"

/** How the last attempt went. */
export interface LastAttempt {
  /** When the first one began. */
  readonly asked: number
  /** From then until an answer began; null where none did. */
  readonly latency: number | null
  readonly to: number
  readonly streamed: boolean
  readonly failure: Failure | undefined
}

/** The steps of one request while it lives; all times are milliseconds since it came. */
export class Steps {
  private readonly taken: Array<{ -readonly [Key in keyof Step]: Step[Key] }> = []
  private readonly failures = new Map<number, Failure>()
  private over = false
  /** When the attempt under way began, where it is not the first. */
  private againAt: number | undefined

  /** The place of a step that goes on; null where there are too many already. */
  begin(name: StepName, at: number, parent: number | null): number | null {
    if (this.over || this.taken.length >= MOST) return null
    return this.taken.push({ name, at, ms: null, parent, note: null, ok: true }) - 1
  }

  /** What ends after its request has ended stays as it was then: a work that others wait for may go on for long. */
  end(place: number | null, at: number, ok: boolean, note: string | null): void {
    const step = place === null ? undefined : this.taken[place]
    if (step === undefined || this.over) return
    step.ms = Math.max(0, at - step.at)
    step.ok = ok
    step.note = note === null ? null : note.slice(0, LONGEST_NOTE)
  }

  /** A step that is over already. */
  add(name: StepName, from: number, to: number, failure?: Failure): void {
    const place = this.begin(name, from, null)
    if (place !== null && failure !== undefined) this.failures.set(place, failure)
    this.end(place, to, failure === undefined, failure?.message ?? null)
  }

  /** An attempt came to nothing, and the next one begins after so many milliseconds. */
  again(failure: Failure, asked: number, now: number, wait: number): void {
    this.add("attempt", this.againAt ?? asked, now, failure)
    this.againAt = now + Math.round(wait)
  }

  /** The request is over: what happened after its last way to a provider began, and no more. */
  finish(last: LastAttempt | undefined): void {
    if (last !== undefined) {
      const { asked, failure, latency, streamed, to } = last
      const from = this.againAt ?? asked
      // Whose answer has begun has no further attempt; what went wrong then went wrong with its stream.
      const first = latency === null ? undefined : Math.min(to, Math.max(from, asked + latency))
      this.add("attempt", from, first ?? to, first === undefined ? failure : undefined)
      if (first !== undefined && streamed) this.add("stream", first, to, failure)
    }
    this.over = true
  }

  /** What went wrong in a step that was added when it was over. */
  failureOf(place: number): Failure | undefined {
    return this.failures.get(place)
  }

  all(): ReadonlyArray<Step> {
    return this.taken
  }
}

/** Steps of a request; what comes after them is not kept. */
const MOST = 200

const LONGEST_NOTE = 200
