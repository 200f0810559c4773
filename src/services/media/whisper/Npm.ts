import { Effect } from "effect"
import { accessSync, constants } from "node:fs"
import { homedir } from "node:os"
import { delimiter, dirname, isAbsolute, join } from "node:path"
import { Subprocess } from "../Subprocess.ts"
import { DownloadFailed } from "./ModelDownload.ts"

/** Packages by way of the npm the operator has: its registry, its proxy and its certificates are used, whatever they are. */
export const makeNpm = Effect.map(Subprocess, (subprocess) => {
  const npm = Effect.fnUntraced(function* (folder: string, args: ReadonlyArray<string>) {
    // It may lie beside the Node that runs this and nowhere else.
    const command = programIn("npm", [...searched(), dirname(process.execPath)])
    if (command === undefined) return yield* new DownloadFailed({ why: "there is no npm", passing: false })
    const quiet = ["--silent", "--no-audit", "--no-fund", "--no-update-notifier"]
    const { stdout } = yield* subprocess
      .run({
        command,
        args: [...args, ...quiet],
        cwd: folder,
        timeout: PATIENCE,
        network: true,
        env: environment()
      })
      .pipe(Effect.mapError(({ message }) => new DownloadFailed({ why: `npm: ${message}`, passing: false })))
    return stdout.toString().trim()
  })

  /** Where the registry has the archive of a package. */
  const address = Effect.fn("Npm.address")(function* (package_: string, folder: string) {
    const said = yield* npm(folder, ["view", package_, "dist.tarball"])
    if (!URL.canParse(said))
      return yield* new DownloadFailed({ why: `npm knows no ${package_}`, passing: false })
    return new URL(said)
  })

  /** The archive itself, fetched and checked by npm; for registries that want to be asked by it. */
  const pack = Effect.fn("Npm.pack")(function* (package_: string, folder: string) {
    const said = yield* npm(folder, ["pack", package_, "--pack-destination", folder])
    return join(folder, said.split("\n").at(-1) ?? "")
  })

  return { address, pack }
})

/** What npm is told by the environment it would have had, had the operator called it. */
const environment = (): Record<string, string> => {
  const kept = Object.entries(process.env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && KEPT.test(entry[0])
  )
  return { npm_config_userconfig: join(homedir(), ".npmrc"), ...Object.fromEntries(kept) }
}

export const programOnPath = (name: string): string | undefined => programIn(name, searched())

const programIn = (name: string, folders: ReadonlyArray<string>): string | undefined =>
  folders.map((folder) => join(folder, name)).find(isProgram)

const searched = (): ReadonlyArray<string> => (process.env["PATH"] ?? "").split(delimiter).filter(isAbsolute)

const isProgram = (file: string): boolean => {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

const KEPT = /^(?:npm_config_.*|(?:https?|no|all)_proxy|NODE_EXTRA_CA_CERTS|SSL_CERT_(?:FILE|DIR))$/i
const PATIENCE = "15 minutes"
