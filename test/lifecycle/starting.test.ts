import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import { cpSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { dirname, join } from "node:path"
import { mkdirSync } from "node:fs"
import { root } from "../../scripts/fresh.mjs"
import { launch, startProgram } from "../support/Program.ts"
import { temporaryFolder } from "../support/Router.ts"
import { startUpstream } from "../support/Upstream.ts"

describe("a start", () => {
  it.scopedLive("without any key ends with a curl line that works as printed", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const program = yield* startProgram({ DATA_DIR: join(folder, "data") }, { cwd: folder })
      const line = /^ {2}(curl .*)$/m.exec(program.output())?.[1] ?? ""
      const answer = JSON.parse(execFileSync("bash", ["-c", `${line} -s`], { encoding: "utf8" }))
      assert.strictEqual(answer.choices[0].message.content, "[user]\nHello!")
      assert.include(program.output(), "providers  percept")
      assert.match(program.output(), new RegExp(`^ {2}page {7}${program.url}/ui/tracking$`, "m"))
      assert.deepStrictEqual(readdirSync(folder), ["data"])
    })
  )

  it.scopedLive("reads the .env of its folder, and the environment before it", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      writeFileSync(join(folder, ".env"), "DATA_DIR=./kept-here\nLOG_LEVEL=shout\n")
      const program = yield* startProgram({ LOG_LEVEL: "none" }, { cwd: folder })
      assert.include(program.output(), join(folder, "kept-here", "percept.db"))
    })
  )

  const refusals: ReadonlyArray<readonly [name: string, env: Record<string, string>, said: RegExp]> = [
    [
      "a wrong value",
      { LISTEN_PORT: "many" },
      /^Percept cannot start: LISTEN_PORT must be .* not "many", for example LISTEN_PORT=8000\n$/
    ],
    [
      "an open address without keys",
      { LISTEN_HOST: "0.0.0.0" },
      /^Percept cannot start: .*API_KEYS=.*ALLOW_ANONYMOUS=true.*\n$/
    ],
    ["a wrong time", { REQUEST_TIMEOUT: "soon" }, /REQUEST_TIMEOUT must be .* not "soon"/]
  ]
  for (const [name, env, said] of refusals)
    it.scopedLive(`with ${name} is refused in one line`, () =>
      Effect.gen(function* () {
        const program = yield* launch({ DATA_DIR: yield* temporaryFolder, ...env })
        assert.deepStrictEqual(yield* program.ended, { code: 1, signal: null })
        assert.match(program.output(), said)
        assert.strictEqual(program.output().trimEnd().split("\n").length, 1)
      })
    )

  it.scopedLive("on a port that is taken says which, and leaves", () =>
    Effect.gen(function* () {
      const squatter = yield* Effect.acquireRelease(
        Effect.async<ReturnType<typeof createServer>>((resume) => {
          const server = createServer()
          server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
        }),
        (server) => Effect.sync(() => server.close())
      )
      const { port } = squatter.address() as AddressInfo
      const program = yield* launch({ DATA_DIR: yield* temporaryFolder, LISTEN_PORT: String(port) })
      assert.deepStrictEqual(yield* program.ended, { code: 1, signal: null })
      assert.include(program.output(), `port ${port} is in use`)
    })
  )

  it.scopedLive("with a file that is no database says so and changes nothing", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const file = join(folder, "percept.db")
      writeFileSync(file, "this was never a database, but it is somebody's file\n".repeat(100))
      const program = yield* launch({ DATA_DIR: folder })
      assert.deepStrictEqual(yield* program.ended, { code: 1, signal: null })
      assert.match(program.output(), /^Percept cannot start: The database .* is damaged or no SQLite file\./)
      assert.include(readFileSync(file, "utf8"), "somebody's file")
    })
  )
})

describe("the command line", () => {
  it.scopedLive("prints the OpenAPI document", () =>
    Effect.gen(function* () {
      const program = yield* launch({}, { args: [join(root, "dist", "main.js"), "openapi"] })
      assert.deepStrictEqual(yield* program.ended, { code: 0, signal: null })
      assert.property(JSON.parse(program.output()).paths, "/v1/chat/completions")
    })
  )

  it.scopedLive("knows what it does not know", () =>
    Effect.gen(function* () {
      const program = yield* launch({}, { args: [join(root, "dist", "main.js"), "dance"] })
      assert.deepStrictEqual(yield* program.ended, { code: 2, signal: null })
      assert.include(program.output(), "There is no command 'dance'")
    })
  )
})

describe("npm start", () => {
  it.scopedLive("builds what is stale once, serves, and the second time serves at once", () =>
    Effect.gen(function* () {
      const upstream = yield* startUpstream
      const checkout = join(yield* temporaryFolder, "percept")
      copyCheckout(checkout)
      const npm = { command: "npm", args: ["start"], cwd: checkout }
      const first = yield* startProgram(upstream.env, npm)
      assert.include(first.output(), "Building …")
      assert.include(first.output(), "providers  openrouter, percept")
      const second = yield* startProgram(upstream.env, npm)
      assert.notInclude(second.output(), "Building …")
      assert.notInclude(second.output(), "Installing")
    })
  )
})

/** The sources as git knows them or would, with the packages of this checkout. */
const copyCheckout = (to: string): void => {
  const files = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
    cwd: root,
    encoding: "utf8"
  })
  for (const file of files.split("\n").filter((file) => /^(src|scripts)\/|^package|^\.npmrc/.test(file))) {
    mkdirSync(dirname(join(to, file)), { recursive: true })
    cpSync(join(root, file), join(to, file))
  }
  symlinkSync(join(root, "node_modules"), join(to, "node_modules"))
}
