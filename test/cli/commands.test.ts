import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { root } from "../../scripts/fresh.mjs"
import { obey } from "../../src/cli.ts"
import { Misused } from "../../src/cli/words.ts"

/** What these words come to, and what is written meanwhile. */
const said = (...words: ReadonlyArray<string>) =>
  Effect.consoleWith((console) => {
    const told = { out: "", err: "" }
    const writing = (where: keyof typeof told) => (text: unknown) =>
      Effect.sync(() => void (told[where] += `${String(text)}\n`))
    return obey(words).pipe(
      Effect.withConsole({ ...console, log: writing("out"), error: writing("err") }),
      Effect.match({
        onFailure: (error) =>
          error instanceof Misused
            ? { ...told, code: error.exitCode, err: `${told.err}${error.message}\n` }
            : { ...told, code: 1, err: String(error) },
        onSuccess: () => ({ ...told, code: 0 })
      })
    )
  })

describe("what is no command", () => {
  const wrong: ReadonlyArray<readonly [words: string, says: string]> = [
    ["dance", "There is no command 'dance'. See: percept --help"],
    ["models resove --help", "There is no command 'models resove'. See: percept models --help"],
    ["help dance", "There is no command 'dance'. See: percept --help"],
    ["keys dance", "There is no command 'keys dance'. See: percept keys --help"],
    ["doctor now", "Received unknown argument: 'now'. See: percept doctor --help"],
    ["serve now", "Received unknown argument: 'now'. See: percept serve --help"],
    ["keys create --nonsense", "Received unknown argument: '--nonsense'. See: percept keys create --help"],
    ["keys create --name a more", "Received unknown argument: 'more'. See: percept keys create --help"],
    ["keys revoke", "Missing argument <id or name>. See: percept keys revoke --help"],
    ["inspect", "Missing argument <file or link>. See: percept inspect --help"]
  ]
  it.effect("is told in one line, and ends with a number of its own", () =>
    Effect.forEach(
      wrong,
      ([words, says]) =>
        Effect.map(said(...words.split(" ")), (told) =>
          assert.deepStrictEqual(told, { code: 2, out: "", err: `${says}\n` })
        ),
      { concurrency: 2 }
    )
  )
})

describe("help", () => {
  it.effect("lists every command, and each says what it takes", () =>
    Effect.gen(function* () {
      const [all, flag, short] = yield* Effect.all([said("help"), said("--help"), said("-h")])
      assert.deepStrictEqual([flag, short], [all, all])
      assert.strictEqual(all.code, 0)
      const names = Array.from(all.out.matchAll(/^ {2}([a-z]+) /gm), ([, name]) => name ?? "")
      const commands = ["serve", "doctor", "inspect", "models", "keys", "db", "openapi", "help"]
      assert.deepStrictEqual(names, commands)
      const inspect = yield* said("help", "inspect")
      assert.deepStrictEqual(yield* said("inspect", "--help"), inspect)
      assert.match(inspect.out, /^\$ percept inspect .*<file or link>$/m)
      for (const option of ["--out", "--frames", "--from", "--to", "--json"])
        assert.match(inspect.out, new RegExp(`^ {2}${option}( text)? {2,}[A-Z].*\\.$`, "m"))
      assert.match((yield* said("help", "db", "prune")).out, /^\$ percept db prune .*\n[^]*--older-than/m)
      assert.notInclude(all.out + inspect.out, "\u001b")
    })
  )

  it.effect("has the version of the package", () =>
    Effect.gen(function* () {
      const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))
      assert.deepStrictEqual(yield* said("--version"), { code: 0, out: `${version}\n`, err: "" })
    })
  )
})

describe("completions", () => {
  it.effect("complete commands, their commands and their options in bash", () =>
    Effect.gen(function* () {
      const { out } = yield* said("--completions", "bash")
      const complete = (...words: ReadonlyArray<string>) => {
        const typed = ["percept", ...words].map((word) => `"${word}"`).join(" ")
        const ask = `COMP_WORDS=(${typed}); COMP_CWORD=${words.length}; _percept_bash_completions percept`
        const script = `${out}\n${ask}; echo "\${COMPREPLY[@]}"`
        return execFileSync("bash", ["-c", script], { encoding: "utf8" }).trim().split(/\s+/)
      }
      assert.includeMembers(complete(""), ["serve", "doctor", "inspect", "models", "keys", "db", "openapi"])
      assert.deepStrictEqual(complete("mod"), ["models"])
      assert.includeMembers(complete("keys", ""), ["create", "list", "revoke"])
      assert.includeMembers(complete("db", "prune", "--"), ["--older-than", "--vacuum"])
    })
  )

  it.effect("are there for zsh and fish", () =>
    Effect.gen(function* () {
      const [zsh, fish] = yield* Effect.all([said("--completions", "zsh"), said("--completions", "fish")])
      assert.match(zsh.out, /^#compdef percept\n/)
      assert.match(fish.out, /^complete -c percept /m)
      for (const { out } of [zsh, fish]) assert.include(out, "inspect")
    })
  )
})

describe("a server", () => {
  it("does not read what reads commands", () => {
    const seen = new Map<string, ReadonlyArray<string>>()
    const follow = (file: string): void => {
      if (seen.has(file)) return
      const text = readFileSync(file, "utf8").replace(/^import type .*$/gm, "")
      const names = Array.from(text.matchAll(/^(?:import|export) [^"]*"([^"]+)"$/gm), ([, name = ""]) => name)
      seen.set(
        file,
        names.filter((name) => !name.startsWith("."))
      )
      for (const name of names) if (name.startsWith(".")) follow(join(dirname(file), name))
    }
    follow(join(root, "src", "main.ts"))
    assert.isTrue(seen.has(join(root, "src", "http", "Server.ts")))
    const readers = Array.from(seen).filter(([, names]) =>
      names.some((name) => /^@effect\/(cli|printer)/.test(name))
    )
    assert.deepStrictEqual(readers, [])
  })
})
