import { has, rowsIn } from "./detail.ts"
import { call, field, getJson } from "./client.ts"

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
  readonly evidence: Evidence | undefined
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
  readonly next: string | undefined
  readonly total: number
  readonly bytes: number
  readonly limit: number
}

export const readMedia = async (
  asked: { readonly q: string; readonly kind: string; readonly cursor?: string | undefined },
  signal: AbortSignal
): Promise<Media> => {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(asked)) if (value) parameters.set(name, value)
  const answer = await getJson(`/ui/media_data?${parameters}`, signal)
  const next = field(answer, "next_cursor")
  return {
    items: rowsIn(answer, "items").filter(has<Medium>("id")),
    next: typeof next === "string" ? next : undefined,
    total: Number(field(answer, "total_items")),
    bytes: Number(field(answer, "total_bytes")),
    limit: Number(field(answer, "limit_bytes"))
  }
}

export const readMedium = async (id: string, signal: AbortSignal): Promise<MediumDetail> => {
  const answer = await getJson(pathOf(id), signal)
  if (!has<Medium>("id")(answer)) throw new Error("The memory's answer cannot be read.")
  const evidence = field(answer, "evidence")
  return {
    ...answer,
    evidence: isEvidence(evidence) ? evidence : undefined,
    pictures: rowsIn(answer, "pictures").filter(has<Picture>("sha256")),
    descriptions: rowsIn(answer, "descriptions").filter(has<Description>("text")),
    requests: rowsIn(answer, "requests").filter(has<Use>("internal_request_id")),
    can_look_again: field(answer, "can_look_again") === true
  }
}

export const forget = (id: string): Promise<Response> => call(pathOf(id), { method: "DELETE" })

export const lookAgain = (id: string): Promise<Response> => call(`${pathOf(id)}/again`, { method: "POST" })

export const readPicture = async (sha256: string, signal: AbortSignal): Promise<Blob> =>
  (await call(`/ui/media/${sha256}`, { signal })).blob()

const pathOf = (id: string): string => `/ui/media_data/${encodeURIComponent(id)}`

/** The server makes sure of the rest. */
const isEvidence = (value: unknown): value is Evidence => Array.isArray(field(value, "chapters"))
