import { UpstreamFailure } from "../../domain/Errors.ts"
import { field, isObject, numberField, parseJson, stringField } from "../../domain/Json.ts"
import type { JsonObject } from "../../domain/Json.ts"

/** Turns whatever a provider said instead of an answer into one failure the caller can act on. */
export interface UpstreamErrors {
  /** An answer with an error status. */
  readonly fromStatus: (status: number, body: string, retryAfter: string | undefined) => UpstreamFailure
  /** An `error` object inside an answer that looked fine; `begun` once the reply has been told of another part of it. */
  readonly fromObject: (error: unknown, begun?: boolean) => UpstreamFailure
  /** Takes secrets out of a provider's own words. */
  readonly scrub: (text: string) => string
  readonly broken: (message: string, detail?: string) => UpstreamFailure
  /** The connection failed; `begun` once the client has got a byte. */
  readonly fromConnection: (error: Error, begun: boolean) => UpstreamFailure
  readonly timedOut: (begun: boolean, detail?: string) => UpstreamFailure
}

/** `scrub` takes secrets out of a provider's own words. */
export const upstreamErrors = (
  provider: string,
  scrub: (text: string) => string,
  takesClientKeys = false
): UpstreamErrors => {
  const fromStatus = (status: number, body: string, retryAfter: string | undefined) =>
    describe(status, reasonIn(parseJson(body)), { retryAfter: seconds(retryAfter), body })

  const fromObject = (error: unknown, begun = false) => describe(statusOf(error), error, { begun })

  const describe = (
    status: number,
    error: unknown,
    { begun = false, body = "", retryAfter }: Circumstances
  ): UpstreamFailure => {
    const object = typeof error === "string" ? { message: error } : error
    const said = isObject(object) ? scrubbed(object, scrub) : undefined
    const words = said === undefined ? undefined : wordsOf(said)
    const message = words?.trim() === "" ? undefined : words
    const unread = message === undefined ? shortened(body) : ""
    if (!takesClientKeys && (status === 401 || (status === 403 && !isModeration(said))))
      return new UpstreamFailure({
        status: 502,
        type: "upstream_error",
        code: "upstream_auth_failed",
        message: `${provider} did not accept this router's credentials; its operator has to look at them.`,
        detail: `${provider} answered ${status}: ${message ?? (unread || "(no reason)")}`,
        retryable: false
      })
    const kept = status >= 400 && status <= 599 ? status : 502
    const asked = numberField(said?.["availability"], "retry_after")
    const wait = retryAfter ?? (asked === undefined ? undefined : Math.max(0, Math.ceil(asked)))
    return new UpstreamFailure({
      status: kept,
      type: stringField(said, "type") ?? typeFor(kept),
      code: codeOf(said) ?? codeFor(kept),
      message: message ?? `${provider} answered with status ${status} and no reason.`,
      param: stringField(said, "param"),
      retryAfter: wait,
      extra: said === undefined ? undefined : withoutStandardFields(said),
      detail: `${provider} answered ${status}${unread && `: ${unread}`}`,
      retryable:
        !begun &&
        RETRYABLE.has(kept) &&
        field(said?.["availability"], "retryable") !== false &&
        // OpenAI's 429 for an account without money; waiting brings none.
        codeOf(said) !== "insufficient_quota"
    })
  }

  /** Cut after scrubbing, so that no half of a secret is left. */
  const shortened = (body: string): string => scrub(body.slice(0, 2000)).slice(0, 200)

  const broken = (message: string, detail?: string) =>
    new UpstreamFailure({
      status: 502,
      type: "upstream_error",
      code: "bad_upstream_answer",
      message: `${provider} ${message}`,
      detail,
      retryable: false
    })

  const fromConnection = (error: Error, begun: boolean) => {
    const code = "code" in error && typeof error.code === "string" ? error.code : error.name
    const detail = `${provider}: ${code} ${error.message}`
    if (/^UND_ERR_\w+_TIMEOUT$/.test(code)) return timedOut(begun, detail)
    return new UpstreamFailure({
      status: 502,
      type: "upstream_error",
      code: begun ? "upstream_broke_off" : "upstream_unreachable",
      message: begun
        ? `${provider} broke off in the middle of its answer.`
        : `${provider} cannot be reached.`,
      detail,
      retryable: !begun
    })
  }

  const timedOut = (begun: boolean, detail?: string) =>
    new UpstreamFailure({
      status: 504,
      type: "upstream_error",
      code: "upstream_timeout",
      message: begun
        ? `${provider} stopped in the middle of its answer.`
        : `${provider} did not answer in time.`,
      detail,
      retryable: false
    })

  return { fromStatus, fromObject, broken, fromConnection, timedOut, scrub }
}

/** What there is to know of an error beside its own words. */
interface Circumstances {
  readonly begun?: boolean
  readonly body?: string
  readonly retryAfter?: number | undefined
}

/** Where servers say why: OpenAI's `error`, for Gemini in a list; else, as vLLM and FastAPI do, at the top. */
const reasonIn = (value: unknown): unknown => {
  const said: unknown = Array.isArray(value) ? value[0] : value
  if (!isObject(said)) return undefined
  const { code, detail, error, message = detail, param, type } = said
  if (typeof error === "string" || isObject(error)) return error
  return message === undefined || message === null ? undefined : { code, message, param, type }
}

/** A caller can do something about a prompt that was refused, but nothing about our key. */
const isModeration = (error: JsonObject | undefined): boolean => {
  const metadata = error?.["metadata"]
  return (
    isObject(metadata) &&
    ("reasons" in metadata ||
      "flagged_input" in metadata ||
      /moderation|guardrail|content|geo|region/.test(stringField(metadata, "error_type") ?? ""))
  )
}

/** OpenRouter's own words are often only "Provider returned error"; the reason is in `metadata.raw`. */
const wordsOf = (error: JsonObject): string | undefined => {
  const { message: words } = error
  const isText = typeof words === "string" || words === undefined || words === null
  const message = isText ? (words ?? undefined) : JSON.stringify(words).slice(0, 500)
  const raw = field(error["metadata"], "raw")
  if (raw === undefined || (message !== undefined && !/^provider returned error$/i.test(message)))
    return message
  const inner = typeof raw === "string" ? parseJson(raw) : raw
  const reason =
    stringField(field(inner, "error"), "message") ??
    stringField(inner, "message") ??
    stringField(inner, "error") ??
    (typeof raw === "string" ? raw : JSON.stringify(raw))
  return `${message ?? "Provider returned error"}: ${reason.slice(0, 500)}`
}

const statusOf = (error: unknown): number => {
  const code = Number(field(error, "code") ?? field(error, "status"))
  if (Number.isInteger(code) && code >= 400 && code <= 599) return code
  return /rate.?limit/i.test(String(field(error, "code") ?? field(error, "type"))) ? 429 : 502
}

const codeOf = (error: JsonObject | undefined): string | undefined => {
  const code = stringField(error, "code")
  return code !== undefined && !/^\d+$/.test(code) ? code : stringField(error?.["metadata"], "error_type")
}

const typeFor = (status: number): string =>
  status === 402
    ? "insufficient_quota"
    : status === 429
      ? "rate_limit_error"
      : status < 500
        ? "invalid_request_error"
        : "upstream_error"

const codeFor = (status: number): string | null =>
  status === 402
    ? "insufficient_quota"
    : status === 429
      ? "rate_limit_exceeded"
      : status < 500
        ? null
        : "upstream_error"

const withoutStandardFields = ({ code, message, param, type, ...rest }: JsonObject): JsonObject => {
  void [code, message, param, type]
  return rest
}

/** Nothing of an error that is nested beyond all reason is kept. */
const scrubbed = (error: JsonObject, scrub: (text: string) => string): JsonObject | undefined => {
  try {
    const clean = parseJson(scrub(JSON.stringify(error)))
    return isObject(clean) ? clean : undefined
  } catch {
    return undefined
  }
}

/** `Retry-After` in either of its forms, as seconds from now. */
export const seconds = (retryAfter: string | undefined): number | undefined => {
  if (retryAfter === undefined) return undefined
  if (/^\d+(\.\d+)?$/.test(retryAfter.trim())) return Math.ceil(Number(retryAfter))
  const date = Date.parse(retryAfter)
  return Number.isNaN(date) ? undefined : Math.max(0, Math.ceil((date - Date.now()) / 1000))
}

const RETRYABLE = new Set([408, 429, 500, 502, 503, 504, 524, 529])
