import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { Scope } from "effect"
import { execFileSync } from "node:child_process"
import { copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { root } from "../../scripts/fresh.mjs"
import { obey } from "../../src/cli.ts"
import { blocksOf, commandsOf } from "../support/Markdown.ts"
import { startMediaHost } from "../support/MediaHost.ts"
import { startRouter, temporaryFolder } from "../support/Router.ts"
import { startUpstream } from "../support/Upstream.ts"
import { linkWeights } from "../support/Weights.ts"

const clip = join(root, "test", "fixtures", "video", "slide.mp4")

/** The commands of the document, in its order; what a heading has in a block is one list. */
const commands = blocksOf(readFileSync(join(root, "docs", "command-line.md"), "utf8"))
  .filter(({ language }) => language === "sh")
  .flatMap(({ text }) => commandsOf(text))

/** Until the scope closes this process is in another folder, with other variables. */
const moved = (
  folder: string,
  env: { readonly [name: string]: string }
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.asVoid(
    Effect.acquireRelease(
      Effect.sync(() => {
        const variables = Object.keys(env).map((name) => [name, process.env[name]] as const)
        const before = { folder: process.cwd(), variables }
        process.chdir(folder)
        Object.assign(process.env, env)
        return before
      }),
      (before) =>
        Effect.sync(() => {
          process.chdir(before.folder)
          for (const [name, value] of before.variables)
            if (value === undefined) delete process.env[name]
            else process.env[name] = value
        })
    )
  )

/** The words of a command, as a shell takes them apart. */
const wordsOf = (command: string): ReadonlyArray<string> =>
  execFileSync("bash", ["-c", `for word in ${command}; do echo "$word"; done`], { encoding: "utf8" })
    .trimEnd()
    .split("\n")

describe("docs/command-line.md", () => {
  it.scopedLive(
    "has commands that do what they say",
    () =>
      Effect.gen(function* () {
        assert.isAbove(commands.length, 15)
        const [folder, host, upstream] = yield* Effect.all([temporaryFolder, startMediaHost, startUpstream])
        const router = yield* startRouter({})
        linkWeights(router.dataDir)
        copyFileSync(clip, join(folder, "clip.mp4"))
        const link = host.serve("/clip.mp4", clip).href
        const env = { DATA_DIR: router.dataDir, YTDLP_PATH: "/none", WHISPER_URL: "http://127.0.0.1:1" }
        yield* moved(folder, { ...upstream.env, ...host.env, ...env })
        for (const command of commands) {
          const [own = "", target] = command.replace(/https:\S+\.mp4/, link).split(" > ")
          const [name, ...words] = wordsOf(own)
          assert.strictEqual(name, "percept")
          // It writes past the console, straight to where it was told.
          if (words[1] === "export") execFileSync(process.execPath, [mainFile, ...words])
          const said = words[1] === "export" ? "…" : yield* told(words)
          assert.notStrictEqual(said, "", command)
          if (target !== undefined) writeFileSync(join(folder, target), said)
          if (words[0] === "inspect") assert.match(said, /\[image 1: jpeg/, command)
        }
        const found = readdirSync(join(folder, "frames"))
        assert.isTrue(found.some((name) => /^00-0\d-\d\d\.\d{3}\.jpg$/.test(name)))
        assert.include(found, "evidence.json")
        for (const name of ["completions.bash", "_percept", "percept.fish"])
          assert.isTrue(existsSync(join(folder, name)), name)
      }),
    60_000
  )
})

/** What is printed; a command that fails fails the test. */
const told = (words: ReadonlyArray<string>) =>
  Effect.consoleWith((console) => {
    let out = ""
    const log = (text: unknown) => Effect.sync(() => void (out += `${String(text)}\n`))
    return obey(words).pipe(
      Effect.withConsole({ ...console, log, error: () => Effect.void }),
      Effect.mapError((error) => new Error(`percept ${words.join(" ")}: ${String(error)}`)),
      Effect.orDie,
      Effect.map(() => out)
    )
  })

const mainFile = join(root, "dist", "main.js")
