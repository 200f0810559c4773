import type { MediaRef } from "../media/MediaRef.ts"

/** How a model got a medium. */
export type ShownAs = "pictures" | "whole" | "evidence" | "description" | "note"

/** One medium of a request, and what came of it. */
export interface Sighting {
  readonly kind: MediaRef["kind"]
  /** Where it stands in the request. */
  readonly param: string
  /** Its link, or `data`. */
  readonly label: string
  /** The medium in the memory; null where nothing of it is remembered. */
  readonly entry: string | null
  readonly remembered: boolean
  readonly ms: number
  readonly failure: string | null
  readonly shown: ShownAs
}

/** What is kept of how a request came about, beside its row. */
export interface Trace {
  readonly internal_request_id: string
  /** Its steps as JSON. */
  readonly steps: string | null
  readonly media: ReadonlyArray<Sighting>
}
