import { assert, describe, it, layer } from "@effect/vitest"
import { Effect } from "effect"
import { execFile } from "node:child_process"
import { chmodSync, copyFileSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { promisify } from "node:util"
import { root } from "../scripts/fresh.mjs"
import { obey } from "../src/cli.ts"
import { isObject, parseJson } from "../src/domain/Json.ts"
import { driverFile } from "../src/services/database/sqliteDriver.ts"
import { documents } from "./support/Documents.ts"
import { foreignCommands } from "./support/ForeignCommands.ts"
import { blocksOf, codeOf, commandsOf } from "./support/Markdown.ts"
import { startMediaHost } from "./support/MediaHost.ts"
import { startRouter, temporaryFolder } from "./support/Router.ts"
import { completion, startUpstream, stream, streamText } from "./support/Upstream.ts"
import { linkWeights } from "./support/Weights.ts"
import { fixture } from "./support/Words.ts"

const KEY = "of-the-documents"

const run = promisify(execFile)

/** What a reader has: a running router, its files, the commands of this project, and the web. */
class Desk extends Effect.Service<Desk>()("test/Desk", {
  scoped: Effect.gen(function* () {
    const [upstream, host, folder] = yield* Effect.all([startUpstream, startMediaHost, temporaryFolder])
    const router = yield* startRouter({ ...upstream.env, ...host.env, API_KEYS: KEY })
    upstream.answers((request, response) => {
      const asked = parseJson(request.body.toString())
      const streams = isObject(asked) && asked["stream"] === true
      const answer = streams
        ? stream(streamText(["Hello ", "from upstream."]))
        : completion("Hello from upstream.")
      answer(request, response)
    })
    linkWeights(router.dataDir)
    symlinkSync(router.dataDir, join(folder, "data"))
    copyFileSync(join(root, ".env.example"), join(folder, ".env.example"))
    copyFileSync(fixture("speech.opus"), join(folder, "speech.wav"))
    const clip = host.serve("/clip.mp4", fixture("no-sound.mp4"))

    const bin = join(folder, "bin")
    mkdirSync(bin)
    const program = (name: string, text: string) => {
      writeFileSync(join(bin, name), text)
      chmodSync(join(bin, name), 0o755)
    }
    program("percept", `#!/bin/sh\nexec "${process.execPath}" "${join(root, "dist/main.js")}" "$@"\n`)
    program("sqlite3", `#!/bin/sh\nexec "${process.execPath}" "${join(bin, "sql.cjs")}" "$@"\n`)
    program("sql.cjs", SQLITE(driverFile()))

    /** The same text, with what is somewhere else in the world put where it is here. */
    const placed = (text: string) =>
      text
        .replaceAll("http://127.0.0.1:8000", router.url)
        .replaceAll(/https:\/\/[\w./-]+\.mp4/g, clip.href)
        .replaceAll(/https:\/\/www\.youtube\.com\/watch\?v=[\w-]+/g, clip.href)

    const shell = (script: string) =>
      Effect.promise(() =>
        run("bash", ["--norc", "-euo", "pipefail", "-c", `${CURL}\n${placed(script)}`], {
          cwd: folder,
          env: {
            ...upstream.env,
            PATH: `${bin}:${process.env["PATH"]}`,
            HOME: folder,
            DATA_DIR: router.dataDir,
            KEY
          }
        }).catch((failed: unknown) => Promise.reject(new Error(`${script}\n${outputOf(failed)}`)))
      )
    return { url: router.url, placed, shell }
  })
}) {}

const outputOf = (failed: unknown): string =>
  isObject(failed) ? `${String(failed["stdout"])}${String(failed["stderr"])}` : String(failed)

/** As a reader's curl, but with the key of this router, and failing where there is no answer to be glad of. */
const CURL =
  'curl() { command curl --fail-with-body --silent --show-error -H "authorization: Bearer $KEY" "$@"; }'

const SQLITE = (driver: string) => `
const Database = require(${JSON.stringify(driver)})
const [file, sql] = process.argv.slice(2)
const statement = new Database(file, { fileMustExist: true }).prepare(sql)
if (statement.reader) for (const row of statement.raw().iterate()) console.log(row.join("|"))
else statement.run()
`

const isForeign = (command: string) => foreignCommands.find(({ starts }) => starts.test(command))

/** It says so when something is missing on this machine. */
const MAY_FAIL = /^percept doctor$/

/** Their commands have a test of their own. */
const ELSEWHERE = new Set(["docs/command-line.md", "docs/library.md"])

const readable = documents.filter(({ path, text }) => !ELSEWHERE.has(path) && /^```(sh|js|json)$/m.test(text))

const blocksIn = (text: string, language: string): ReadonlyArray<string> =>
  blocksOf(text)
    .filter((block) => block.language === language)
    .map((block) => block.text)

layer(Desk.Default, { timeout: "60 seconds" })("the commands of", (it) => {
  it.effect.each(readable)(
    "$path do what they say, and its JSON is answered",
    ({ text }) =>
      Effect.gen(function* () {
        const { placed, shell, url } = yield* Desk
        for (const block of blocksIn(text, "sh")) {
          const own = commandsOf(block).filter((command) => isForeign(command) === undefined)
          if (own.length === 0) continue
          const script = own.map((command) =>
            MAY_FAIL.test(command) ? `${command} || [ $? -eq 1 ]` : command
          )
          const { stdout } = yield* shell(script.join("\n"))
          const showsVideo = own.some((command) => /percept\/inspect[^]*(\.mp4|youtube)/.test(command))
          if (showsVideo) assert.match(stdout, /\[image 1: jpeg/)
        }
        for (const block of blocksIn(text, "json")) yield* answered(url, placed(block))
        for (const block of blocksIn(text, "js")) {
          const script = placed(block).replace(/apiKey: "[^"]*"/, `apiKey: "${KEY}"`)
          const { stdout } = yield* Effect.promise(() =>
            run(process.execPath, ["--input-type=module", "--eval", script], { cwd: root })
          )
          assert.strictEqual(stdout, "Hello from upstream.")
        }
      }),
    60_000
  )
})

describe.each(documents)("$path", ({ text }) => {
  it("asks of foreign machines only what they can do", () => {
    for (const command of blocksIn(text, "sh").flatMap(commandsOf))
      assert.isUndefined(isForeign(command)?.check(command), command)
  })
})

/** The words there may be after these, as their help has them. */
const wordsAfter = (...words: ReadonlyArray<string>) =>
  Effect.consoleWith((console) => {
    let help = ""
    const log = (text: unknown) => Effect.sync(() => void (help += String(text)))
    return obey([...words, "--help"]).pipe(
      Effect.withConsole({ ...console, log }),
      Effect.map(() => Array.from(help.matchAll(/^ {2}(?:- )?([a-z][a-z-]*)/gm), ([, word = ""]) => word))
    )
  })

/** Whether words lead to a command there is; what comes after that is its own matter. */
const isCommand = ([first = "", second]: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    if (!(yield* wordsAfter()).includes(first)) return false
    const more = first === "help" ? [] : yield* wordsAfter(first)
    return second === undefined || more.length === 0 || more.includes(second)
  })

describe("the commands that are named", () => {
  const named = documents.flatMap(({ text }) =>
    [...codeOf(text), ...blocksIn(text, "sh").flatMap((block) => block.split("\n"))].flatMap((code) =>
      Array.from(
        code.matchAll(/(?:^|(?<!:)\s)(?:percept|main\.js)((?: (?!percept\b)[a-z][a-z-]*)+)/g),
        ([, words = ""]) => words.trim()
      )
    )
  )

  it.effect("are there", () =>
    Effect.gen(function* () {
      const different = [...new Set(named)]
      assert.isAbove(different.length, 8)
      for (const words of different) assert.isTrue(yield* isCommand(words.split(" ")), `percept ${words}`)
    })
  )

  it.effect("are told from those that are not", () =>
    Effect.gen(function* () {
      for (const wrong of ["models resove", "doctr", "db", "keys"])
        assert.strictEqual(yield* isCommand(wrong.split(" ")), ["db", "keys"].includes(wrong), wrong)
    })
  )
})

/** A JSON block that is a request is one that is answered, by the model that shows what it was given. */
const answered = (url: string, block: string) =>
  Effect.promise(async () => {
    const body = parseJson(block)
    const path = isObject(body) && "messages" in body ? "/v1/chat/completions" : "/v1/completions"
    if (!isObject(body) || !("messages" in body || "prompt" in body)) return
    const response = await fetch(`${url}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${KEY}` },
      body: JSON.stringify({ ...body, model: "percept/inspect" })
    })
    assert.strictEqual(response.status, 200, await response.text())
  })

describe("the foreign commands", () => {
  const all = documents.flatMap(({ text }) =>
    blocksOf(text).flatMap(({ language, text: block }) => (language === "sh" ? commandsOf(block) : []))
  )

  it("are all in some document", () => {
    for (const { starts } of foreignCommands)
      assert.isTrue(
        all.some((command) => starts.test(command)),
        String(starts)
      )
  })

  for (const wrong of [
    "npm run nothing",
    "npm test -- test/nothing.test.ts",
    "docker compose --profile nothing up",
    "docker compose exec nothing percept doctor",
    "docker build --tag other .",
    "sudo install --mode=644 deploy/nothing.service /etc/systemd/system/nothing.service",
    "sudo install --mode=600 .env /etc/other.env",
    "sudo npm install --global --prefix /opt ./percept-0.1.0.tgz",
    "sudo DATA_DIR=/var/lib/percept percept keys list",
    "sudo systemd-run --property=EnvironmentFile=/etc/other.env percept keys list",
    "sudo systemd-run --property=EnvironmentFile=/etc/percept.env --setenv=DATA_DIR=/var/lib/other percept keys list"
  ])
    it(`do not take ${wrong}`, () => assert.isString(isForeign(wrong)?.check(wrong)))

  it("are told apart from those that are run", () => {
    for (const own of ["percept doctor", "curl http://127.0.0.1:8000/healthz", "cp .env.example .env"])
      assert.isUndefined(isForeign(own), own)
  })
})

describe("the reading of commands", () => {
  it("keeps together what belongs together", () =>
    assert.deepStrictEqual(commandsOf("# why\na \\\n  -d 'b\nc'   # d\n\ne \"#f\" # g"), [
      "a \\\n  -d 'b\nc'",
      'e "#f"'
    ]))
})
