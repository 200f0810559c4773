import { Either, Encoding } from "effect"
import { InvalidRequest } from "../Errors.ts"
import { isObject, parseJson } from "../Json.ts"
import { withoutNul } from "../record/RecordQuery.ts"
import type { MediaKind } from "./Media.ts"

/** Which media of the memory are listed. */
export interface ItemQuery {
  readonly words: string
  readonly kind: MediaKind | undefined
  readonly size: number
  /** The last one that has been listed already. */
  readonly after: Place | undefined
}

/** A place in the list, which goes by when media were used last. */
export interface Place {
  readonly usedAt: number
  readonly id: string
}

/** Reads a question about the memory of media. */
export const parse = (parameters: URLSearchParams): Either.Either<ItemQuery, InvalidRequest> => {
  const kind = KINDS.find((known) => known === parameters.get("kind"))
  if (kind === undefined && (parameters.get("kind") ?? "") !== "")
    return wrong("kind", "must be image, video or audio")
  const size = Number(parameters.get("page_size") ?? "50")
  if (!Number.isInteger(size) || size < 1) return wrong("page_size", "must be a whole number from 1 on")
  const words = withoutNul(parameters.get("q") ?? "").trim()
  if (words.length > LONGEST) return wrong("q", `may have ${LONGEST} characters at most`)
  const cursor = parameters.get("cursor") ?? ""
  const after = cursor === "" ? undefined : decode(cursor)
  if (cursor !== "" && after === undefined) return wrong("cursor", "is none of this list")
  return Either.right({ words, kind, size: Math.min(size, MOST), after })
}

/** A place as a word for `cursor`. */
export const encode = ({ id, usedAt }: Place): string =>
  Encoding.encodeBase64Url(JSON.stringify({ u: usedAt, i: id }))

const decode = (word: string): Place | undefined => {
  const text = Either.getOrUndefined(Encoding.decodeBase64UrlString(word))
  const said = text === undefined ? undefined : parseJson(text)
  if (!isObject(said)) return undefined
  const { i: id, u: usedAt } = said
  return typeof id === "string" && typeof usedAt === "number" && Number.isSafeInteger(usedAt)
    ? { id: withoutNul(id), usedAt }
    : undefined
}

const wrong = (param: string, why: string) =>
  Either.left(new InvalidRequest({ message: `'${param}' ${why}.`, param, code: null }))

const KINDS = ["image", "video", "audio"] as const
const LONGEST = 500
const MOST = 100
