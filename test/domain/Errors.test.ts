import { assert, describe, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import * as Errors from "../../src/domain/Errors.ts"
import type { Failure } from "../../src/domain/Errors.ts"

const { errorBody } = Errors

const upstream = new Errors.UpstreamFailure({
  status: 502,
  type: "upstream_error",
  code: null,
  message: "It failed.",
  param: undefined,
  extra: { metadata: { raw: "why" } },
  detail: "for the operator",
  retryable: true
})

const failures: ReadonlyArray<readonly [Failure, number, string | null]> = [
  [new Errors.InvalidRequest({ message: "Wrong.", param: "model", code: null }), 400, null],
  [new Errors.InvalidRequest({ message: "Wrong.", code: "invalid_json" }), 400, "invalid_json"],
  [new Errors.Unauthorized({ message: "Who?" }), 401, "invalid_api_key"],
  [new Errors.ForeignOrigin({ message: "No." }), 403, "foreign_origin"],
  [new Errors.QuotaExceeded({ message: "Spent." }), 402, "insufficient_quota"],
  [new Errors.ModelForbidden({ message: "Not that one." }), 403, "model_not_allowed"],
  [
    new Errors.RateLimited({ message: "Too many.", type: "requests", retryAfter: 3 }),
    429,
    "rate_limit_exceeded"
  ],
  [new Errors.KeysUnavailable({ detail: "gone" }), 503, "keys_unavailable"],
  [new Errors.PathNotFound({ message: "Nothing here." }), 404, "not_found"],
  [new Errors.MethodNotAllowed({ message: "Not so.", allow: "GET" }), 405, "method_not_allowed"],
  [new Errors.ModelNotFound({ message: "No such model." }), 404, "model_not_found"],
  [new Errors.BodyTimeout({ message: "Too slow." }), 408, "request_timeout"],
  [new Errors.BodyTooLarge({ message: "Too much." }), 413, "request_too_large"],
  [new Errors.UnsupportedMediaType({ message: "Not that." }), 415, "unsupported_media_type"],
  [upstream, 502, null],
  [
    new Errors.MediaFailure({ code: "broken", message: "It cannot be read.", param: "messages[0]" }),
    422,
    "broken"
  ],
  [new Errors.MediaFailure({ code: "busy", message: "Too much to do." }), 503, "busy"],
  [new Errors.ShuttingDown(), 503, "shutting_down"],
  [new Errors.Internal({ detail: "at line 7" }), 500, "internal_error"]
]

describe("the body of an error", () => {
  for (const [failure, status, code] of failures)
    it(`says message, type, param and code of ${failure._tag} (${code})`, () => {
      const body: unknown = JSON.parse(JSON.stringify(errorBody(failure)))
      assert.strictEqual(failure.status, status)
      assert.deepStrictEqual(body, {
        error: {
          message: failure.message,
          type: failure.type,
          param: failure.param ?? null,
          code,
          ...failure.extra
        }
      })
      assert.isAbove(failure.message.length, 0)
      assert.isAbove(failure.type.length, 0)
    })

  it("names every kind of failure in this test", () => {
    const kinds = Object.values(Errors).filter(({ prototype }) => prototype instanceof Error)
    assert.strictEqual(new Set(failures.map(([failure]) => failure._tag)).size, kinds.length)
  })

  it.prop(
    "has the four of OpenAI's, whatever else a provider put beside them",
    [
      fc.dictionary(
        fc.oneof(fc.constantFrom("message", "type", "param", "code", "metadata"), fc.string()),
        fc.jsonValue()
      )
    ],
    ([extra]) => {
      const { error } = errorBody({ ...base, extra })
      assert.deepInclude(error, { message: "It failed.", type: "upstream_error", param: null, code: "oh" })
      for (const [key, value] of Object.entries(extra))
        if (!FOUR.has(key)) assert.deepStrictEqual(Object.getOwnPropertyDescriptor(error, key)?.value, value)
    }
  )

  it("tells nobody what is for the operator", () => {
    const internal = new Errors.Internal({ detail: "at line 7" })
    for (const failure of [upstream, internal, new Errors.KeysUnavailable({ detail: "at line 8" })]) {
      const text = JSON.stringify(errorBody(failure))
      assert.notInclude(text, failure.detail ?? "detail")
    }
  })
})

const base: Failure = {
  _tag: "Any",
  status: 502,
  type: "upstream_error",
  code: "oh",
  message: "It failed.",
  source: "upstream"
}

const FOUR = new Set(["message", "type", "param", "code"])
