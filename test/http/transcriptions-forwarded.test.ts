import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { createReadStream, existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs"
import { createServer } from "node:http"
import { join } from "node:path"
import { BadRequestError, InternalServerError, NotFoundError, toFile } from "openai"
import type { Uploadable } from "openai"
import { field, parseJson, stringField } from "../../src/domain/Json.ts"
import { all, openAi, raised, settled } from "../support/Clients.ts"
import { eventually, startRouter } from "../support/Router.ts"
import { byHand, json, openStream, says, silence, startUpstream, stream } from "../support/Upstream.ts"
import type { Received } from "../support/Upstream.ts"
import { fixture } from "../support/Words.ts"

const PATH = "/v1/audio/transcriptions"
const speech = readFileSync(fixture("speech.opus"))

/** A router with three providers, all of which are this one server. */
const start = (env: { readonly [name: string]: string } = {}, ...listed: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const upstream = yield* startUpstream
    if (listed.length > 0) upstream.lists(json(200, { data: listed.map((id) => ({ id })) }))
    const router = yield* startRouter({
      ...upstream.env,
      ...{ OPENAI_API_KEY: "sk-operators-own-key", OPENAI_BASE_URL: `${upstream.url}/v1` },
      ...{ UPSTREAM_URL: upstream.url, UPSTREAM_RETRIES: "0", ...env }
    })
    const { transcriptions } = openAi(router).audio
    return { upstream, router, transcriptions, create: transcriptions.create.bind(transcriptions) }
  })

const file = () => createReadStream(fixture("speech.opus"))
const named = (name: string, bytes: Uint8Array = speech) => Effect.promise(() => toFile(bytes, name))

/** A form as the provider got it. */
const formIn = (received: Received | undefined) =>
  Effect.promise(async () => {
    const headers = { "content-type": received?.headers["content-type"] ?? "" }
    const form = await new Response(new Uint8Array(received?.body ?? []), { headers }).formData()
    const texts = Array.from(form.entries()).flatMap(([name, value]) =>
      typeof value === "string" ? [[name, value] as const] : []
    )
    const sent = form.get("file")
    if (sent === null || typeof sent === "string") throw new Error("no file was sent")
    return { texts, filename: sent.name, bytes: Buffer.from(await sent.arrayBuffer()) }
  })

const VERBOSE = {
  ...{ task: "transcribe", language: "english", duration: 3.5, text: "Good morning. Good night." },
  segments: [
    { id: 0, start: 0, end: 1.5, text: " Good morning." },
    { id: 1, start: 2, end: 3.5, text: " Good night." }
  ],
  usage: { type: "duration", seconds: 4, cost: 0.0004 }
}

const SRT =
  "1\n00:00:00,000 --> 00:00:01,500\nGood morning.\n\n2\n00:00:02,000 --> 00:00:03,500\nGood night.\n\n"

const event = (value: object) => `data: ${JSON.stringify(value)}\n\n`
const delta = (text: string) => event({ type: "transcript.text.delta", delta: text })
const TOKENS = { type: "tokens", input_tokens: 14, output_tokens: 6, total_tokens: 20 }
const done = event({ type: "transcript.text.done", text: "Good morning.", usage: TOKENS })

describe("speech for a provider's own model", () => {
  it.scopedLive("arrives there as it came, and its answer comes back as it was", () =>
    Effect.gen(function* () {
      const { create, router, upstream } = yield* start()
      const answer = `{ "text":"Good\\u0020morning.",\n "usage":${JSON.stringify(TOKENS)}, "new":[1.0] }`
      upstream.once(says(200, answer, { "content-type": "application/json" }))
      const found = yield* Effect.promise(() =>
        create({
          ...{ file: file(), model: "openai:whisper-1", language: "en", prompt: 'a "b"\r\nc' },
          ...{ response_format: "verbose_json", timestamp_granularities: ["word", "segment"] },
          ...{ include: ["logprobs"] }
        }).asResponse()
      )
      assert.strictEqual(yield* Effect.promise(() => found.text()), answer)
      const [received] = upstream.received
      assert.strictEqual(received?.path, PATH)
      assert.strictEqual(received?.headers.authorization, "Bearer sk-operators-own-key")
      assert.strictEqual(received?.headers["content-length"], String(received?.body.length))
      assert.isUndefined(received?.headers["transfer-encoding"])
      const form = yield* formIn(received)
      assert.strictEqual(form.filename, "speech.opus")
      assert.isTrue(form.bytes.equals(speech))
      assert.sameDeepMembers(form.texts, [
        ["model", "whisper-1"],
        ["language", "en"],
        ["prompt", 'a "b"\r\nc'],
        ["response_format", "verbose_json"],
        ["timestamp_granularities[]", "word"],
        ["timestamp_granularities[]", "segment"],
        ["include[]", "logprobs"]
      ])

      const [row] = yield* settled(router, 1)
      assert.deepInclude(row, {
        ...{ endpoint_called: PATH, state: "done", provider: "openai", route_rule: "explicit" },
        ...{ model_requested_by_client: "openai:whisper-1", model_routed_to_openrouter: "whisper-1" },
        ...{
          prompt_tokens: 14,
          completion_tokens: 6,
          total_tokens: 20,
          cost_nano_usd: null,
          is_streaming: 0
        },
        ...{ is_multimodal: 1, media_type_processed: "audio", output_char_length: 13 }
      })
      const log = join(router.dataDir, "router.log.json")
      const entry = parseJson(
        yield* eventually(
          Effect.sync(() => (existsSync(log) ? readFileSync(log, "utf8") : "")),
          (text) => text !== ""
        )
      )
      assert.deepStrictEqual(field(entry, "response"), parseJson(answer))
      assert.strictEqual(field(field(field(entry, "request"), "file"), "bytes"), speech.length)
      const left = Effect.sync(() => readdirSync(join(router.dataDir, "tmp"), { recursive: true }))
      yield* eventually(left, (names) => names.every((name) => !String(name).includes("upload")))
    })
  )

  it.scopedLive("is written down in any form that the provider has", () =>
    Effect.gen(function* () {
      const { create, upstream } = yield* start()
      const as = (response_format: "text" | "srt" | "vtt") =>
        Effect.promise<unknown>(() => create({ file: file(), model: "upstream:parakeet", response_format }))
      upstream.once(
        says(200, "Good morning.\n", { "content-type": "text/plain; charset=utf-8" }),
        says(200, SRT, { "content-type": "application/x-subrip" }),
        says(200, "WEBVTT\n\n", { "content-type": "text/vtt" }),
        says(200, "", { "content-type": "text/plain" })
      )
      assert.strictEqual(yield* as("text"), "Good morning.\n")
      assert.strictEqual(yield* as("srt"), SRT)
      const response = yield* Effect.promise(() =>
        create({ file: file(), model: "upstream:parakeet", response_format: "vtt" }).asResponse()
      )
      assert.strictEqual(response.headers.get("content-type"), "text/vtt")
      assert.strictEqual(yield* Effect.promise(() => response.text()), "WEBVTT\n\n")
      assert.strictEqual(yield* as("text"), "")
      const forms = yield* Effect.forEach(upstream.received, formIn)
      assert.deepStrictEqual(
        forms.map(({ texts }) => texts.find(([name]) => name === "response_format")?.[1]),
        ["text", "srt", "vtt", "text"]
      )
    })
  )

  it.scopedLive("is heard while it is understood", () =>
    Effect.gen(function* () {
      const { create, router, upstream } = yield* start()
      const asked = byHand(upstream)
      const events = yield* Effect.promise(async () => {
        const coming = create({ file: file(), model: "openai:gpt-4o-transcribe", stream: true })
        const response = await Effect.runPromise(asked)
        openStream(response)
        response.write(delta("Good"))
        const found = []
        // What comes next is said only once the first word has arrived.
        for await (const event of await coming) {
          found.push(event)
          if (found.length === 1) response.end(delta(" morning.") + done)
        }
        return found
      })
      assert.deepStrictEqual(
        events.map((event) => stringField(event, "delta") ?? stringField(event, "text")),
        ["Good", " morning.", "Good morning."]
      )
      const [row] = yield* settled(router, 1)
      assert.deepInclude(row, { is_streaming: 1, state: "done", prompt_tokens: 14, completion_tokens: 6 })
      assert.isNumber(row?.time_to_first_token_ms)

      upstream.once(stream(delta("Good")), stream(delta("Good"), done, "data: [DONE]\n\n"))
      const again = () => all(create({ file: file(), model: "openai:gpt-4o-transcribe", stream: true }))
      const broken = yield* Effect.exit(again())
      assert.match(String(broken), /broke off in the middle/)
      assert.strictEqual((yield* again()).length, 2)
      const rows = yield* settled(router, 3)
      assert.deepStrictEqual(
        rows.map(({ state }) => state),
        ["done", "failed", "done"]
      )
    })
  )

  it.scopedLive("is sent again, whole, where the provider was not ready", () =>
    Effect.gen(function* () {
      const { create, upstream } = yield* start({ UPSTREAM_RETRIES: "1" })
      upstream.once(json(503, { error: { message: "Busy" } }), json(200, { text: "Hi" }))
      const model = "openai:whisper-1"
      const { text } = yield* Effect.promise(() => create({ file: file(), model }))
      assert.strictEqual(text, "Hi")
      const forms = yield* Effect.forEach(upstream.received, formIn)
      assert.deepStrictEqual(
        forms.map(({ bytes }) => bytes.equals(speech)),
        [true, true]
      )
    })
  )

  it.scopedLive("has a name by which the provider knows what it is", () =>
    Effect.gen(function* () {
      const { create, upstream } = yield* start()
      upstream.answers(json(200, { text: "Hi" }))
      for (const name of ["blob", 'a "b" ü.MP3', "speech.ogg"]) {
        const sent = yield* named(name)
        yield* Effect.promise(() => create({ file: sent, model: "openai:whisper-1" }))
      }
      const forms = yield* Effect.forEach(upstream.received, formIn)
      assert.deepStrictEqual(
        forms.map(({ filename }) => filename.replaceAll("%22", '"')),
        ["blob.ogg", 'a "b" ü.MP3', "speech.ogg"]
      )
    })
  )

  for (const answers of ["answers before it has heard it all", "never listens, and the client leaves"])
    it.scopedLive(`is let go of where the provider ${answers}`, () =>
      Effect.gen(function* () {
        const provider = yield* impatient(answers.startsWith("answers"))
        const router = yield* startRouter({ UPSTREAM_URL: provider.url, UPSTREAM_RETRIES: "0" })
        const large = yield* named("large.ogg", Buffer.alloc(12_000_000, speech))
        const leaving = new AbortController()
        const asked = openAi(router)
          .audio.transcriptions.create({ file: large, model: "upstream:x" }, { signal: leaving.signal })
          .then(() => "answered", String)
        if (!answers.startsWith("answers")) {
          yield* eventually(Effect.sync(provider.isAsked), (isAsked) => isAsked)
          assert.strictEqual(heldFiles().length, 1)
          leaving.abort()
        }
        assert.match(yield* Effect.promise(() => asked), /413 Too large for me|was aborted/)
        assert.match((yield* settled(router, 1))[0]?.state ?? "", /failed|cancelled/)
        yield* eventually(Effect.sync(heldFiles), (files) => files.length === 0)
      })
    )

  it.scopedLive("is no longer listened to when nobody waits", () =>
    Effect.gen(function* () {
      const { create, router, upstream } = yield* start()
      upstream.once(silence)
      const leaving = new AbortController()
      const asked = create({ file: file(), model: "openai:whisper-1" }, { signal: leaving.signal }).then(
        () => "answered",
        () => "left"
      )
      yield* eventually(
        Effect.sync(() => upstream.received.length),
        (count) => count === 1
      )
      leaving.abort()
      assert.strictEqual(yield* Effect.promise(() => asked), "left")
      yield* eventually(
        Effect.sync(() => upstream.received[0]?.aborted),
        (aborted) => aborted === true
      )
      assert.strictEqual((yield* settled(router, 1))[0]?.state, "cancelled")
    })
  )
})

describe("OpenRouter", () => {
  it.scopedLive("is asked for JSON, and the forms for the eye are made of that", () =>
    Effect.gen(function* () {
      const { create, router, upstream } = yield* start()
      upstream.answers(json(200, VERBOSE))
      const as = (response_format: "json" | "text" | "srt" | "vtt" | "verbose_json") =>
        Effect.promise<unknown>(() => create({ file: file(), model: "openai/whisper-1", response_format }))
      assert.strictEqual(yield* as("srt"), SRT)
      assert.match(String(yield* as("vtt")), /^WEBVTT\n\n00:00:00\.000 --> 00:00:01\.500\nGood morning\.\n\n/)
      assert.strictEqual(yield* as("text"), "Good morning. Good night.\n")
      assert.deepStrictEqual(yield* as("verbose_json"), VERBOSE)
      assert.deepStrictEqual(yield* as("json"), VERBOSE)
      const { segments: _, ...brief } = VERBOSE
      upstream.answers(json(200, brief))
      assert.strictEqual(yield* as("srt"), "1\n00:00:00,000 --> 00:00:03,500\nGood morning. Good night.\n\n")
      const forms = yield* Effect.forEach(upstream.received, formIn)
      assert.deepStrictEqual(
        forms.map(({ texts }) => Object.fromEntries(texts)["response_format"]),
        ["verbose_json", "verbose_json", "json", "verbose_json", "json", "verbose_json"]
      )
      for (const { texts } of forms)
        assert.strictEqual(Object.fromEntries(texts)["model"], "openai/whisper-1")
      for (const row of yield* settled(router, 6))
        assert.deepInclude(row, {
          ...{ provider: "openrouter", route_rule: "slash", state: "done" },
          ...{ cost_nano_usd: 400_000, cost_source: "provider", prompt_tokens: null }
        })
    })
  )
})

describe("speech that cannot be forwarded", () => {
  it.scopedLive("is refused with a reason", () =>
    Effect.gen(function* () {
      const { create, router, upstream } = yield* start()
      const ask = (model: string, sound: Uploadable = file()) => create({ file: sound, model })
      upstream.once(
        json(400, {
          error: { message: "Invalid file format.", type: "invalid_request_error", param: "file" }
        }),
        json(401, { error: { message: "Wrong key" } }),
        json(200, { words: [] }),
        says(200, "<html>", { "content-type": "text/html" })
      )
      const wrong = yield* raised(BadRequestError, () => ask("openai:whisper-1"))
      assert.match(wrong.message, /Invalid file format/)
      assert.strictEqual(wrong.param, "file")
      for (let at = 0; at < 3; at++) {
        const failed = yield* raised(InternalServerError, () => ask("openai:whisper-1"))
        assert.strictEqual(failed.status, 502)
      }
      assert.strictEqual(upstream.received.length, 4)
      const blind = yield* raised(NotFoundError, () => ask("percept:inspect"))
      assert.match(blind.message, /'inspect' cannot transcribe here/)
      assert.match(
        (yield* raised(NotFoundError, () => ask("nobody-knows"))).message,
        /'nobody-knows' cannot .* 'whisper-1'/
      )
      assert.match((yield* raised(NotFoundError, () => ask("ollama:x"))).message, /not configured/)
      assert.strictEqual(upstream.received.length, 4)
      assert.deepStrictEqual(
        (yield* settled(router, 7)).map((row) => row.error_source),
        ["upstream", "upstream", "upstream", "upstream", "client", "client", "client"]
      )
    })
  )

  it.scopedLive("stays here where no provider is named", () =>
    Effect.gen(function* () {
      const { create, upstream } = yield* start()
      const text = yield* named("text.mp3", Buffer.from("no sound at all"))
      for (const model of ["whisper-1", "whisper-local", "gpt-4o-mini-transcribe"]) {
        const refused = yield* raised(BadRequestError, () => create({ file: text, model }))
        assert.match(refused.message, /no sound or video/)
      }
      assert.strictEqual(upstream.received.length, 0)
    })
  )

  it.scopedLive(
    "goes where the operator's map says before all, and a Whisper that is listed where it is",
    () =>
      Effect.gen(function* () {
        const map = { "whisper-1": "openai:whisper-1", ears: "whisper-local" }
        const { create, router, upstream } = yield* start(
          { MODEL_MAP: JSON.stringify(map) },
          "whisper-large-v3"
        )
        upstream.answers(json(200, { text: "Hi" }))
        for (const model of ["whisper-1", "whisper-large-v3"])
          assert.strictEqual((yield* Effect.promise(() => create({ file: file(), model }))).text, "Hi")
        const text = yield* named("text.mp3", Buffer.from("no sound at all"))
        for (const model of ["ears", "whisper-small"])
          yield* raised(BadRequestError, () => create({ file: text, model }))
        assert.strictEqual(upstream.received.length, 2)
        assert.deepStrictEqual(
          (yield* settled(router, 4)).map((row) => [row.provider, row.route_rule]),
          [
            ["openai", "map+explicit"],
            ["openrouter", "first"],
            ["percept", "map+percept"],
            ["percept", "percept"]
          ]
        )
      })
  )
})

/** A provider that takes nothing of a request but its head. */
const impatient = (answers: boolean) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      let isAsked = false
      const server = createServer((request, response) => {
        request.pause()
        isAsked ||= request.method === "POST"
        const [status, answer] = request.method === "GET" ? [200, { data: [] }] : [413, REFUSAL]
        if (request.method === "GET" || answers)
          response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(answer))
      })
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
      return { server, isAsked: () => isAsked }
    }),
    ({ server }) =>
      Effect.promise(async () => {
        const closed = new Promise((resolve) => server.close(resolve))
        server.closeAllConnections()
        await closed
      })
  ).pipe(
    Effect.map(({ isAsked, server }) => {
      const address = server.address()
      const port = typeof address === "object" && address !== null ? address.port : 0
      return { isAsked, url: `http://127.0.0.1:${port}` }
    })
  )

const REFUSAL = { error: { message: "Too large for me" } }

/** The received files that this process has open. */
const heldFiles = () =>
  readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).includes("/upload")
    } catch {
      return false
    }
  })
