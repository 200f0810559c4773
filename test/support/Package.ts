import { Effect } from "effect"
import type { Scope } from "effect"
import { transformSync } from "esbuild"
import { execFile } from "node:child_process"
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { root } from "../../scripts/fresh.mjs"
import { startRegistry } from "./Registry.ts"
import { temporaryFolder } from "./Router.ts"

export interface Ended {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** A folder of somebody who has installed the package as it would be published. */
export interface Installed {
  readonly folder: string
  /** What is in the tarball. */
  readonly files: ReadonlyArray<string>
  readonly run: (command: string, ...words: ReadonlyArray<string>) => Effect.Effect<Ended>
  readonly env: { readonly [name: string]: string }
}

/** Packs what the sources of this checkout are now, and installs that into an empty folder, without the internet. */
export const installPackage: Effect.Effect<Installed, never, Scope.Scope> = Effect.gen(function* () {
  const registry = yield* startRegistry
  const [checkout, folder] = [yield* temporaryFolder, yield* temporaryFolder]
  for (const name of PACKED) cpSync(join(root, name), join(checkout, name), { recursive: true })
  symlinkSync(join(root, "node_modules"), join(checkout, "node_modules"))
  const env = {
    PATH: process.env["PATH"] ?? "",
    HOME: folder,
    npm_config_registry: registry.url,
    npm_config_cache: join(checkout, ".npm"),
    npm_config_userconfig: join(checkout, ".no-npmrc")
  }
  const packed = yield* execute("npm", ["pack", "--loglevel=error"], checkout, env)
  const tarball = join(checkout, packed.out.trim().split("\n").at(-1) ?? "")
  if (!existsSync(tarball) || packed.code !== 0) return yield* Effect.dieMessage(`${packed.out}${packed.err}`)
  const listed = yield* execute("tar", ["-tzf", tarball], checkout, env)
  writeFileSync(join(folder, "package.json"), '{ "private": true, "type": "module" }')
  // What has to be compiled was compiled here; a usual install would do that, or get it prebuilt.
  const installing = ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", tarball]
  const installed = yield* execute("npm", installing, folder, env)
  if (installed.code !== 0) return yield* Effect.dieMessage(`${installed.out}${installed.err}`)
  return {
    folder,
    files: listed.out.trim().split("\n").toSorted(),
    env: { PATH: env.PATH, HOME: folder },
    run: (command, ...words) => execute(command, words, folder, { PATH: env.PATH, HOME: folder })
  }
})

/** Puts packages beside an installed one that its user would install too. */
export const alsoInstall = ({ folder }: Installed, ...names: ReadonlyArray<string>): void => {
  for (const name of names) {
    const target = join(folder, "node_modules", name)
    if (existsSync(target)) continue
    mkdirSync(join(target, ".."), { recursive: true })
    symlinkSync(join(root, "node_modules", name), target)
  }
}

/** A program in TypeScript, as any Node can run it. */
export const plainly = ({ folder }: Installed, file: string, name: string): string => {
  const { code } = transformSync(readFileSync(file, "utf8"), {
    loader: "ts",
    format: "esm",
    target: "node20"
  })
  writeFileSync(join(folder, name), code)
  return join(folder, name)
}

const execute = (
  command: string,
  words: ReadonlyArray<string>,
  cwd: string,
  env: { readonly [name: string]: string }
): Effect.Effect<Ended> =>
  Effect.async((resume) => {
    const options = { cwd, env, maxBuffer: 1e8 }
    const child = execFile(command, Array.from(words), options, (error, out, err) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : -1
      resume(Effect.succeed({ code, out, err }))
    })
    return Effect.sync(() => void child.kill("SIGKILL"))
  })

/** What a package is made of. */
const PACKED = [
  ...["package.json", "tsconfig.json", "tsconfig.library.json", "README.md", "LICENSE", "CHANGELOG.md"],
  ...[".env.example", "scripts", "src", "docs"]
]
