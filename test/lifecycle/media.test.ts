import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { mkdirSync, readdirSync, readFileSync } from "node:fs"
import { request as httpRequest } from "node:http"
import { join } from "node:path"
import { root } from "../../scripts/fresh.mjs"
import { parseJson, stringField } from "../../src/domain/Json.ts"
import { quarters } from "../support/Images.ts"
import { stall, startMediaHost } from "../support/MediaHost.ts"
import type { MediaHost } from "../support/MediaHost.ts"
import { asleep, nobodyWith } from "../support/Processes.ts"
import { integrityOf, rowsIn, startProgram } from "../support/Program.ts"
import type { Program } from "../support/Program.ts"
import { eventually, temporaryFolder } from "../support/Router.ts"
import { endWithTheRouter, isDeserted, processesIn, slowTools } from "../support/SlowMedia.ts"
import type { SlowTools } from "../support/SlowMedia.ts"
import { completion, json, silence, startUpstream } from "../support/Upstream.ts"
import type { Upstream } from "../support/Upstream.ts"

/** Everything a router works with, and what may hold up each of its phases. */
interface Stage {
  readonly host: MediaHost
  readonly tools: SlowTools
  readonly upstream: Upstream
}

/** A request that comes as far as one phase and stays there. */
interface Phase {
  readonly asks: (host: MediaHost) => object
  readonly policy?: string
  readonly isHeld: (stage: Stage) => boolean
  /** What its time limit makes of it: an answer about what is missing, or an error. */
  readonly late: { readonly model: RegExp } | { readonly error: number }
}

const video = (url: URL) => [{ type: "video_url", video_url: { url: url.href } }]

const clip = readFileSync(join(root, "test/fixtures/hostile/clip.mp4"))
const film = readFileSync(join(root, "test/fixtures/hostile/film.webm"))
const speech = readFileSync(join(root, "test/fixtures/audio/speech.opus"))

const PHASES: { readonly [name: string]: Phase } = {
  download: {
    asks: (host) => video(host.behave("/slow.mp4", stall(clip.subarray(0, 2000)))),
    isHeld: ({ host }) => host.asked.some(({ path }) => path === "/slow.mp4"),
    late: { model: /the file took too long to arrive/ }
  },
  visit: {
    asks: () => video(new URL(`https://${SITE}/watch?v=1`)),
    isHeld: ({ tools }) => tools.visiting.sleeps(),
    late: { model: /the site took too long to hand the video out/ }
  },
  look: {
    asks: (host) => video(host.serve("/film.webm", film)),
    isHeld: ({ tools }) => tools.looking.sleeps(),
    late: { model: /it took too long to look at and listen to/ }
  },
  listen: {
    asks: (host) => [{ type: "text", text: `What is said in ${host.serve("/speech.opus", speech).href}?` }],
    isHeld: ({ tools }) => tools.listening.sleeps(),
    late: { model: /it took too long to look at and listen to/ }
  },
  describe: {
    asks: (host) => video(host.serve("/clip.mp4", clip)),
    policy: "describe",
    isHeld: ({ upstream }) => wasAsked(upstream, "test/vision"),
    late: { model: /\(picture 1, not described\)/ }
  },
  answer: {
    asks: (host) => video(host.serve("/clip.mp4", clip)),
    isHeld: ({ upstream }) => wasAsked(upstream, "test/answer"),
    late: { error: 504 }
  }
}

/** Nobody calls it: who would is held up before. */
const SITE = "93.184.215.14"

const NAMES = Object.keys(PHASES)

const modelOf = (body: Buffer) => stringField(parseJson(body.toString("utf8")), "model")

const wasAsked = ({ received }: Upstream, model: string) =>
  received.some(({ body }) => modelOf(body) === model)

const setStage = Effect.gen(function* () {
  const host = yield* startMediaHost
  const tools = yield* slowTools
  const upstream = yield* startUpstream
  const models = [...NAMES, "vision"].map((name) => ({
    id: `test/${name}`,
    architecture: { input_modalities: ["text", "image"] }
  }))
  upstream.lists(json(200, { data: models }))
  const answer = completion("Seen.")
  upstream.answers((request, response) => {
    const isHeld = ["test/vision", "test/answer"].includes(modelOf(request.body) ?? "")
    ;(isHeld ? silence : answer)(request, response)
  })
  const folder = yield* temporaryFolder
  const tmp = join(folder, "media")
  mkdirSync(tmp)
  const env = {
    ...{ ...host.env, ...tools.env, ...upstream.env, UPSTREAM_RETRIES: "0" },
    ...{ DATA_DIR: join(folder, "data"), MEDIA_TMP_DIR: tmp, MEDIA_JOBS: "8" },
    ...{ MEDIA_SITES: SITE, VISION_MODEL: "test/vision" }
  }
  return { env, host, tmp, tools, upstream }
})

/** A client with a connection of its own. */
const ask = (program: Program, model: string, content: object | string, rest: object = {}) => {
  const request = httpRequest(`${program.url}/v1/chat/completions`, {
    agent: false,
    method: "POST",
    headers: { "content-type": "application/json" }
  })
  const answer = new Promise<{ readonly status: number; readonly text: string }>((resolve) => {
    let text = ""
    request.on("error", (error) => resolve({ status: 0, text: String(error) }))
    request.on("response", (response) => {
      response.on("data", (piece: Buffer) => (text += piece.toString("utf8")))
      response.on("error", () => {}).on("close", () => resolve({ status: response.statusCode ?? 0, text }))
    })
  })
  request.end(JSON.stringify({ model, messages: [{ role: "user", content }], ...rest }))
  return { leave: () => void request.destroy(), answer: Effect.promise(() => answer) }
}

/** One request in every phase at the same time, half of them streaming. */
const holdAll = Effect.fnUntraced(function* (program: Program, stage: Stage) {
  // What is known of the clip, and which tools there are, need not be found out under a time limit.
  const first = yield* ask(program, "percept/inspect", video(stage.host.serve("/clip.mp4", clip))).answer
  assert.match(first.text, /\[image 1: jpeg/, first.text)
  const held = NAMES.map((name, at) => {
    const { asks, policy } = PHASES[name] ?? assert.fail()
    return {
      name,
      ...ask(program, `test/${name}`, asks(stage.host), {
        stream: at % 2 === 0,
        ...(policy === undefined ? {} : { percept: { policy } })
      })
    }
  })
  const waiting = Effect.sync(() => NAMES.filter((name) => PHASES[name]?.isHeld(stage) !== true))
  yield* eventually(waiting, (names) => names.length === 0, 30)
  return held
})

/** One row for each request that was held, in the state its phase leads to; and none that is still running. */
const assertRows = Effect.fnUntraced(function* (
  dataDir: string,
  states: (phase: string) => string,
  ofDescriptions: string
) {
  const rows = yield* eventually(
    Effect.sync(() => rowsIn(dataDir)),
    (rows) => rows.every(({ state }) => state !== "running")
  )
  for (const name of NAMES)
    assert.deepStrictEqual(
      rows.filter((row) => row.model_requested_by_client === `test/${name}`).map(({ state }) => state),
      [states(name)],
      name
    )
  const parent = rows.find((row) => row.model_requested_by_client === "test/describe")
  const side = rows.filter(({ kind }) => kind === "describe")
  assert.isAbove(side.length, 0)
  for (const row of side) {
    assert.strictEqual(row.state, ofDescriptions)
    assert.strictEqual(row.parent_request_id, parent?.internal_request_id)
  }
  assert.strictEqual(new Set(rows.map((row) => row.internal_request_id)).size, rows.length)
  assert.strictEqual(integrityOf(dataDir), "ok")
})

const assertNobodyIsLeft = Effect.fnUntraced(function* (tools: SlowTools, tmp: string) {
  yield* isDeserted(tmp)
  yield* everyoneIsGone(tools)
})

/** What is gone later was there before. */
const everyoneIsThere = ({ listening, looking, visiting }: SlowTools) =>
  Effect.forEach([looking, listening, visiting], ({ mark }) => asleep(mark, 1))

const everyoneIsGone = ({ listening, looking, visiting }: SlowTools) =>
  Effect.forEach([looking, listening, visiting], ({ mark }) => nobodyWith(mark))

/** Milliseconds, on a machine that has much else to do. */
const LONGEST = 60_000

describe.concurrent("whatever a request's media are at, nothing is left behind", () => {
  it.scopedLive(
    "when its client leaves",
    () =>
      Effect.gen(function* () {
        const stage = yield* setStage
        const { env, host, tmp, tools, upstream } = stage
        const program = yield* startProgram(env)
        const held = yield* holdAll(program, stage)
        yield* everyoneIsThere(tools)
        assert.isAbove(processesIn(tmp).length, 3)
        for (const { leave } of held) leave()
        yield* assertNobodyIsLeft(tools, tmp)
        yield* eventually(Effect.sync(host.open), (open) => open === 0)
        const calls = () => upstream.received.map(({ aborted }) => aborted)
        yield* eventually(Effect.sync(calls), (aborted) => aborted.every(Boolean))
        yield* assertRows(env.DATA_DIR, () => "cancelled", "cancelled")
        program.kill("SIGTERM")
        assert.deepStrictEqual(yield* program.ended, { code: 0, signal: null })
      }),
    LONGEST
  )

  it.scopedLive(
    "when its time is over",
    () =>
      Effect.gen(function* () {
        const stage = yield* setStage
        const { env, host, tmp, tools, upstream } = stage
        const program = yield* startProgram({
          ...env,
          ...{ FETCH_TIMEOUT: "2", MEDIA_TIMEOUT: "4", REQUEST_TIMEOUT: "2" }
        })
        const held = yield* holdAll(program, stage)
        for (const { answer, name } of held) {
          const { status, text } = yield* answer
          const { late } = PHASES[name] ?? assert.fail()
          if ("error" in late) {
            assert.strictEqual(status, late.error, `${name}: ${text}`)
            continue
          }
          assert.include(text, "Seen.", name)
          const asked = upstream.received.find(({ body }) => modelOf(body) === `test/${name}`)
          assert.match(asked?.body.toString("utf8") ?? "", late.model, name)
        }
        yield* assertNobodyIsLeft(tools, tmp)
        yield* eventually(Effect.sync(host.open), (open) => open === 0)
        yield* assertRows(env.DATA_DIR, (name) => (name === "answer" ? "failed" : "done"), "failed")
      }),
    LONGEST
  )

  it.scopedLive(
    "when the router is told to end",
    () =>
      Effect.gen(function* () {
        const stage = yield* setStage
        const { env, host, tmp, tools, upstream } = stage
        const program = yield* startProgram({ ...env, DRAIN_TIMEOUT: "300 millis" })
        yield* seePicture(program)
        const held = yield* holdAll(program, stage)
        yield* everyoneIsThere(tools)
        program.kill("SIGTERM")
        for (const { answer, name } of held) assert.include((yield* answer).text, '"shutting_down"', name)
        assert.deepStrictEqual(yield* program.ended, { code: 0, signal: null })
        assert.deepStrictEqual(readdirSync(tmp), [])
        assert.deepStrictEqual(processesIn(tmp), [])
        yield* assertNobodyIsLeft(tools, tmp)
        assert.strictEqual(host.open(), 0)
        assert.isTrue(upstream.received.every(({ aborted }) => aborted))
        yield* assertRows(env.DATA_DIR, () => "interrupted", "interrupted")
      }),
    LONGEST
  )

  it.scopedLive(
    "when the router is killed and started again",
    () =>
      Effect.gen(function* () {
        const stage = yield* setStage
        const { env, tmp, tools } = stage
        const program = yield* startProgram(env)
        yield* seePicture(program)
        const held = yield* holdAll(program, stage)
        yield* everyoneIsThere(tools)
        assert.isAbove(readdirSync(tmp).length, 3)
        program.kill("SIGKILL")
        yield* program.ended
        for (const { answer } of held) yield* answer
        if (yield* endWithTheRouter) {
          yield* everyoneIsGone(tools)
          assert.deepStrictEqual(processesIn(tmp), [])
        }
        const again = yield* startProgram(env)
        yield* eventually(
          Effect.sync(() => readdirSync(tmp)),
          (names) => names.length === 0,
          5
        )
        yield* assertRows(env.DATA_DIR, () => "interrupted", "interrupted")
        assert.strictEqual((yield* ask(again, "percept/inspect", "Hello").answer).status, 200)
      }),
    LONGEST
  )
})

/** Leaves a decoder behind that waits for more pictures. */
const seePicture = Effect.fnUntraced(function* (program: Program) {
  // Too large to be passed on as it is.
  const png = yield* Effect.promise(() => quarters(1600, 16).png().toBuffer())
  const url = `data:image/png;base64,${png.toString("base64")}`
  const { text } = yield* ask(program, "percept/inspect", [{ type: "image_url", image_url: { url } }]).answer
  assert.match(text, /\[image 1: png 1568x/)
})
