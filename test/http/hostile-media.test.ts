import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { chmodSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { arrayField, field, isObject, parseJson, stringField } from "../../src/domain/Json.ts"
import * as files from "../support/HostileFiles.ts"
import { noise, png } from "../support/Images.ts"
import * as hosts from "../support/MediaHost.ts"
import type { Behaviour, Canary } from "../support/MediaHost.ts"
import { rowsIn, startProgram } from "../support/Program.ts"
import { eventually, temporaryFolder } from "../support/Router.ts"
import { completion, json, startUpstream } from "../support/Upstream.ts"

/** What a hostile file may try to get at. */
interface Bait {
  /** A film on the router's own disk. */
  readonly film: string
  /** Somebody who must not be called. */
  readonly canary: Canary
}

interface Trap {
  readonly name: string
  readonly content: (bait: Bait) => Uint8Array | Behaviour | Promise<Uint8Array>
  /** It comes along with the request, and is not linked to. */
  readonly inline?: string
}

/** What nothing can be made of: the model is told which and why, a strict client as well. */
interface Hopeless extends Trap {
  readonly says: string
  readonly code: string
}

/** What something can be made of after all. */
interface Curious extends Trap {
  readonly shows: ReadonlyArray<RegExp>
}

const clip = files.kept("clip.mp4")
const film = files.kept("film.webm")
const jpeg = (share: number) => async () => {
  const whole = await noise(120, 120).jpeg().toBuffer()
  return whole.subarray(0, whole.length * share)
}

const notMedia = {
  says: "What is there is not a picture, video or sound that can be taken.",
  code: "not_media"
}
const unreadable = { says: "The file could not be read; it may be damaged or cut off.", code: "broken" }
const undecodable = { says: "The image could not be decoded.", code: "broken" }
const tooLarge = { says: "The file is larger than the limit of 4 MB.", code: "too_large" }
const nothingInIt = { says: "There is neither picture nor sound in it.", code: "broken" }

const playlist = (file: string) =>
  `#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://${file}\n#EXT-X-ENDLIST\n`
const script = (file: string) => `ffconcat version 1.0\nfile '${file}'\n`
const drawing = ({ port }: Canary) =>
  `<svg xmlns="http://www.w3.org/2000/svg"><image href="http://127.0.0.1:${port}/a.png"/></svg>`

const HOPELESS: ReadonlyArray<Hopeless> = [
  {
    name: "bomb.png",
    content: () => files.pngBomb(30_000),
    says: "The image has more than 50 million pixels.",
    code: "too_large"
  },
  {
    name: "bomb.gif",
    content: () => files.gifBomb(2000, 3000),
    says: "The frames of the animation have more than 50 million pixels together.",
    code: "too_large"
  },
  { name: "lies.png", content: () => png(3000, 3000, Buffer.alloc(3000)), ...undecodable },
  {
    name: "packed.mp4",
    content: () => hosts.gzipBomb(Buffer.alloc(64 << 20)),
    says: "The server sends the file in a compressed form.",
    code: "unsupported"
  },
  { name: "bomb.zip.mp4", content: () => files.zipBomb(64), ...notMedia },
  { name: "bomb.gz.mp4", content: () => files.gzipped(64), ...notMedia },
  { name: "playlist.mp4", content: (bait) => Buffer.from(playlist(bait.film)), ...notMedia },
  { name: "script.mp4", content: (bait) => Buffer.from(script(bait.film)), ...notMedia },
  {
    name: "script within.mp4",
    inline: "video/mp4",
    content: (bait) => Buffer.from(script(bait.film)),
    ...notMedia
  },
  {
    name: "hidden-script.mp4",
    content: (bait) => files.hollow(clip, Buffer.from(`\n${script(bait.film)}`)),
    ...unreadable
  },
  { name: "page.mp4", content: () => hosts.page(), ...notMedia },
  { name: "drawing.svg", content: ({ canary }) => Buffer.from(drawing(canary)), ...notMedia },
  {
    name: "drawing within.svg",
    inline: "image/svg+xml",
    content: ({ canary }) => Buffer.from(drawing(canary)),
    ...notMedia
  },
  { name: "empty.mp4", content: () => Buffer.alloc(0), ...notMedia },
  { name: "random.mp4", content: () => files.random(100_000), ...notMedia },
  { name: "hollow.mp4", content: () => files.hollow(clip, files.random(100_000)), ...unreadable },
  {
    name: "hollow.png",
    content: () => Buffer.concat([files.pngBomb(64).subarray(0, 41), files.random(9000)]),
    ...undecodable
  },
  { name: "cut-off.mp4", content: () => clip.subarray(0, 3000), ...unreadable },
  { name: "cut-off.jpg", content: jpeg(0.2), ...undecodable },
  { name: "endless.webm", content: () => hosts.endless(film), ...tooLarge },
  { name: "huge.mp4", content: () => hosts.lying(clip, 5_000_000_000), ...tooLarge },
  {
    name: "longer.mp4",
    content: () => hosts.lying(clip, 100_000),
    says: "The connection broke off before the whole file had come.",
    code: "unreachable"
  },
  { name: "shorter.mp4", content: () => hosts.lying(clip, 3000), ...unreadable },
  {
    name: "half-a-day.mp4",
    content: () => files.kept("half-a-day.mp4"),
    says: "It is longer than the 4 hours that are taken.",
    code: "too_long"
  },
  { name: "words-alone.mp4", content: () => files.kept("words-alone.mp4"), ...nothingInIt }
]

const pictures = (count: number) => [
  new RegExp(`^Seen: ${count} pictures? at the times? given`, "m"),
  /^\[image\/jpeg\]$/m
]

const CURIOUS: ReadonlyArray<Curious> = [
  { name: "png-called.jpg", content: () => png(4, 4, Buffer.alloc(52)), shows: [/^\[image\/png\]$/m] },
  { name: "note.png", content: () => files.pngWithNote(64), shows: [/^\[image\/png\]$/m] },
  { name: "nearly-whole.jpg", content: jpeg(0.8), shows: [/^\[image\/jpeg\]$/m] },
  { name: "cut-off.webm", content: () => film.subarray(0, 4000), shows: pictures(3) },
  {
    name: "a-day.mp4",
    content: () => files.claiming(clip, 86_400),
    shows: [/^Length: 00:0[12] /m, ...pictures(3)]
  },
  { name: "no-time.mp4", content: () => files.claiming(clip, 0), shows: [/^\[image\/jpeg\]$/m] },
  { name: "one-picture.mp4", content: () => files.kept("one-picture.mp4"), shows: pictures(1) },
  {
    name: "cover.mp3",
    content: () => files.kept("cover.mp3"),
    shows: [/^Length: 00:01 \| Sound/m, /^Heard: 00:01 of 00:01/m]
  },
  {
    name: "sound-alone.mp4",
    content: () => files.kept("sound-alone.mp4"),
    shows: [/^Length: 00:01 \| Sound/m, /^Heard: 00:01 of 00:01/m]
  },
  {
    name: "sound-called.mp4",
    content: () => files.kept("sound.mp3"),
    shows: [/^Length: 00:01 \| Sound/m, /^Heard: 00:01 of 00:01/m]
  },
  {
    name: "a-minute.wav",
    content: () => files.wavClaiming(60, Buffer.alloc(32_000)),
    shows: [/^Heard: 00:01 of 0/m]
  }
]

/** Milliseconds, on a machine that has much else to do. */
const LONGEST = 60_000

describe.concurrent("hostile and broken files", () => {
  it.scopedLive(
    "become a note to the model, or what can be made of them",
    () =>
      Effect.gen(function* () {
        const { ask, bait, memory, output, put, shownTo, upstream } = yield* setTraps({ LOG_LEVEL: "debug" })
        const good = yield* ask(yield* put({ name: "good.mp4", content: () => clip }))
        assert.match(shownTo(good.id), /^Seen: 3 pictures/m)
        const before = memory()

        const tryOut = (trap: Hopeless | Curious) =>
          Effect.gen(function* () {
            const url = yield* put(trap)
            const { id, status, text } = yield* ask(url)
            assert.strictEqual(status, 200, `${trap.name}: ${text}`)
            const shown = shownTo(id)
            if ("says" in trap) {
              const from = trap.inline === undefined ? url : "an attached file"
              assert.include(shown, ` from ${from} should follow, but ${asClause(trap.says)}.\n`, trap.name)
              assert.notMatch(shown, /^\[/m, `${trap.name}: nothing but words`)
            } else for (const sight of trap.shows) assert.match(shown, sight, trap.name)
            const next = yield* ask()
            assert.strictEqual(next.status, 200, `after ${trap.name}: ${next.text}`)
          })
        yield* Effect.forEach([...HOPELESS, ...CURIOUS], tryOut, { concurrency: 4 })

        assert.isBelow(memory() - before, 150)
        assert.strictEqual(bait.canary.connections(), 0)
        for (const { body } of upstream.received)
          assert.notInclude(body.toString("latin1"), "the canary in the cellar")
        // The operator alone is told what it was.
        assert.match(output(), /The image has more than 50 million pixels\. \(too_large\) 30000x30000/)
      }),
    LONGEST
  )

  it.scopedLive(
    "are refused by name where the operator wants it so",
    () =>
      Effect.gen(function* () {
        const { ask, bait, memory, put, rows, upstream } = yield* setTraps({ MEDIA_STRICT: "true" })
        yield* ask(yield* put({ name: "good.mp4", content: () => clip }))
        const before = memory()

        const tryOut = (trap: Hopeless) =>
          Effect.gen(function* () {
            const { status, text } = yield* ask(yield* put(trap))
            assert.strictEqual(status, 422, `${trap.name}: ${text}`)
            const error = field(parseJson(text), "error")
            assert.deepStrictEqual(isObject(error) ? error : {}, {
              message: `The medium at 'messages[0].content[1]' cannot be used. ${trap.says}`,
              type: "invalid_request_error",
              param: "messages[0].content[1]",
              code: trap.code
            })
            const next = yield* ask()
            assert.strictEqual(next.status, 200, `after ${trap.name}: ${next.text}`)
          })
        yield* Effect.forEach(HOPELESS, tryOut, { concurrency: 4 })

        assert.isBelow(memory() - before, 150)
        assert.strictEqual(bait.canary.connections(), 0)
        assert.strictEqual(upstream.received.length, 1 + HOPELESS.length)
        const failed = (yield* rows).filter(({ state }) => state === "failed")
        assert.strictEqual(failed.length, HOPELESS.length)
        assert.isTrue(failed.every((row) => row.status_code_returned_to_client === 422))
      }),
    LONGEST
  )
})

/** A router as a process of its own, and hosts that mean it ill. */
const setTraps = Effect.fnUntraced(function* (env: { readonly [name: string]: string }) {
  const host = yield* hosts.startMediaHost
  const canary = yield* hosts.startCanary
  const upstream = yield* startUpstream
  const seer = { id: "test/seer", architecture: { input_modalities: ["text", "image"] } }
  upstream.lists(json(200, { data: [seer] }))
  upstream.answers(completion("Seen."))
  const folder = yield* temporaryFolder
  const bait: Bait = { canary, film: join(folder, "film.mp4") }
  writeFileSync(bait.film, files.kept("canary.mp4"))
  const program = yield* startProgram({
    ...{ ...host.env, ...upstream.env, ...deafTools(folder), ...env },
    ...{ DATA_DIR: join(folder, "data"), VIDEO_MAX_MB: "4", AUDIO_MAX_MB: "4", IMAGE_MAX_MB: "4" }
  })

  const put = (trap: Trap): Effect.Effect<string> =>
    Effect.promise(async () => {
      const content = await trap.content(bait)
      const path = `/${trap.name.replaceAll(" ", "-")}`
      if (typeof content === "function") return host.behave(path, content).href
      return trap.inline === undefined
        ? host.serve(path, content).href
        : `data:${trap.inline};base64,${Buffer.from(content).toString("base64")}`
    })

  /** Asks about what an address leads to, or just says hello. */
  const ask = (url?: string) =>
    Effect.gen(function* () {
      const id = `question ${(questions += 1)}`
      const content = [{ type: "text", text: id }, ...(url === undefined ? [] : [partFor(url)])]
      const response = yield* Effect.promise((signal) =>
        fetch(`${program.url}/v1/chat/completions`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ model: "test/seer", messages: [{ role: "user", content }] }),
          signal
        })
      )
      const text = yield* Effect.promise(() => response.text())
      assertNoSecrets(`${text} ${response.headers.get("x-percept-media") ?? ""}`, folder)
      return { id, status: response.status, text }
    }).pipe(
      Effect.timeout("25 seconds"),
      Effect.catchAll(() => Effect.dieMessage(`no answer about ${url?.slice(0, 100)}`))
    )
  let questions = 0

  /** What the model got in place of a question's medium, pictures and the like as their types. */
  const shownTo = (id: string): string => {
    const bodies = upstream.received.map(({ body }) => parseJson(body.toString("utf8")))
    const contents = bodies.map((body) => arrayField(arrayField(body, "messages")[0], "content"))
    const parts = contents.find(([first]) => stringField(first, "text") === id) ?? []
    const shown = parts.slice(1).map((part) => {
      const url = stringField(field(part, "image_url"), "url") ?? ""
      return (
        stringField(part, "text") ?? `[${/^data:([^;]+);base64,/.exec(url)?.[1] ?? JSON.stringify(part)}]`
      )
    })
    assertNoSecrets(shown.join("\n"), folder)
    return shown.join("\n")
  }

  /** The most megabytes the router has ever had. */
  const memory = () => {
    const status = readFileSync(`/proc/${program.pid}/status`, "utf8")
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024
  }

  const rows = eventually(
    Effect.sync(() => rowsIn(join(folder, "data"))),
    (rows) => rows.every(({ state }) => state !== "running")
  )
  return { ask, bait, memory, output: program.output, put, rows, shownTo, upstream }
})

const partFor = (url: string) => {
  const isPicture = /\.(?:png|jpg|gif|svg)$|^data:image/.test(url)
  const type = isPicture ? "image_url" : "video_url"
  if (/\.(?:mp3|wav)$/.test(url)) return { type: "text", text: `It is at ${url}` }
  return { type, [type]: { url } }
}

/** Nothing here is worth listening to, so nobody need fetch what it takes. */
const deafTools = (folder: string) => {
  const path = join(folder, "deaf")
  const said = JSON.stringify({ result: { language: "en" }, transcription: [] })
  const lines = [
    'while [ $# -gt 0 ] && [ "$1" != -of ]; do shift; done',
    `echo '${said}' > "\${2:-/dev/null}.json"`
  ]
  writeFileSync(path, ["#!/bin/sh", '[ "$1" = --help ] && exit 0', ...lines, ""].join("\n"))
  chmodSync(path, 0o755)
  return { WHISPER_CLI_PATH: path, WHISPER_MODEL_NAME: path, YTDLP_PATH: join(folder, "none") }
}

const asClause = (sentence: string) => sentence.charAt(0).toLowerCase() + sentence.slice(1, -1)

/** Nothing of decoders, addresses of memory, or the router's own disk. */
const assertNoSecrets = (text: string, folder: string) => {
  const ours = text.replaceAll(/media-evidence (?:tag=)?"?\w+/g, "")
  assert.notMatch(
    ours,
    /ffmpeg|ffprobe|vips|sharp|invalid data|moov|\b0x[0-9a-f]|ENOENT|ECONN|errno|\/proc\b/i
  )
  assert.notInclude(ours, folder)
}
