import { Data } from "effect"

/** Who is to blame for a failed request, as the record calls it. */
export type ErrorSource = "client" | "router" | "upstream"

/** What every error of the router carries: enough for OpenAI's error object and for the record. */
export interface Failure {
  readonly _tag: string
  readonly status: number
  readonly type: string
  readonly code: string | null
  readonly message: string
  readonly source: ErrorSource
  readonly param?: string | null | undefined
  /** Seconds after which trying again makes sense. */
  readonly retryAfter?: number | undefined
  /** Methods the path does take, for a 405. */
  readonly allow?: string | undefined
  /** Further fields of an upstream's error object: `metadata`, `availability`, … */
  readonly extra?: Readonly<Record<string, unknown>> | undefined
  /** For the operator alone: what really happened. */
  readonly detail?: string | undefined
}

/** The request itself is wrong: broken JSON, a missing or mistyped field. */
export class InvalidRequest extends Data.TaggedError("InvalidRequest")<{
  readonly message: string
  readonly param?: string | null
  readonly code: string | null
}> {
  readonly status = 400
  readonly type = "invalid_request_error"
  readonly source = "client"
}

/** No key, or one that is not ours. */
export class Unauthorized extends Data.TaggedError("Unauthorized")<{ readonly message: string }> {
  readonly status = 401
  readonly type = "invalid_request_error"
  readonly code = "invalid_api_key"
  readonly source = "client"
}

/** A web page of another origin, or a rebound host name, knocks at a router that is open on loopback. */
export class ForeignOrigin extends Data.TaggedError("ForeignOrigin")<{ readonly message: string }> {
  readonly status = 403
  readonly type = "invalid_request_error"
  readonly code = "foreign_origin"
  readonly source = "client"
}

/** The key's budget does not hold what this request may cost. */
export class QuotaExceeded extends Data.TaggedError("QuotaExceeded")<{ readonly message: string }> {
  readonly status = 402
  readonly type = "insufficient_quota"
  readonly code = "insufficient_quota"
  readonly source = "client"
}

/** The key may not use this model. */
export class ModelForbidden extends Data.TaggedError("ModelForbidden")<{ readonly message: string }> {
  readonly status = 403
  readonly type = "invalid_request_error"
  readonly code = "model_not_allowed"
  readonly param = "model"
  readonly source = "client"
}

/** The key has had all the requests, or all the tokens, of its minute. */
export class RateLimited extends Data.TaggedError("RateLimited")<{
  readonly message: string
  readonly type: "requests" | "tokens"
  readonly retryAfter: number
}> {
  readonly status = 429
  readonly code = "rate_limit_exceeded"
  readonly source = "client"
}

/** Keys and budgets are in a database that does not answer; who cannot be checked is not let in. */
export class KeysUnavailable extends Data.TaggedError("KeysUnavailable")<{ readonly detail: string }> {
  readonly status = 503
  readonly type = "server_error"
  readonly code = "keys_unavailable"
  readonly source = "router"
  readonly retryAfter = 5
  override readonly message = "Keys cannot be checked right now; please send the request again."
}

export class PathNotFound extends Data.TaggedError("PathNotFound")<{ readonly message: string }> {
  readonly status = 404
  readonly type = "invalid_request_error"
  readonly code = "not_found"
  readonly source = "client"
}

export class MethodNotAllowed extends Data.TaggedError("MethodNotAllowed")<{
  readonly message: string
  readonly allow: string
}> {
  readonly status = 405
  readonly type = "invalid_request_error"
  readonly code = "method_not_allowed"
  readonly source = "client"
}

export class ModelNotFound extends Data.TaggedError("ModelNotFound")<{ readonly message: string }> {
  readonly status = 404
  readonly type = "invalid_request_error"
  readonly code = "model_not_found"
  readonly param = "model"
  readonly source = "client"
}

export class BodyTimeout extends Data.TaggedError("BodyTimeout")<{ readonly message: string }> {
  readonly status = 408
  readonly type = "invalid_request_error"
  readonly code = "request_timeout"
  readonly source = "client"
}

export class BodyTooLarge extends Data.TaggedError("BodyTooLarge")<{ readonly message: string }> {
  readonly status = 413
  readonly type = "invalid_request_error"
  readonly code = "request_too_large"
  readonly source = "client"
}

export class UnsupportedMediaType extends Data.TaggedError("UnsupportedMediaType")<{
  readonly message: string
}> {
  readonly status = 415
  readonly type = "invalid_request_error"
  readonly code = "unsupported_media_type"
  readonly source = "client"
}

/** The provider answered with an error, broke off, or said something that is not an answer. */
export class UpstreamFailure extends Data.TaggedError("UpstreamFailure")<{
  readonly status: number
  readonly type: string
  readonly code: string | null
  readonly message: string
  readonly param?: string | null | undefined
  readonly retryAfter?: number | undefined
  readonly extra?: Readonly<Record<string, unknown>> | undefined
  readonly detail?: string | undefined
  /** Whether the same request may succeed when it is sent again. */
  readonly retryable: boolean
}> {
  readonly source = "upstream"
}

/** Why a medium could not be had or understood. */
export type MediaProblem =
  | "unreachable"
  | "too_large"
  | "too_long"
  | "timeout"
  | "not_media"
  | "unsupported"
  | "broken"
  | "tool_missing"
  | "busy"
  | "no_space"

/** A medium failed: `message` is what model and client may read, `detail` what the operator must know. */
export class MediaFailure extends Data.TaggedError("MediaFailure")<{
  readonly code: MediaProblem
  readonly message: string
  readonly param?: string | null
  readonly detail?: string
  /** Whether the same may succeed when it is tried again at once. */
  readonly transient?: boolean
}> {
  readonly source = "client"
  get status() {
    return this.code === "busy" || this.code === "no_space" ? 503 : 422
  }
  /** A request that comes at a bad moment is not an invalid one. */
  get type() {
    return this.status === 503 ? "server_error" : "invalid_request_error"
  }
}

/** The router is going down and this request outlived its grace. */
export class ShuttingDown extends Data.TaggedError("ShuttingDown")<{}> {
  readonly status = 503
  readonly type = "server_error"
  readonly code = "shutting_down"
  readonly source = "router"
  readonly retryAfter = 5
  override readonly message = "The router is shutting down; please send the request again."
}

/** A bug of ours: logged whole, shown as this and no more. */
export class Internal extends Data.TaggedError("Internal")<{ readonly detail: string }> {
  readonly status = 500
  readonly type = "server_error"
  readonly code = "internal_error"
  readonly source = "router"
  override readonly message = "Something went wrong inside the router; its log has the details."
}

/** The JSON body of an error, in OpenAI's shape: `message`, `type`, `param` and `code` always there. */
export const errorBody = (failure: Failure) => ({
  error: {
    ...failure.extra,
    message: failure.message,
    type: failure.type,
    param: failure.param ?? null,
    code: failure.code
  }
})

/** Ollama's clients read a sentence where OpenAI's read an object. */
export const errorText = (path: string, failure: Failure): string =>
  JSON.stringify(speaksOllama(path) ? { error: failure.message } : errorBody(failure))

/** Whether this is one of Ollama's paths; some of the record's start the same way. */
export const speaksOllama = (path: string): boolean =>
  path.startsWith("/api/") && !/^\/api\/(?:logs|stats|inflight|ui)(?:\/|$)/.test(path)
