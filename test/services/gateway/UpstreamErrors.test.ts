import { assert, describe, it } from "@effect/vitest"
import { upstreamErrors } from "../../../src/services/gateway/UpstreamErrors.ts"

const { fromStatus } = upstreamErrors("acme", (text) => text.replaceAll("secret", "[redacted]"))

describe("the reason of an error status", () => {
  const bodies: ReadonlyArray<readonly [string, unknown, string]> = [
    ["OpenAI's", { error: { message: "Too long." } }, "Too long."],
    ["a sentence", { error: "Too long." }, "Too long."],
    ["Gemini's, a list", [{ error: { code: 400, message: "Too long." } }], "Too long."],
    ["that of an object which is the error", { object: "error", message: "Too long." }, "Too long."],
    ["FastAPI's", { detail: "Too long." }, "Too long."],
    [
      "FastAPI's on a field",
      { detail: [{ loc: ["body", "top_k"], msg: "Not a number." }] },
      '[{"loc":["body","top_k"],"msg":"Not a number."}]'
    ],
    [
      "Mistral's on a field",
      { object: "error", message: { detail: [{ msg: "Not a number." }] }, type: "invalid_request_error" },
      '{"detail":[{"msg":"Not a number."}]}'
    ]
  ]
  for (const [whose, body, message] of bodies)
    it(`is read where it is ${whose}`, () =>
      assert.strictEqual(fromStatus(422, JSON.stringify(body), undefined).message, message))

  it("keeps what stands beside it", () => {
    const body = {
      object: "error",
      message: "No such model.",
      type: "NotFoundError",
      param: "model",
      code: 404
    }
    const failure = fromStatus(404, JSON.stringify(body), undefined)
    assert.deepInclude(failure, { type: "NotFoundError", param: "model", code: null, extra: {} })
  })

  it("is not made of what is none", () => {
    const { detail, extra, message } = fromStatus(500, '{"trace":"at main.py:7"}', undefined)
    assert.deepStrictEqual(
      [message, extra, detail],
      [
        "acme answered with status 500 and no reason.",
        undefined,
        'acme answered 500: {"trace":"at main.py:7"}'
      ]
    )
  })

  it("is for the operator alone where it is no JSON, and short, and without secrets", () => {
    for (const status of [422, 401]) {
      const { detail, message } = fromStatus(
        status,
        `<h1>Not the secret door</h1>${"x".repeat(900)}`,
        undefined
      )
      assert.match(
        detail ?? "",
        new RegExp(`^acme answered ${status}: <h1>Not the \\[redacted\\] door</h1>x+$`)
      )
      assert.isBelow(detail?.length ?? 999, 250)
      assert.notInclude(message, "door")
    }
    assert.strictEqual(fromStatus(422, "", undefined).detail, "acme answered 422")
  })
})
