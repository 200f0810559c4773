import type { Failure } from "./Errors.ts"
import type { HeaderList } from "./Exchange.ts"
import type { JsonObject } from "./Json.ts"
import type { Pricing } from "./Pricing.ts"

/** An answer on its way from a provider to a client, in the internal form: bytes, and what they say. */
export interface Reply {
  /** The head of the answer is there: the provider's own number for it, and headers meant for the client. */
  readonly opened: (generation: string | undefined, headers: HeaderList) => void
  /** Said before `opened` where only the answer tells what it will cost; undefined where not even that does. */
  readonly priced?: (pricing: Pricing | undefined) => void
  /** The whole answer at once. */
  readonly whole: (bytes: Buffer, text: string, completion: JsonObject) => void
  /** The same for an answer that is plain text; it is only given to who asks for one. */
  readonly plain?: (bytes: Buffer, contentType: string, said: JsonObject) => void
  /** Whole events of a stream; false asks for a pause until `onDrain` calls back. */
  readonly events: (bytes: Buffer, chunks: ReadonlyArray<JsonObject>) => boolean
  readonly onDrain: (resume: () => void) => void
  /** The stream is complete. */
  readonly end: () => void
  /** An attempt has failed, and there will be another one after so many milliseconds. */
  readonly again?: (failure: Failure, wait: number) => void
}
