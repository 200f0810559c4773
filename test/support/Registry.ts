import { Effect } from "effect"
import type { Scope } from "effect"
import { spawn } from "node:child_process"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { root } from "../../scripts/fresh.mjs"
import { isObject, parseJson, stringField } from "../../src/domain/Json.ts"
import type { JsonObject } from "../../src/domain/Json.ts"

/** A registry of this machine alone: it has the packages that are installed here, as they are installed. */
export const startRegistry: Effect.Effect<{ readonly url: string }, never, Scope.Scope> =
  Effect.acquireRelease(
    Effect.async<{ readonly url: string; readonly stop: Effect.Effect<void> }>((resume) => {
      const packages = installed(join(root, "node_modules"))
      const server = createServer((request, response) => {
        const path = decodeURIComponent(request.url ?? "").slice(1)
        const [, name = path, version] = /^(.+)\/-\/(.+)\.tar$/.exec(path) ?? []
        const found = packages.filter(({ manifest }) => stringField(manifest, "name") === name)
        const wanted = found.find(({ manifest }) => stringField(manifest, "version") === version)
        if (wanted !== undefined) return void tar(wanted.folder).pipe(response)
        if (found.length === 0 || version !== undefined) return void response.writeHead(404).end("{}")
        const base = `http://${request.headers.host}/${name}/-`
        const versions = found.map(({ manifest }): readonly [string, JsonObject] => {
          const version = stringField(manifest, "version") ?? ""
          return [version, { ...manifest, dist: { tarball: `${base}/${version}.tar` } }]
        })
        response.setHeader("content-type", "application/json")
        response.end(JSON.stringify({ name, "dist-tags": {}, versions: Object.fromEntries(versions) }))
      })
      server.listen(0, "127.0.0.1", () =>
        resume(
          Effect.succeed({
            url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
            stop: Effect.sync(() => {
              server.close()
              server.closeAllConnections()
            })
          })
        )
      )
    }),
    ({ stop }) => stop
  )

interface Package {
  readonly folder: string
  readonly manifest: JsonObject
}

/** Every package of a folder, with those that packages have for themselves. */
const installed = (folder: string, found: Array<Package> = []): ReadonlyArray<Package> => {
  if (!existsSync(folder)) return found
  for (const name of readdirSync(folder)) {
    const place = join(folder, name)
    if (name.startsWith("@")) installed(place, found)
    if (/^[.@]/.test(name) || LARGE.test(place)) continue
    const file = join(place, "package.json")
    const manifest = existsSync(file) ? parseJson(readFileSync(file, "utf8")) : undefined
    if (isObject(manifest)) found.push({ folder: place, manifest })
    installed(join(place, "node_modules"), found)
  }
  return found
}

/** Without what a package was compiled from. */
const tar = (folder: string) => {
  const less = ["./node_modules", "./deps", "./build/deps", "./build/Release/obj*"]
  const words = ["-cf", "-", ...less.map((path) => `--exclude=${path}`), "--transform=s,^\\.,package,", "."]
  return spawn("tar", words, { cwd: folder, stdio: ["ignore", "pipe", "ignore"] }).stdout
}

/** Optional to us; a machine without them is what most tests of them begin with. */
const LARGE = /@ffmpeg-binary|@ffprobe-installer|@napi-rs/
