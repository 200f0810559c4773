import { assert, describe, it } from "@effect/vitest"
import { nameOf, SHAPE_COLUMNS, shapeOf, withoutNames } from "../../../src/domain/record/Shape.ts"
import { rowOf } from "../../support/Rows.ts"

describe("a shape", () => {
  it("is what a row is picked by, as text, and empty where there is nothing", () => {
    const row = rowOf("a", {
      key_id: "k",
      cost_source: "provider",
      is_streaming: 1,
      media_type_processed: "video"
    })
    assert.deepStrictEqual(shapeOf(row), {
      kind: "main",
      state: "done",
      endpoint: "/v1/chat/completions",
      model_requested: "fast",
      model_routed: "vendor/fast",
      provider: "openrouter",
      key_id: "k",
      status: "200",
      error_source: "",
      media: "video",
      streaming: "1",
      cost_source: "provider"
    })
    assert.deepStrictEqual(Object.keys(shapeOf(row)), [...SHAPE_COLUMNS])
  })

  it("is one for rows that differ in nothing that is picked by", () => {
    const same = {
      prompt_tokens: 5,
      preview: "Hi",
      timestamp: "2020-01-01T00:00:00.000Z",
      instance_id: "other"
    }
    assert.strictEqual(nameOf(shapeOf(rowOf("a"))), nameOf(shapeOf(rowOf("b", same))))
    for (const other of [{ provider: null }, { is_streaming: 1 }, { model_requested_by_client: "fas" }])
      assert.notStrictEqual(nameOf(shapeOf(rowOf("a"))), nameOf(shapeOf(rowOf("a", other))))
  })

  it("fits into an index, and no text in it can be mistaken for two", () => {
    const text = "\u{1F40E}\0".repeat(10_000)
    const shape = shapeOf(
      rowOf("a", {
        ...{ endpoint_called: text, model_requested_by_client: text, model_routed_to_openrouter: text },
        ...{ provider: text, key_id: text, media_type_processed: text }
      })
    )
    assert.isBelow(Buffer.byteLength(nameOf(shape)), 2500)
    assert.strictEqual(nameOf(shape).split("\0").length, SHAPE_COLUMNS.length)
    assert.notMatch(nameOf(shape), /\p{Surrogate}/u)
  })

  it("loses what clients think up, and what they do not stays", () => {
    const shape = shapeOf(rowOf("a"))
    const other = { ...shape, model_requested: "(other)", model_routed: "(other)" }
    assert.deepStrictEqual(withoutNames(shape), other)
    const nowhere = shapeOf(
      rowOf("a", { provider: null, model_routed_to_openrouter: null, endpoint_called: "/made/up" })
    )
    assert.deepStrictEqual(withoutNames(nowhere), {
      ...nowhere,
      endpoint: "(other)",
      model_requested: "(other)"
    })
  })
})
