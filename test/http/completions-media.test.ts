import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { arrayField, field, parseJson } from "../../src/domain/Json.ts"
import { all, openAi } from "../support/Clients.ts"
import { quarters } from "../support/Images.ts"
import {
  asked,
  calls,
  gate,
  lastAsked,
  makeClips,
  messagesOf,
  partsOf,
  picturesOf,
  rowsOf,
  sketch,
  startSenses,
  talkie,
  wordsOf
} from "../support/Senses.ts"
import type { Senses } from "../support/Senses.ts"
import { client, json, send } from "../support/Upstream.ts"
import { weightsFile } from "../support/Weights.ts"

const PATH = "/v1/completions"

const complete = ({ router }: Senses, body: unknown, headers: Record<string, string> = {}) =>
  send(router, { path: PATH, headers, body: typeof body === "string" ? body : JSON.stringify(body) })

const textsIn = (text: string) =>
  arrayField(parseJson(text), "choices").map((choice) => field(choice, "text"))

/** A small picture that is like no other: as wide as it is told. */
const picture = (width: number) => Effect.promise(() => quarters(width, 8).png().toBuffer())

const paths = ({ upstream }: Senses) => upstream.received.map(({ path }) => path)

const CHAT = "/v1/chat/completions"

describe("media in a legacy completion", () => {
  it.scopedLive("reach a model that sees as frames and transcript, whole and streamed", () =>
    Effect.gen(function* () {
      const clips = yield* makeClips({ "talkie.mp4": talkie })
      const senses = yield* startSenses({ WHISPER_MODEL_NAME: weightsFile })
      const { host, router } = senses
      const url = host.serve("/talkie.mp4", clips["talkie.mp4"]).href
      const prompt = `What is said in ${url} ?`
      const openai = openAi(router)
      const answer = yield* Effect.promise(() =>
        openai.completions.create({ model: "test/blind", prompt, max_tokens: 9, echo: true })
      )
      assert.strictEqual(answer.choices[0]?.text, `${prompt}A striped test card.`)
      assert.strictEqual(answer.object, "text_completion")
      assert.strictEqual(answer.model, "test/vision")
      const [request] = asked(senses)
      assert.deepStrictEqual(paths(senses), [CHAT])
      assert.strictEqual(request?.["model"], "test/vision")
      assert.strictEqual(request?.["max_tokens"], 9)
      const [question, block = "", ...frames] = partsOf(request).map(sketch)
      assert.strictEqual(question, prompt)
      assert.match(block, /^\[00:0\d-00:0\d\] .*Good morning, everyone/im)
      assert.isAtLeast(frames.length, 2)
      assert.isAtLeast(picturesOf(request).length, 1)

      const again = yield* all(openai.completions.create({ model: "test/eyes", prompt, stream: true }))
      assert.strictEqual(again.map(({ choices }) => choices[0]?.text).join(""), "Hello from upstream.")
      assert.deepStrictEqual(partsOf(asked(senses)[1]), partsOf(request))
      assert.strictEqual(calls(senses, "/talkie.mp4"), 1)
      const [row] = yield* rowsOf(senses, 2)
      assert.strictEqual(row?.media_type_processed, "video")
      assert.strictEqual(row?.is_multimodal, 1)
      assert.strictEqual(row?.route_rule, "vision")
      assert.strictEqual(row?.total_tokens, 15)
    })
  )

  it.scopedLive("in one of several prompts make chats of all, in one answer of one model", () =>
    Effect.gen(function* () {
      const senses = yield* startSenses()
      const { host } = senses
      const one = host.serve("/one.png", yield* picture(8)).href
      const two = host.serve("/two.png", yield* picture(16)).href
      const prompt = ["Just words", `See ${one}`, `See ${two} and ${one}`]
      const got = yield* complete(senses, { model: "test/blind", prompt })
      assert.deepStrictEqual(textsIn(got.text), Array(3).fill("A striped test card."))
      assert.deepStrictEqual(paths(senses), [CHAT, CHAT, CHAT])
      const byWords = asked(senses).toSorted((a, b) => picturesOf(a).length - picturesOf(b).length)
      assert.deepStrictEqual(
        byWords.map((request) => [request["model"], picturesOf(request).length]),
        [
          ["test/vision", 0],
          ["test/vision", 1],
          ["test/vision", 2]
        ]
      )
      assert.strictEqual(wordsOf(byWords[0]), "Just words")
      assert.match(
        String(got.headers["x-percept-media"]),
        /image 1;.* \+ .*image 2;|image 2;.* \+ .*image 1;/
      )
      const [row] = yield* rowsOf(senses, 1)
      assert.strictEqual(row?.media_type_processed, "image")
      assert.strictEqual(row?.total_tokens, 45)
    })
  )

  it.scopedLive("are let be where that is asked for, and Percept's own words go no further", () =>
    Effect.gen(function* () {
      const senses = yield* startSenses({
        HF_TOKEN: "hf_test",
        HUGGINGFACE_BASE_URL: "http://127.0.0.1:9/v1"
      })
      const { host, upstream } = senses
      upstream.answers(
        json(200, { id: "cmpl-1", choices: [{ text: "ok", index: 0, finish_reason: "stop" }] })
      )
      const url = host.serve("/one.png", yield* picture(8)).href
      const plain = `{ "model":"test/eyes","prompt":"See ${url}", "x":1.50 }`
      const off = plain.replace("{", '{ "percept":{"policy":"off"},')
      yield* complete(senses, plain, { "x-percept-policy": "off" })
      assert.strictEqual(lastAsked(senses), plain)
      yield* complete(senses, off)
      assert.notInclude(lastAsked(senses), "percept")
      assert.deepStrictEqual(parseJson(lastAsked(senses)), parseJson(plain))
      yield* complete(senses, { model: "test/eyes", prompt: [1, 2], percept: { policy: "auto" } })
      assert.deepStrictEqual(parseJson(lastAsked(senses)), { model: "test/eyes", prompt: [1, 2] })
      const page =
        '{ "model":"test/eyes","prompt":"http://example.org/page is a page, `curl /a.png` is code" }'
      yield* complete(senses, page)
      assert.strictEqual(lastAsked(senses), page)
      assert.deepStrictEqual(paths(senses), [PATH, PATH, PATH, PATH])
      assert.strictEqual(calls(senses, "/one.png"), 0)
      const wrong = yield* complete(senses, { model: "test/eyes", prompt: "a", percept: { policy: "no" } })
      assert.strictEqual(wrong.status, 400)
      assert.strictEqual(field(field(parseJson(wrong.text), "error"), "param"), "percept.policy")
    })
  )

  it.scopedLive(
    "that a chat cannot be made for, or that cannot be had, are refused by the prompt's name",
    () =>
      Effect.gen(function* () {
        const senses = yield* startSenses({ MEDIA_STRICT: "true" })
        const { host } = senses
        const url = host.serve("/one.png", yield* picture(8)).href
        const error = (text: string) => field(parseJson(text), "error")
        const suffixed = yield* complete(senses, { model: "test/eyes", prompt: url, suffix: "end" })
        assert.strictEqual(suffixed.status, 400)
        assert.strictEqual(field(error(suffixed.text), "param"), "suffix")
        const missing = url.replace("one", "none")
        for (const [prompt, param] of [
          [missing, "prompt"],
          [["Just words", missing], "prompt[1]"]
        ] as const) {
          const got = yield* complete(senses, { model: "test/eyes", prompt })
          assert.strictEqual(got.status, 422)
          assert.strictEqual(field(error(got.text), "param"), param)
          assert.include(String(field(error(got.text), "message")), `'${param}'`)
          assert.notInclude(got.text, "messages[")
        }
        assert.strictEqual(senses.upstream.received.length, 0)
      })
  )

  it.scopedLive("that take long are heard of in comments", () =>
    Effect.gen(function* () {
      const senses = yield* startSenses()
      const { host, router } = senses
      const slow = gate(yield* picture(8))
      host.behave("/slow.png", slow.behaviour)
      const prompt = `See http://${host.authority}/slow.png`
      const body = JSON.stringify({ model: "test/eyes", prompt, stream: true })
      const headers = { "x-percept-progress": "reasoning" }
      const { answer, hears } = yield* client(router, { path: PATH, body, headers })
      yield* hears(": percept image 1/1")
      slow.open()
      const got = yield* answer
      assert.match(got.text, /^: percept [^\n]*\n\n/)
      assert.match(got.text, /data: \[DONE\]\n\n$/)
      assert.notInclude(got.text, "delta")
      assert.notInclude(got.text, "reasoning")
      assert.strictEqual(messagesOf(asked(senses)[0]).length, 1)
      assert.strictEqual(picturesOf(asked(senses)[0]).length, 1)
    })
  )

  it.scopedLive("that turn out to be none leave a stream that speaks completions", () =>
    Effect.gen(function* () {
      const senses = yield* startSenses({ MEDIA_SNIFF: "true" })
      const { host, router, upstream } = senses
      const page = gate(Buffer.from("<!doctype html><p>A page".padEnd(500)))
      host.behave("/page", page.behaviour)
      const choices = [{ text: "ok", index: 0, finish_reason: "stop" }]
      upstream.answers(json(200, { id: "cmpl-1", object: "text_completion", choices }))
      const prompt = `See http://${host.authority}/page`
      const body = JSON.stringify({ model: "test/eyes", prompt, stream: true })
      const { answer, hears } = yield* client(router, { path: PATH, body })
      yield* hears(": percept ")
      page.open()
      const events = (yield* answer).text.split("\n\n").filter((line) => line.startsWith("data: "))
      assert.deepStrictEqual(paths(senses), [PATH])
      assert.deepStrictEqual(
        events.map((event) => event.slice(6)),
        [JSON.stringify({ id: "cmpl-1", object: "text_completion", choices }), "[DONE]"]
      )
    })
  )
})
