import type { JsonObject } from "../Json.ts"

/**
 * How an answer in the internal form is said in another dialect. One speaks for one request: what it has been told so
 * far may decide what it says next.
 */
export interface Voice {
  /** Of a stream. */
  readonly contentType: string
  /** A whole answer. */
  readonly whole: (completion: JsonObject) => string
  /** What goes out for one chunk of a stream; empty where there is nothing to say yet. */
  readonly chunk: (chunk: JsonObject) => string
  /** The end of a stream. */
  readonly end: () => string
  /** A line of progress for clients that asked to see it as a thought; undefined where the dialect has none. */
  readonly thought: ((line: string) => string) | undefined
  /** The same for everybody; undefined where clients know no comments. */
  readonly comment: ((line: string) => string) | undefined
}
