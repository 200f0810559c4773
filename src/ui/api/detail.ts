import { call, getJson } from "./client.ts"
import type { Row } from "./rows.ts"
import type { Step } from "./steps.ts"

/** A request with all that is kept of it. */
export interface Detail extends Row {
  /** Calls that were made for it. */
  readonly children: ReadonlyArray<Row>
  readonly request: Body | null
  readonly response: Body | null
  readonly steps: ReadonlyArray<Step>
  readonly media: ReadonlyArray<Sighting>
}

export type Which = "request" | "response"

/** A text as it is kept; `truncated` is its beginning. */
export interface Body {
  readonly text: string
  readonly bytes: number
  readonly truncated: boolean
}

/** What came of one medium of a request. */
export interface Sighting {
  readonly place: number
  readonly kind: string
  /** Where in the request it stood. */
  readonly param: string
  readonly label: string
  /** Its place in the memory. */
  readonly entry: string | null
  readonly remembered: boolean
  readonly ms: number
  readonly failure: string | null
  /** How the model got it: pictures, whole, evidence, description or note. */
  readonly shown: string
}

export const readDetail = (id: string, signal: AbortSignal): Promise<Detail> =>
  getJson(pathOf(id), "internal_request_id", signal)

/** The whole of a text that was too long to be shown at once. */
export const readBody = async (id: string, which: Which): Promise<string> =>
  (await call(bodyPath(id, which))).text()

export const bodyPath = (id: string, which: Which): string => `${pathOf(id)}/body/${which}`

const pathOf = (id: string): string => `/ui/tracking_data/${encodeURIComponent(id)}`
