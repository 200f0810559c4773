import { Effect, Layer, Logger, LogLevel, Record as Records } from "effect"
import type { Scope } from "effect"
import { execFileSync } from "node:child_process"
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { extname, join } from "node:path"
import { arrayField, field, isObject, parseJson, stringField } from "../../src/domain/Json.ts"
import type { JsonObject } from "../../src/domain/Json.ts"
import { AppConfig } from "../../src/services/AppConfig.ts"
import { MediaTools } from "../../src/services/media/MediaTools.ts"
import { Subprocess } from "../../src/services/media/Subprocess.ts"
import { Workspace } from "../../src/services/media/Workspace.ts"
import { serving, startMediaHost } from "./MediaHost.ts"
import type { Behaviour, MediaHost } from "./MediaHost.ts"
import { eventually, startRouter, temporaryFolder } from "./Router.ts"
import type { Router, Row } from "./Router.ts"
import { chunk, json, startUpstream, stream, USAGE } from "./Upstream.ts"
import type { Answer, Upstream } from "./Upstream.ts"

/** A router with eyes and ears, a host with media it may call, and models of all kinds behind it. */
export interface Senses {
  readonly host: MediaHost
  readonly upstream: Upstream
  readonly router: Router
  /** Asks a model; an array is the content of one user message, all else of the body can be given beside it. */
  readonly ask: (model: string, content: unknown, more?: Asking) => Effect.Effect<Reply>
}

export interface Asking {
  readonly body?: object
  readonly headers?: Record<string, string>
  /** Messages before the one that is asked. */
  readonly before?: ReadonlyArray<unknown>
}

/** An answer as the client got it. */
export interface Reply {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly body: unknown
}

export const startSenses = (
  env: { readonly [name: string]: string } = {},
  options: { readonly lanes?: boolean } = {}
): Effect.Effect<Senses, never, Scope.Scope> =>
  Effect.flatMap(startStage, ({ host, upstream }) => sensesAt(host, upstream, env, options))

/** The same without the router. */
export const startStage: Effect.Effect<Pick<Senses, "host" | "upstream">, never, Scope.Scope> = Effect.gen(
  function* () {
    const host = yield* startMediaHost
    const upstream = yield* startUpstream
    upstream.lists(json(200, { data: CATALOGUE }))
    upstream.answers(obliging)
    return { host, upstream }
  }
)

/** A router before a host and models, such as one that is started again. */
export const sensesAt = (
  host: MediaHost,
  upstream: Upstream,
  env: { readonly [name: string]: string } = {},
  options: { readonly lanes?: boolean } = {}
): Effect.Effect<Senses, never, Scope.Scope> =>
  Effect.map(
    startRouter(
      {
        ...{ ...upstream.env, ...host.env, ...bundledTools() },
        ...{ VISION_MODEL: "test/vision", UPSTREAM_RETRIES: "0" },
        ...env
      },
      options
    ),
    (router) => ({ host, upstream, router, ask: asking(router) })
  )

/** They start in a quarter of the time that those of most hosts do; what decodes is tried with the host's own elsewhere. */
const bundledTools = (): { readonly [name: string]: string } => {
  const host = `${process.platform}-${process.arch}`
  try {
    const [FFMPEG_PATH, FFPROBE_PATH] = [
      fromHere.resolve(`@ffmpeg-binary/${host}/ffmpeg`),
      fromHere.resolve(`@ffprobe-installer/${host}/ffprobe`)
    ]
    for (const path of [FFMPEG_PATH, FFPROBE_PATH]) chmodSync(path, 0o755)
    return { FFMPEG_PATH, FFPROBE_PATH }
  } catch {
    return {}
  }
}

const fromHere = createRequire(import.meta.url)

const asking =
  (router: Router): Senses["ask"] =>
  (model, content, { before = [], body, headers } = {}) =>
    Effect.gen(function* () {
      const asked = { model, messages: [...before, { role: "user", content }], ...body }
      const response = yield* router.post(asked, {
        headers: { "content-type": "application/json", ...headers },
        signal: AbortSignal.timeout(20_000)
      })
      const text = yield* Effect.promise(() => response.text())
      return { status: response.status, headers: response.headers, text, body: parseJson(text) }
    })

const model = (id: string, modalities: ReadonlyArray<string>, context: number) => ({
  id: `test/${id}`,
  name: id,
  created: 1,
  context_length: context,
  architecture: { input_modalities: modalities, output_modalities: ["text"] },
  pricing: { prompt: "0.000001", completion: "0.000002" }
})

/** What each takes; `test/unlisted` is in nobody's catalogue. */
const CATALOGUE = [
  model("blind", ["text"], 128_000),
  model("eyes", ["text", "image"], 128_000),
  model("vision", ["text", "image"], 200_000),
  model("film", ["text", "image", "video"], 1_000_000),
  model("film-alone", ["text", "video"], 1_000_000),
  model("ears", ["text", "audio"], 128_000)
]

/** Answers as the model it was asked for, in the way it was asked for; the vision model describes what it is shown, and thinks aloud. */
export const obliging: Answer = (request, response) => {
  const asked = parseJson(request.body.toString("utf8"))
  const model = stringField(asked, "model") ?? ""
  const content =
    model === "test/vision" ? "<think>Stripes?</think>A striped test card." : "Hello from upstream."
  if (isObject(asked) && asked["stream"] === true)
    return stream(
      chunk({ role: "assistant", content }, null, { model }),
      chunk({}, "stop", { model, usage: USAGE }),
      "data: [DONE]\n\n"
    )(request, response)
  const message = { role: "assistant", content, refusal: null }
  const choices = [{ index: 0, message, finish_reason: "stop" }]
  const head = { id: `gen-${model}`, object: "chat.completion", created: 1, model }
  return json(200, { ...head, choices, usage: USAGE })(request, response)
}

/** What the upstream was asked, oldest first. */
export const asked = ({ upstream }: Pick<Senses, "upstream">): ReadonlyArray<JsonObject> =>
  upstream.received.map(({ body }) => {
    const value = parseJson(body.toString("utf8"))
    return isObject(value) ? value : {}
  })

/** The last request the upstream got, as it came. */
export const lastAsked = ({ upstream }: Pick<Senses, "upstream">): string =>
  upstream.received.at(-1)?.body.toString("utf8") ?? ""

export const messagesOf = (request: JsonObject | undefined): ReadonlyArray<unknown> =>
  arrayField(request, "messages")

/** The content parts of a message. */
export const partsOf = (request: JsonObject | undefined, message = 0): ReadonlyArray<unknown> =>
  arrayField(messagesOf(request)[message], "content")

/** What a part says, or what type it is of. */
export const sketch = (part: unknown): string => stringField(part, "text") ?? `<${stringField(part, "type")}>`

/** All text of a message. */
export const wordsOf = (request: JsonObject | undefined, message = 0): string => {
  const content = field(messagesOf(request)[message], "content")
  return typeof content === "string" ? content : partsOf(request, message).map(sketch).join("\n")
}

/** The data links of a message's pictures. */
export const picturesOf = (request: JsonObject | undefined, message = 0): ReadonlyArray<string> =>
  partsOf(request, message).flatMap((part) => stringField(field(part, "image_url"), "url") ?? [])

/** How often something was asked of the host. */
export const calls = ({ host }: Pick<Senses, "host">, path: string): number =>
  host.asked.filter((asked) => asked.path.replace(/\?.*/, "") === path).length

/** Every row, oldest first, once there are this many and all are closed. */
export const rowsOf = (
  { router }: Pick<Senses, "router">,
  count: number
): Effect.Effect<ReadonlyArray<Row>> =>
  eventually(router.rowsNow, (rows) => rows.length >= count && rows.every((row) => row.state !== "running"))

/** Serves a file, but not before it is let go. */
export interface Gate {
  readonly behaviour: Behaviour
  /** Waits until somebody stands before it. */
  readonly reached: Effect.Effect<void>
  /** Lets all through that stand before it now, and keeps nobody from then on. */
  readonly open: () => void
}

export const gate = (content: Uint8Array): Gate => {
  const serve = serving(content)
  const held: Array<() => void> = []
  let isOpen = false
  return {
    behaviour: (request, response) =>
      isOpen ? serve(request, response) : void held.push(() => serve(request, response)),
    reached: Effect.asVoid(
      eventually(
        Effect.sync(() => held.length),
        (count) => count > 0
      )
    ),
    open: () => {
      isOpen = true
      for (const release of held) release()
    }
  }
}

/** The ffmpeg the router would find, looked for once. */
const ffmpeg = Effect.suspend(() => Effect.promise(() => (found ??= Effect.runPromise(findFfmpeg))))

let found: Promise<string> | undefined

const findFfmpeg = Effect.gen(function* () {
  const folder = yield* temporaryFolder
  const tools = MediaTools.Default.pipe(
    Layer.provide(Layer.mergeAll(Subprocess.Default, Workspace.Default)),
    Layer.provide(AppConfig.layer({ DATA_DIR: folder })),
    Layer.provide(Logger.minimumLogLevel(LogLevel.None))
  )
  const { path } = yield* Effect.flatMap(MediaTools, ({ need }) => need("ffmpeg")).pipe(Effect.provide(tools))
  return path
}).pipe(Effect.scoped, Effect.orDie)

/** Little films and sounds, made on the spot; the same recipe is the same file, and made once. */
export const makeClips = <Name extends string>(
  recipes: Readonly<Record<Name, ReadonlyArray<string>>>
): Effect.Effect<Readonly<Record<Name, Buffer>>> =>
  Effect.map(ffmpeg, (program) => Records.map(recipes, (recipe, name) => clipBy(program, name, recipe)))

const clipBy = (program: string, name: string, recipe: ReadonlyArray<string>): Buffer => {
  const key = JSON.stringify([extname(name), recipe])
  const known = clips.get(key)
  if (known !== undefined) return known
  const folder = mkdtempSync(join(tmpdir(), "percept-clip-"))
  try {
    const path = join(folder, name)
    execFileSync(program, ["-v", "error", "-nostdin", ...recipe, path], { timeout: 20_000 })
    const made = readFileSync(path)
    clips.set(key, made)
    return made
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const clips = new Map<string, Buffer>()

/** A film of a test card, two seconds long; another number is another film that looks the same. */
export const film = (number = 1): ReadonlyArray<string> => [
  ...["-f", "lavfi", "-i", "testsrc2=d=2:s=160x90:r=10"],
  ...["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-metadata", `title=Film ${number}`]
]

/** The same with somebody talking. */
export const talkie: ReadonlyArray<string> = [
  ...["-f", "lavfi", "-i", "testsrc2=d=3:s=160x90:r=10"],
  ...["-t", "3", "-i", new URL("../fixtures/audio/speech.opus", import.meta.url).pathname],
  ...["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac", "-shortest"]
]

/** Stands before ffmpeg and counts how often it is started. */
export const countedFfmpeg: Effect.Effect<
  { readonly path: string; readonly runs: () => number },
  never,
  Scope.Scope
> = Effect.gen(function* () {
  const folder = yield* temporaryFolder
  const program = yield* ffmpeg
  const path = join(folder, "ffmpeg")
  const log = join(folder, "runs")
  writeFileSync(path, `#!/bin/sh\necho run >> '${log}'\nexec '${program}' "$@"\n`)
  chmodSync(path, 0o755)
  return { path, runs: () => (existsSync(log) ? readFileSync(log, "utf8").split("\n").length - 1 : 0) }
})
