import { assert, describe, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { descriptionOf, entryOf, seeing } from "../../../src/domain/dialects/OllamaModel.ts"
import { arrayField, field } from "../../../src/domain/Json.ts"
import type { JsonObject } from "../../../src/domain/Json.ts"
import type { Model } from "../../../src/domain/Model.ts"
import { OLLAMA_MODELS, showOf, tagOf } from "../../support/OllamaUpstream.ts"

const model = (id: string, entry: JsonObject = {}, provider = "openrouter"): Model => ({
  id,
  provider,
  pricing: undefined,
  entry: { id, ...entry }
})

describe("a model in a list", () => {
  it("is told in Ollama's form, and the same each time", () => {
    const created = { created: 1_790_000_000 }
    assert.deepStrictEqual(entryOf(model("qwen/qwen3-235b-a22b", created), "abc"), {
      name: "qwen/qwen3-235b-a22b",
      model: "qwen/qwen3-235b-a22b:latest",
      modified_at: "2026-09-21T14:13:20.000Z",
      size: 0,
      digest: "abc",
      details: {
        parent_model: "",
        format: "",
        family: "qwen",
        families: ["qwen"],
        parameter_size: "235B",
        quantization_level: ""
      }
    })
  })

  it("has no tag put on it where it has one", () => {
    for (const [id, name] of [
      ["test/plain", "test/plain:latest"],
      ["test/free:free", "test/free:free"],
      ["gpt-4o", "gpt-4o:latest"]
    ] as const) {
      assert.strictEqual(entryOf(model(id), "")["name"], id)
      assert.strictEqual(entryOf(model(id), "")["model"], name)
    }
  })

  it("is of the family of its author, else of its provider's", () => {
    const family = (id: string, provider?: string) =>
      field(entryOf(model(id, {}, provider), "")["details"], "family")
    assert.strictEqual(family("Meta-Llama/Llama-3"), "meta-llama")
    assert.strictEqual(family("gpt-4o", "openai"), "openai")
  })

  it("tells its size where its name does", () => {
    for (const [id, size] of [
      ["a/llama-3.2-3b-instruct", "3B"],
      ["a/smollm2:135m", "135M"],
      ["a/mixtral-8x7b", "8X7B"],
      ["a/phi-3.8B", "3.8B"],
      ["a/gpt-4o", ""],
      ["a/4bit-thing", ""],
      ["a/v2b2", ""]
    ] as const)
      assert.strictEqual(field(entryOf(model(id), "")["details"], "parameter_size"), size, id)
  })

  it("of an Ollama server stands as that told it", () => {
    for (const tag of OLLAMA_MODELS.map(tagOf))
      assert.deepStrictEqual(
        entryOf(model(tag.name, { ...tag, owned_by: "ollama", context_length: 1 }, "ollama"), ""),
        tag
      )
  })

  it("of an Ollama server has its alias for a name where it is told by that", () => {
    for (const tag of OLLAMA_MODELS.map(tagOf))
      assert.deepStrictEqual<unknown>(entryOf(model("gpt-4", tag, "percept"), ""), {
        ...tag,
        name: "gpt-4",
        model: "gpt-4:latest"
      })
  })

  it("has a date, whatever its catalogue takes for one", () =>
    fc.assert(
      fc.property(fc.oneof(fc.double(), fc.maxSafeInteger(), fc.string()), (created) => {
        const { modified_at: date } = entryOf(model("a/b", { created }), "")
        assert.match(String(date), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
      })
    ))
})

describe("a description", () => {
  it("has what the catalogue knows", () => {
    const said = descriptionOf(model("qwen/qwen3-8b", { context_length: 40_960, created: 1 }), true)
    assert.deepStrictEqual(said["model_info"], {
      "general.architecture": "qwen",
      "qwen.context_length": 40_960,
      "general.parameter_count": 8e9
    })
    for (const key of ["modelfile", "parameters", "template", "modified_at"]) assert.isString(said[key])
    assert.strictEqual(field(said["details"], "parameter_size"), "8B")
  })

  it("leaves out what it does not know", () => {
    assert.deepStrictEqual(descriptionOf(model("a/b"), true)["model_info"], { "general.architecture": "a" })
  })

  it("counts the experts of a mixture", () => {
    const info = descriptionOf(model("mistralai/mixtral-8x7b"), true)["model_info"]
    assert.strictEqual(field(info, "general.parameter_count"), 56e9)
  })

  const images = { input_modalities: ["text", "image"], output_modalities: ["text"] }
  const vectors = { input_modalities: ["text"], output_modalities: ["embeddings"] }
  const cases: ReadonlyArray<readonly [string, JsonObject, boolean, ReadonlyArray<string>]> = [
    ["a/b", {}, true, ["completion", "tools", "vision"]],
    ["a/b", {}, false, ["completion", "tools"]],
    ["a/b", { architecture: images }, false, ["completion", "tools", "vision"]],
    ["a/b", { supported_parameters: ["temperature"] }, true, ["completion", "vision"]],
    ["a/b", { supported_parameters: ["tools", "reasoning"] }, false, ["completion", "tools", "thinking"]],
    ["a/b", { architecture: vectors }, true, ["embedding"]],
    ["text-embedding-3-small", {}, true, ["embedding"]],
    ["whisper-1", {}, true, []],
    ["a/embed-reader", { architecture: images }, true, ["completion", "tools", "vision"]]
  ]
  for (const [id, entry, sighted, capabilities] of cases)
    it(`says what ${id} ${JSON.stringify(entry)} can do, ${sighted ? "with" : "without"} our eyes`, () =>
      assert.deepStrictEqual(descriptionOf(model(id, entry), sighted)["capabilities"], capabilities))

  it("of an Ollama server gets eyes, once, where it can talk", () => {
    for (const said of OLLAMA_MODELS.map(showOf)) {
      const seen = seeing(said)
      const talks = said.capabilities.includes("completion")
      assert.deepStrictEqual<unknown>({ ...seen, capabilities: said.capabilities }, said)
      assert.strictEqual(
        arrayField(seen, "capabilities").filter((one) => one === "vision").length,
        talks ? 1 : 0
      )
      assert.includeMembers([...arrayField(seen, "capabilities")], [...said.capabilities])
    }
  })
})
