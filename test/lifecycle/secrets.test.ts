import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { rowsIn, startProgram } from "../support/Program.ts"
import { eventually, filesIn, temporaryFolder } from "../support/Router.ts"
import { chunk, completion, json, openStream, startUpstream, stream } from "../support/Upstream.ts"

/** Words that must never be seen again, one for every way a secret can come in. */
const CANARIES = {
  ourKey: "canary-our-own-key-4711",
  upstreamKey: "canary-upstream-key-0815",
  bearer: "canary-wrong-bearer-1234",
  header: "canary-x-api-key-5678",
  basic: "canary-basic-password-9012",
  cookie: "canary-cookie-3456",
  urlUser: "canary-url-user-7890",
  urlPassword: "canary-url-password-1357",
  signature: "canary-signature-2468",
  queryKey: "canary-query-key-9753",
  payload: "canary inside a data link, 8642",
  audio: "canary inside a sound, 1122",
  file: "canary inside a file, 3344",
  openAiKey: "sk-canary0123456789abcdef0123456789"
}

const base64 = (text: string) => Buffer.from(text).toString("base64")

const REQUEST = {
  model: "test/plain",
  messages: [
    {
      role: "user",
      content: [
        {
          type: "text",
          text: `My key is ${CANARIES.openAiKey}, and ![](data:image/png;base64,${base64(CANARIES.payload)}).`
        },
        {
          type: "text",
          text: `https://${CANARIES.urlUser}:${CANARIES.urlPassword}@host/clip.mp4?X-Amz-Signature=${CANARIES.signature}&api_key=${CANARIES.queryKey}`
        },
        { type: "image_url", image_url: { url: `data:image/png;base64,${base64(CANARIES.payload)}` } },
        { type: "input_audio", input_audio: { data: base64(CANARIES.audio), format: "wav" } },
        {
          type: "file",
          file: { filename: "a.pdf", file_data: `data:application/pdf;base64,${base64(CANARIES.file)}` }
        }
      ]
    }
  ]
}

it.scopedLive("no secret and no payload is found anywhere afterwards", () =>
  Effect.gen(function* () {
    const upstream = yield* startUpstream
    const folder = yield* temporaryFolder
    const program = yield* startProgram({
      ...upstream.env,
      OPENROUTER_API_KEY: CANARIES.upstreamKey,
      API_KEYS: `another-key,${CANARIES.ourKey}`,
      DATA_DIR: folder,
      LOG_LEVEL: "debug",
      UPSTREAM_RETRIES: "0"
    })
    const answers: Array<string> = []
    const ask = (headers: Record<string, string>, body: unknown = REQUEST) =>
      Effect.promise(async () => {
        const response = await fetch(`${program.url}/v1/chat/completions?key=${CANARIES.queryKey}`, {
          method: "POST",
          headers: { "content-type": "application/json", cookie: `session=${CANARIES.cookie}`, ...headers },
          body: typeof body === "string" ? body : JSON.stringify(body)
        })
        const text = await response.text().catch(String)
        if (!response.ok || text.includes('"error"')) answers.push(text)
      })
    const ours = { authorization: `Bearer ${CANARIES.ourKey}` }
    const echo = `Incorrect API key provided: ${CANARIES.upstreamKey} (Authorization: Bearer ${CANARIES.upstreamKey})`

    yield* ask({})
    yield* ask({ authorization: `Bearer ${CANARIES.bearer}` })
    yield* ask({ "x-api-key": CANARIES.header })
    yield* ask({ authorization: `Basic ${base64(`me:${CANARIES.basic}`)}` })
    yield* ask(ours)
    yield* ask(ours, { ...REQUEST, stream: true })
    yield* ask(ours, JSON.stringify(REQUEST).slice(0, -3))
    upstream.once(json(401, { error: { message: echo, code: 401 } }))
    yield* ask(ours)
    upstream.once(
      json(
        400,
        { error: { message: "Provider returned error", code: 400, metadata: { raw: echo } } },
        { "x-echo": CANARIES.upstreamKey }
      )
    )
    yield* ask(ours)
    upstream.once(json(500, echo))
    yield* ask(ours)
    upstream.once(completion(`The picture you sent was data:image/png;base64,${base64(CANARIES.payload)}`))
    yield* ask(ours)
    upstream.once(
      stream(chunk({ content: "a" }), `data: ${JSON.stringify({ error: { message: echo, code: 500 } })}\n\n`)
    )
    yield* ask(ours, { ...REQUEST, stream: true })
    upstream.once((_, response) => {
      openStream(response)
      response.write(chunk({ content: "a" }), () => response.destroy())
    })
    yield* ask(ours, { ...REQUEST, stream: true })

    const rows = yield* eventually(
      Effect.sync(() => rowsIn(folder)),
      (rows) => rows.length === 13 && rows.every((row) => row.state !== "running")
    )
    assert.isTrue(rows.every((row) => row.key_id === null || !row.key_id.includes("canary")))
    program.kill("SIGTERM")
    yield* program.ended

    const kept = filesIn(folder).map(([file, content]) => [file, content.toString("latin1")] as const)
    assert.includeMembers(
      kept.map(([file]) => file),
      ["percept.db", "router.log.json"]
    )
    const seen = [
      ...kept,
      ["the output", program.output()] as const,
      ["the error answers", answers.join("\n")] as const
    ]
    assert.isAtLeast(answers.length, 9)
    for (const [place, text] of seen)
      for (const [name, canary] of Object.entries(CANARIES)) {
        assert.notInclude(text, canary, `${name} in ${place}`)
        assert.notInclude(text, base64(canary), `${name} as base64 in ${place}`)
      }
    const log = kept.find(([file]) => file === "router.log.json")?.[1] ?? ""
    assert.include(log, '"mime":"image/png"')
    assert.include(log, "[redacted]")
  })
)
