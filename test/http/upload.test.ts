import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber } from "effect"
import { createHash, randomBytes } from "node:crypto"
import {
  createReadStream,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  writeFileSync
} from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { connect } from "node:net"
import { join } from "node:path"
import OpenAI, { toFile } from "openai"
import type { Failure } from "../../src/domain/Errors.ts"
import { field, numberField, stringField } from "../../src/domain/Json.ts"
import { NodeExchange } from "../../src/http/NodeExchange.ts"
import { receive } from "../../src/http/Upload.ts"
import { CLIENT_KEY } from "../support/Clients.ts"
import { eventually, temporaryFolder } from "../support/Router.ts"

const MB = 1024 * 1024

/** A server that takes uploads and says what it got; each has a folder of its own. */
const startServer = ({ fileBytes = MB, millis = 5000 } = {}) =>
  Effect.gen(function* () {
    const root = yield* temporaryFolder
    const exits: Array<Exit.Exit<unknown, Failure>> = []
    const listeners: Array<number> = []
    let count = 0
    const server = createServer((request, response) => {
      const folder = join(root, String(count++))
      mkdirSync(folder)
      const exchange = new NodeExchange("req_test", request, response, { bytes: 0, millis: 0 })
      const taking = Effect.runFork(
        receive(request, folder, { fileBytes, millis }).pipe(
          Effect.tap((upload) =>
            Effect.sync(() => exchange.json(200, Buffer.from(JSON.stringify({ folder, ...upload }))))
          ),
          Effect.tapError((failure) => Effect.sync(() => exchange.fail(failure))),
          Effect.onExit((exit) =>
            Effect.sync(() => {
              exits.push(exit)
              listeners.push(request.listenerCount("data"))
            })
          )
        )
      )
      response.once("close", () => Effect.runFork(Fiber.interrupt(taking)))
    })
    yield* Effect.acquireRelease(
      Effect.async<void>((resume) => {
        server.listen(0, "127.0.0.1", () => resume(Effect.void))
      }),
      () =>
        Effect.async<void>((resume) => {
          server.close(() => resume(Effect.void))
          server.closeAllConnections()
        })
    )
    const { port } = server.address() as AddressInfo
    return { port, url: `http://127.0.0.1:${port}`, root, exits, listeners }
  })

type Server = Effect.Effect.Success<ReturnType<typeof startServer>>

interface Got {
  readonly status: number
  readonly body: unknown
}

/** Sends these bytes, says no more, and reads the answer; the connection stays open until the answer is there. */
const say = ({ port }: Server, type: string, body: Buffer | string, headers: ReadonlyArray<string> = []) =>
  Effect.async<Got>((resume) => {
    const socket = connect(port, "127.0.0.1")
    let text = ""
    const bytes = Buffer.from(body)
    const length = headers.some((header) => /^(content-length|transfer-encoding):/.test(header))
      ? []
      : [`content-length: ${bytes.length}`]
    const typed = type === "" ? [] : [`content-type: ${type}`]
    socket.write(["POST /upload HTTP/1.1", "host: x", ...typed, ...length, ...headers, "", ""].join("\r\n"))
    socket.write(bytes)
    socket.on("error", () => {})
    socket.on("data", (chunk) => {
      text += chunk.toString("utf8")
      const [, head = "", answer = ""] = /^(.*?)\r\n\r\n(.*)$/s.exec(text) ?? []
      if (Number(/content-length: (\d+)/i.exec(head)?.[1] ?? NaN) !== Buffer.byteLength(answer)) return
      socket.destroy()
      resume(Effect.succeed({ status: Number(head.slice(9, 12)), body: JSON.parse(answer) }))
    })
    return Effect.sync(() => socket.destroy())
  })

const TYPE = "multipart/form-data; boundary=b"

const file = (content: Buffer | string, filename = 'filename="a.wav"', name = "file") =>
  Buffer.concat([
    Buffer.from(`--b\r\nContent-Disposition: form-data; name="${name}"; ${filename}\r\n\r\n`),
    Buffer.from(content),
    Buffer.from("\r\n")
  ])

const text = (name: string, value: Buffer | string) =>
  Buffer.concat([
    Buffer.from(`--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n`),
    Buffer.from(value),
    Buffer.from("\r\n")
  ])

const form = (...parts: ReadonlyArray<Buffer | string>) =>
  Buffer.concat([...parts.map((part) => Buffer.from(part)), Buffer.from("--b--\r\n")])

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex")

const assertKept = (body: unknown, bytes: Uint8Array) => {
  const kept = field(body, "file")
  assert.strictEqual(numberField(kept, "bytes"), bytes.length)
  assert.strictEqual(stringField(kept, "sha256"), sha256(bytes))
  const path = stringField(kept, "path") ?? ""
  assert.strictEqual(sha256(readFileSync(path)), sha256(bytes))
  assert.strictEqual(statSync(path).mode & 0o777, 0o600)
}

describe("an upload", () => {
  it.scopedLive("from a browser's form arrives whole, with its fields", () =>
    Effect.gen(function* () {
      const server = yield* startServer({ fileBytes: 8 * MB })
      const bytes = randomBytes(7 * MB + 11)
      const body = new FormData()
      body.append("model", "whisper-1")
      body.append("prompt", "žluťoučký\nkůň 🐎")
      body.append("timestamp_granularities[]", "segment")
      body.append("timestamp_granularities[]", "word")
      body.append("timestamp_granularities[]", "letter")
      body.append("file", new Blob([bytes]), 'Žluťoučký "kůň".mp3')
      body.append("language", "")
      const response = yield* Effect.promise(() => fetch(server.url, { method: "POST", body }))
      assert.strictEqual(response.status, 200)
      const got: unknown = yield* Effect.promise(() => response.json())
      assert.deepStrictEqual(field(got, "fields"), {
        model: "whisper-1",
        prompt: "žluťoučký\r\nkůň 🐎",
        "timestamp_granularities[]": ["segment", "word", "letter"],
        language: ""
      })
      assertKept(got, bytes)
    })
  )

  it.scopedLive("from the official client arrives whole, read from memory or from disk", () =>
    Effect.gen(function* () {
      const server = yield* startServer()
      const openai = new OpenAI({ apiKey: CLIENT_KEY, baseURL: `${server.url}/v1`, maxRetries: 0 })
      const bytes = randomBytes(300_000)
      const path = join(yield* temporaryFolder, "speech.mp3")
      writeFileSync(path, bytes)
      for (const sound of [
        yield* Effect.promise(() => toFile(bytes, "speech.mp3")),
        createReadStream(path)
      ]) {
        const got: unknown = yield* Effect.promise(() =>
          openai.audio.transcriptions.create({
            file: sound,
            model: "whisper-1",
            response_format: "verbose_json",
            timestamp_granularities: ["segment"],
            temperature: 0.5
          })
        )
        assert.strictEqual(stringField(field(got, "file"), "filename"), "speech.mp3")
        const fields = field(got, "fields")
        assert.deepInclude(fields, {
          model: "whisper-1",
          response_format: "verbose_json",
          temperature: "0.5"
        })
        assert.deepInclude(fields, { "timestamp_granularities[]": "segment" })
        assertKept(got, bytes)
      }
    })
  )

  it.scopedLive("may have text before and after it, and end without a last line", () =>
    Effect.gen(function* () {
      const server = yield* startServer()
      const body = `This is a form.\r\n${file("sound").toString()}--b-- \r\nThat was a form.`
      assertKept((yield* say(server, TYPE, body)).body, Buffer.from("sound"))
      const bare = form(file("sound")).subarray(0, -2)
      assertKept((yield* say(server, TYPE, bare)).body, Buffer.from("sound"))
    })
  )

  const names: ReadonlyArray<readonly [string, string]> = [
    ['filename="../../../etc/passwd"', "passwd"],
    ['filename="/etc/passwd"', "passwd"],
    ['filename="C:\\Users\\me\\talk.mp3"', "talk.mp3"],
    ['filename=".."', ".."],
    ['filename="upload"', "upload"],
    ['filename="a\\"b.mp3"', 'a"b.mp3'],
    ["filename=bare.mp3", "bare.mp3"],
    ['FILENAME="shout.mp3"', "shout.mp3"],
    [`filename="${"x".repeat(300)}"`, "x".repeat(200)],
    ['filename="\u202eevil.mp3"', "evil.mp3"],
    ["filename=\"plain.mp3\"; filename*=UTF-8''na%C3%AFve.mp3", "naïve.mp3"],
    ["filename=\"plain.mp3\"; filename*=UTF-8''%E0%A4%A", "plain.mp3"],
    ["filename=\"plain.mp3\"; filename*=UTF-8''..%2F..%2Fx", "x"],
    ['filename=""', ""]
  ]
  for (const [disposition, shown] of names)
    it.scopedLive(`with ${disposition.slice(0, 60)} is called so, and kept under a name of ours`, () =>
      Effect.gen(function* () {
        const server = yield* startServer()
        const { body, status } = yield* say(server, TYPE, form(file("sound", disposition)))
        assert.strictEqual(status, 200)
        assert.strictEqual(stringField(field(body, "file"), "filename"), shown)
        const folder = stringField(body, "folder") ?? ""
        assert.strictEqual(stringField(field(body, "file"), "path"), join(folder, "upload"))
        assert.deepStrictEqual(readdirSync(server.root), ["0"])
        assert.deepStrictEqual(readdirSync(folder), ["upload"])
      })
    )

  it.scopedLive("may have a field of any name", () =>
    Effect.gen(function* () {
      const server = yield* startServer()
      const body = form(text("__proto__", "x"), text("constructor", "y"), file("sound"))
      const got = yield* say(server, TYPE, body)
      assert.deepStrictEqual(Object.entries(field(got.body, "fields") ?? {}).length, 2)
    })
  )
})

describe("the limit", () => {
  it.scopedLive("is the last byte that is taken", () =>
    Effect.gen(function* () {
      const server = yield* startServer({ fileBytes: 200_000 })
      const just = randomBytes(200_000)
      assertKept((yield* say(server, TYPE, form(file(just)))).body, just)
      const { body, status } = yield* say(server, TYPE, form(file(randomBytes(200_001))))
      assert.strictEqual(status, 413)
      assert.match(stringField(field(body, "error"), "message") ?? "", /AUDIO_MAX_MB/)
    })
  )

  it.scopedLive("is answered as soon as it is passed, whatever is still to come", () =>
    Effect.gen(function* () {
      const server = yield* startServer({ fileBytes: 100_000, millis: 60_000 })
      const endless = Buffer.concat([file(randomBytes(150_000)).subarray(0, -2)])
      const size = (endless.length + 1000).toString(16)
      const chunked = Buffer.concat([Buffer.from(`${size}\r\n`), endless])
      const { status } = yield* say(server, TYPE, chunked, ["transfer-encoding: chunked"])
      assert.strictEqual(status, 413)
      assert.deepStrictEqual(server.listeners, [0])
      assert.isAtMost(statSync(join(server.root, "0", "upload")).size, 100_000)
    })
  )

  it.scopedLive("is told from the length alone, and nothing is read", () =>
    Effect.gen(function* () {
      const server = yield* startServer({ millis: 60_000 })
      const { status } = yield* say(server, TYPE, "", [`content-length: ${3 * MB}`])
      assert.strictEqual(status, 413)
      assert.deepStrictEqual(readdirSync(join(server.root, "0")), [])
    })
  )

  it.scopedLive("of time ends an upload that stalls", () =>
    Effect.gen(function* () {
      const server = yield* startServer({ millis: 200 })
      for (const body of ["", file("sou").subarray(0, -2), "--b\r\nContent-Dis"]) {
        const { body: answer, status } = yield* say(server, TYPE, body, ["content-length: 9999"])
        assert.strictEqual(status, 408)
        assert.strictEqual(stringField(field(answer, "error"), "code"), "request_timeout")
      }
    })
  )

  for (const [what, body] of [
    ["a text", form(text("prompt", randomBytes(MB + 1).toString("base64")), file("sound"))],
    ["what stands before the form", form("x".repeat(MB + 1), "\r\n", file("sound"))],
    ["what stands after the form", Buffer.concat([form(file("sound")), Buffer.alloc(MB + 1)])]
  ] as const)
    it.scopedLive(`holds for ${what} too`, () =>
      Effect.gen(function* () {
        const server = yield* startServer({ fileBytes: 4 * MB })
        const { body: answer, status } = yield* say(server, TYPE, body)
        assert.strictEqual(status, 413)
        assert.match(stringField(field(answer, "error"), "message") ?? "", /beside the file/)
      })
    )
})

describe("a client that goes away", () => {
  it.scopedLive("interrupts its upload, and the file is closed", () =>
    Effect.gen(function* () {
      const server = yield* startServer({ millis: 60_000 })
      const socket = connect(server.port, "127.0.0.1")
      socket.write(`POST / HTTP/1.1\r\nhost: x\r\ncontent-type: ${TYPE}\r\ncontent-length: 999999\r\n\r\n`)
      socket.write(file("some sound").subarray(0, -2))
      const path = join(server.root, "0", "upload")
      const opened = Effect.sync(() => openFiles().includes(path))
      yield* eventually(opened, (yes) => yes)
      socket.destroy()
      const [exit] = yield* eventually(
        Effect.sync(() => server.exits),
        (exits) => exits.length === 1
      )
      assert.isTrue(exit !== undefined && Exit.isInterrupted(exit))
      assert.deepStrictEqual(server.listeners, [0])
      yield* eventually(opened, (yes) => !yes)
    })
  )
})

describe("a request of another kind", () => {
  const others: ReadonlyArray<readonly [string, ReadonlyArray<string>]> = [
    ["application/json", []],
    ["", []],
    ["multipart/mixed; boundary=b", []],
    ["multipart/form-datax; boundary=b", []],
    [TYPE, ["content-encoding: gzip"]]
  ]
  for (const [type, headers] of others)
    it.scopedLive(`('${type}' ${headers.join()}) is told what to send`, () =>
      Effect.gen(function* () {
        const server = yield* startServer()
        const { body, status } = yield* say(server, type, form(file("sound")), headers)
        assert.strictEqual(status, 415)
        assert.match(stringField(field(body, "error"), "message") ?? "", /multipart\/form-data|encoded/)
        assert.deepStrictEqual(readdirSync(join(server.root, "0")), [])
      })
    )
})

const part = (...head: ReadonlyArray<string>) => `--b\r\n${head.join("\r\n")}\r\n\r\nx\r\n`
const DISPOSITION = 'Content-Disposition: form-data; name="a"'

describe("a form that cannot be", () => {
  const forms: ReadonlyArray<readonly [string, Buffer | string, RegExp, (string | null)?]> = [
    ["is empty", "", /before its last boundary/],
    ["is no form", "hello hello hello", /before its last boundary/],
    [
      "has another boundary",
      form(file("sound")).toString().replaceAll("--b", "--c"),
      /before its last boundary/
    ],
    ["has no end", file("sound"), /before its last boundary/],
    [
      "ends in a head",
      Buffer.concat([file("sound"), Buffer.from("--b\r\nContent-Disp")]),
      /before its last boundary/
    ],
    ["ends in a boundary", Buffer.concat([file("sound"), Buffer.from("--b-")]), /before its last boundary/],
    ["has lines that end with LF alone", form(file("sound")).toString().replaceAll("\r", ""), /boundary/],
    ["has a boundary that goes on", `${file("sound").toString()}--bb\r\n`, /alone on its line/],
    ["has a part without a head", form("--b\r\n\r\nx\r\n"), /has no name/],
    ["has a part without a disposition", form(part("Content-Type: text/plain")), /has no name/],
    ["has a part without a name", form(part("Content-Disposition: form-data")), /has no name/],
    ["has an attachment", form(part('Content-Disposition: attachment; name="a"')), /has no name/],
    ["has a name without its end", form(part('Content-Disposition: form-data; name="a')), /has no name/],
    ["has two names in one", form(part('Content-Disposition: form-data; name="a"; name="b"')), /has no name/],
    ["has text behind a name", form(part('Content-Disposition: form-data; name="a" b')), /has no name/],
    ["has a line without a colon", form(part(DISPOSITION, "hello")), /head of a part cannot be read/],
    ["has a folded line", form(part(DISPOSITION, " folded: yes")), /head of a part cannot be read/],
    [
      "has a name with a blank",
      form(part("Content Disposition: form-data")),
      /head of a part cannot be read/
    ],
    [
      "has a NUL in a head",
      form(part('Content-Disposition: form-data; name="a\0b"')),
      /head of a part cannot be read/
    ],
    ["has a bare CR in a head", form(part(`${DISPOSITION}\rx: y`)), /head of a part cannot be read/],
    ["has two dispositions", form(part(DISPOSITION, DISPOSITION)), /two lines 'content-disposition'/],
    ["is encoded for transfer", form(part(DISPOSITION, "Content-Transfer-Encoding: base64")), /as they are/],
    ["has a head without end", `--b\r\n${DISPOSITION}${"x".repeat(9000)}`, /head of a part is too long/],
    ["has a long head", form(part(DISPOSITION, `X: ${"x".repeat(9000)}`)), /head of a part is too long/],
    ["has a long boundary's line", `--b${" ".repeat(9000)}`, /line is too long/],
    ["has too many parts", form(...Array.from({ length: 65 }, () => text("a", ""))), /more than 64 parts/],
    ["has no file", form(text("model", "whisper-1")), /'file' is missing/, "file"],
    ["has no parts", form(), /'file' is missing/, "file"],
    ["has a text for a file", form(text("file", "@talk.mp3")), /'file' is text/, "file"],
    ["has an empty file", form(file("")), /'file' is empty/, "file"],
    ["has no file chosen", form(file("", 'filename=""')), /'file' is empty/, "file"],
    ["has two files", form(file("one"), file("two")), /'file' is there more than once/, "file"],
    ["has a file of another name", form(file("one", 'filename="a"', "sound")), /'sound' is a file/, "sound"],
    ["has a text that is none", form(text("prompt", Buffer.from([0xc3, 0x28])), file("x")), /UTF-8/, "prompt"]
  ]
  for (const [what, body, says, param] of forms)
    it.scopedLive(`since it ${what} is refused, in a sentence`, () =>
      Effect.gen(function* () {
        const server = yield* startServer()
        assertRefused(yield* say(server, TYPE, body), says, param ?? null)
      })
    )

  for (const type of ["multipart/form-data", "multipart/form-data; boundary=a; boundary=b"])
    it.scopedLive(`since '${type}' names no boundary is refused, in a sentence`, () =>
      Effect.gen(function* () {
        assertRefused(yield* say(yield* startServer(), type, form(file("sound"))), /names no boundary/, null)
      })
    )
})

const assertRefused = ({ body, status }: Got, says: RegExp, param: string | null) => {
  assert.strictEqual(status, 400)
  const error = field(body, "error")
  const message = stringField(error, "message") ?? ""
  assert.match(message, says)
  assert.match(message, /^[^\n]{1,160}\.$/)
  assert.strictEqual(field(error, "param"), param)
}

/** Paths of the files this process holds open. */
const openFiles = (): ReadonlyArray<string> =>
  readdirSync("/proc/self/fd").flatMap((number) => {
    try {
      return [readlinkSync(`/proc/self/fd/${number}`)]
    } catch {
      return []
    }
  })
