import { parametersOf } from "../model/query.ts"
import { call, getJson } from "./client.ts"

/** A medium in the memory, as it is listed. */
export interface Medium {
  readonly id: string
  readonly kind: string
  readonly title: string | null
  readonly site: string | null
  readonly label: string | null
  /** Seconds. */
  readonly duration: number | null
  readonly width: number | null
  readonly height: number | null
  readonly bytes: number
  readonly created_at: number | string
  readonly used_at: number | string
  /** The hash of a picture that stands for it. */
  readonly cover: string | null
  /** The beginning of what is said in it. */
  readonly words: string | null
  /** How many requests had it; in its detail, which. */
  readonly requests: number | ReadonlyArray<Use>
  readonly hits: number
  readonly saved_ms: number
  readonly coverage: string | null
}

export interface MediumDetail extends Medium {
  readonly evidence: Evidence | null
  readonly pictures: ReadonlyArray<Picture>
  readonly descriptions: ReadonlyArray<Description>
  readonly requests: ReadonlyArray<Use>
  readonly can_look_again: boolean
  /** What a model reads of it, where it has room for all. */
  readonly block?: string | null
}

export interface Picture {
  readonly sha256: string
  readonly width: number
  readonly height: number
}

export interface Frame extends Picture {
  readonly time: number
}

/** What a picture shows, in the words of a model. */
export interface Description {
  readonly sha256?: string
  readonly model?: string
  readonly text: string
}

/** A request that had the medium. */
export interface Use {
  readonly internal_request_id: string
  readonly timestamp: string
  readonly model: string | null
  readonly remembered: boolean
  readonly ms: number
}

interface Span {
  readonly from: number
  readonly to: number
}

interface Segment extends Span {
  readonly text: string
}

interface Missed extends Span {
  readonly why: string
}

/** What was seen and heard, or why nothing was. */
export interface Evidence {
  readonly kind: string
  readonly duration?: number
  readonly chapters: ReadonlyArray<{ readonly from: number; readonly title: string }>
  readonly window?: Span
  readonly seen: Seen | Nothing
  readonly heard: Heard | Nothing
}

export interface Seen {
  readonly frames: ReadonlyArray<Frame>
  readonly shots: number
  readonly shotsShown: number
  readonly longestGap: Span
  readonly unseen: ReadonlyArray<Missed>
}

export interface Heard {
  readonly source: string
  readonly model?: string
  readonly language?: string
  readonly segments: ReadonlyArray<Segment>
  readonly sounds: ReadonlyArray<Segment>
  readonly duration: number
  readonly heard: number
  readonly missed: ReadonlyArray<Missed>
}

export interface Nothing {
  readonly nothing: string
}

export interface Media {
  readonly items: ReadonlyArray<Medium>
  readonly next_cursor: string | null
  readonly total_items: number
  readonly total_bytes: number
  readonly limit_bytes: number
}

export const readMedia = (
  q: string,
  kind: string,
  cursor: string | null,
  signal: AbortSignal
): Promise<Media> =>
  getJson(
    `${PATH}?${parametersOf([
      ["q", q],
      ["kind", kind],
      ["cursor", cursor]
    ])}`,
    "items",
    signal
  )

export const readMedium = (id: string, signal: AbortSignal): Promise<MediumDetail> =>
  getJson(pathOf(id), "id", signal)

export const forget = (id: string): Promise<Response> => call(pathOf(id), { method: "DELETE" })

export const lookAgain = (id: string): Promise<Response> => call(`${pathOf(id)}/again`, { method: "POST" })

export const readPicture = async (sha256: string): Promise<Blob> => (await call(`/ui/media/${sha256}`)).blob()

const PATH = "/ui/media_data"

const pathOf = (id: string): string => `${PATH}/${encodeURIComponent(id)}`
