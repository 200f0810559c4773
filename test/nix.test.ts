import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFile } from "node:child_process"
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { promisify } from "node:util"
import { root } from "../scripts/fresh.mjs"
import { temporaryFolder } from "./support/TemporaryFolder.ts"

const isThere = (process.env["PATH"] ?? "")
  .split(":")
  .some((folder) => existsSync(join(folder, "nix-instantiate")))

if (!isThere && process.env["CI"] !== "true")
  console.warn("The flake is not evaluated: there is no nix here. On Debian: apt-get install nix-bin")

const flake = readFileSync(join(root, "flake.nix"), "utf8")

describe("flake.lock", () => {
  const { nodes } = JSON.parse(readFileSync(join(root, "flake.lock"), "utf8"))
  const { locked, original } = nodes.nixpkgs

  it("pins what the flake asks for", () => {
    const { owner, ref, repo, type } = original
    assert.include(flake, `inputs.nixpkgs.url = "${type}:${owner}/${repo}/${ref}"`)
    assert.deepStrictEqual(nodes.root.inputs, { nixpkgs: "nixpkgs" })
    assert.deepInclude(locked, { owner, repo, type })
  })

  it("pins it to a commit and its content", () => {
    assert.match(locked.rev, /^[0-9a-f]{40}$/)
    assert.match(locked.narHash, /^sha256-[A-Za-z0-9+/]{43}=$/)
    // Links are handed to a yt-dlp of some day in 2026 and no older one.
    assert.isAbove(locked.lastModified, Date.UTC(2026, 6, 4) / 1000)
  })
})

describe.skipIf(!isThere && process.env["CI"] !== "true")("the flake", () => {
  const run = promisify(execFile)

  /** Nix with everything it keeps in a folder of ours, and no network. */
  const nix = (home: string, ...args: ReadonlyArray<string>) => {
    const features = [
      "--extra-experimental-features",
      "nix-command flakes",
      "--option",
      "build-users-group",
      ""
    ]
    const own = { ...process.env, HOME: home, XDG_CACHE_HOME: home, XDG_CONFIG_HOME: home, NIX_CONFIG: "" }
    return run("nix", ["--offline", "--store", join(home, "store"), ...features, ...args], { env: own })
  }

  const evaluate = (home: string, what: string, apply: string) =>
    Effect.promise(async (): Promise<unknown> => {
      const folder = join(home, "flake")
      mkdirSync(folder, { recursive: true })
      for (const name of ["flake.nix", "flake.lock"]) cpSync(join(root, name), join(folder, name))
      const stub = `path:${join(root, "test/fixtures/nix")}`
      const { stdout } = await nix(
        home,
        ...["eval", "--json", "--no-write-lock-file", "--override-input", "nixpkgs", stub],
        ...["--apply", apply, `path:${folder}#${what}`]
      )
      return JSON.parse(stdout)
    })

  const freed = Effect.acquireRelease(temporaryFolder, (home) =>
    // What is in a store is read-only, also for who wants to remove it.
    Effect.promise(() => run("chmod", ["-R", "u+w", home]))
  )

  it.scopedLive("is Nix, and its lock is whole", () =>
    Effect.gen(function* () {
      const home = yield* freed
      const parsed = yield* Effect.promise(() =>
        run("nix-instantiate", ["--parse", join(root, "flake.nix")], { env: { ...process.env, HOME: home } })
      )
      assert.include(parsed.stdout, "devShells")
      for (const name of ["flake.nix", "flake.lock"]) cpSync(join(root, name), join(home, "whole", name))
      const { stdout } = yield* Effect.promise(() =>
        nix(home, "flake", "metadata", "--json", "--no-update-lock-file", `path:${home}/whole`)
      )
      const lock = JSON.parse(readFileSync(join(root, "flake.lock"), "utf8"))
      assert.deepStrictEqual(JSON.parse(stdout).locks, lock)
    })
  )

  it.scopedLive("has everything that Percept sees and hears with in its shell, on every system", () =>
    Effect.gen(function* () {
      const home = yield* freed
      const shells = yield* evaluate(
        home,
        "devShells",
        "shells: builtins.mapAttrs (system: shell: map (tool: tool.name) shell.default.packages) shells"
      )
      const wanted = ["nodejs_22", "ffmpeg-headless", "yt-dlp", "whisper-cpp"]
      assert.isObject(shells)
      const all = Object.entries(shells ?? {})
      assert.lengthOf(all, 3)
      for (const [system, tools] of all) assert.includeMembers(tools, wanted, system)
    })
  )

  it.scopedLive("runs the sources from where packages can be installed, and copies them there once", () =>
    Effect.gen(function* () {
      const home = yield* freed
      const program = yield* evaluate(home, "apps.x86_64-linux.default", "app: app.program")
      assert.strictEqual(program, "/stub/percept/bin/percept")
      const text = String(yield* evaluate(home, "packages.x86_64-linux.default", "percept: percept.text"))
      const [, sources = ""] = /cp -R (\S+)\/\. /.exec(text) ?? []
      assert.match(sources, /^\/nix\/store\//)

      const [checkout, bin] = [join(home, "checkout"), join(home, "bin")]
      mkdirSync(checkout)
      mkdirSync(bin)
      writeFileSync(join(checkout, "package.json"), "{}", { mode: 0o444 })
      writeFileSync(join(bin, "node"), '#!/bin/sh\necho "$DATA_DIR" "$@"\n')
      chmodSync(join(bin, "node"), 0o755)
      const start = () =>
        run("bash", ["-euo", "pipefail", "-c", text.replaceAll(sources, checkout), "percept", "doctor"], {
          cwd: home,
          env: { PATH: `${bin}:${process.env["PATH"]}`, HOME: home, XDG_CACHE_HOME: join(home, "cache") }
        })
      const first = yield* Effect.promise(start)
      const [, script = ""] =
        /^\S+\/data --max-semi-space-size=32 (\S+)\/scripts\/start\.mjs doctor\n$/.exec(first.stdout) ?? []
      assert.isTrue(script.startsWith(join(home, "cache", "percept")), first.stdout)
      writeFileSync(join(script, "package.json"), "{ }")
      rmSync(checkout, { recursive: true })
      const second = yield* Effect.promise(start)
      assert.strictEqual(second.stdout, first.stdout)
      assert.strictEqual(readFileSync(join(script, "package.json"), "utf8"), "{ }")
    })
  )
})
