import { parseDocument } from "yaml"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { root } from "../../scripts/fresh.mjs"

/** A command of the documents that cannot be run in a test, and what is asked of it instead. */
interface ForeignCommand {
  readonly starts: RegExp
  /** What is wrong with it, if something is. */
  readonly check: (command: string) => string | undefined
}

const file = (name: string): string => readFileSync(join(root, name), "utf8")

/** A script of package.json, and files that are there. */
const script = (command: string): string | undefined => {
  const [, name = "", rest = ""] = /npm (?:run )?(\S+)(.*)$/s.exec(command) ?? []
  const { scripts } = JSON.parse(file("package.json"))
  if (!(name in scripts)) return `package.json has no script ${name}`
  return rest
    .split(/\s+/)
    .filter((word) => word.includes("/"))
    .map((path) => (existsSync(join(root, path)) ? undefined : `there is no ${path}`))
    .find((problem) => problem !== undefined)
}

/** Services and profiles that docker-compose.yml has, and an image it builds. */
const compose = (command: string): string | undefined => {
  const { services } = parseDocument(file("docker-compose.yml")).toJS()
  const profiles = Object.values(services).flatMap((service) => profilesOf(service))
  const [, profile] = /--profile (\S+)/.exec(command) ?? []
  if (profile !== undefined && !profiles.includes(profile)) return `there is no profile ${profile}`
  const [, service = ""] = /\b(?:exec|logs(?: --\S+)*) (?!-)(\S+)/.exec(command) ?? [undefined, "percept"]
  if (!(service in services)) return `there is no service ${service}`
  return /\b(up|exec|logs)\b/.test(command) ? undefined : "compose does nothing"
}

const profilesOf = (service: unknown): ReadonlyArray<unknown> =>
  typeof service === "object" && service !== null && "profiles" in service && Array.isArray(service.profiles)
    ? service.profiles
    : []

const image = (command: string): string | undefined =>
  command.includes(" percept:local") && file("docker-compose.yml").includes("image: percept:local")
    ? undefined
    : "it is another image than compose's"

/** What a flake is asked for has to be in it. */
const flake = (command: string): string | undefined => {
  const wanted = command.startsWith("nix develop") ? "devShells = " : "apps = "
  return file("flake.nix").includes(wanted) ? undefined : `flake.nix has no ${wanted}`
}

/** The unit, and what is copied to where it expects it. */
const host = (command: string): string | undefined => {
  const unit = file("deploy/percept.service")
  const [, source, target = ""] = /install --mode=\d+ (\S+) (\S+)$/.exec(command) ?? []
  if (source?.startsWith("deploy/") === true && !existsSync(join(root, source)))
    return `there is no ${source}`
  if (target.endsWith(".env") && !unit.includes(`EnvironmentFile=-${target}`)) return `nobody reads ${target}`
  const [, prefix] = /--prefix (\S+)/.exec(command) ?? []
  if (prefix !== undefined && !unit.includes(`ExecStart=${prefix}/bin/percept `))
    return "the unit starts another one"
  const [, settings] = /EnvironmentFile=(\S+)/.exec(command) ?? []
  if (/ percept (?:keys|db)\b/.test(command) && !unit.includes(`EnvironmentFile=-${settings}`))
    return "it knows other settings than the unit"
  const [, folder] = /DATA_DIR=(\S+)/.exec(command) ?? []
  const [, state = ""] = /^StateDirectory=(.*)$/m.exec(unit) ?? []
  return folder === undefined || folder === `/var/lib/${state}`
    ? undefined
    : "the unit keeps its files elsewhere"
}

const fine = () => undefined

/** Few, and each with its reason: they install something, go on for ever, or want a machine of another kind. */
export const foreignCommands: ReadonlyArray<ForeignCommand> = [
  { starts: /^([A-Z_]+=(\$\([^)]*\)|\S+) )*npm (start|test|run)\b/, check: script },
  { starts: /^docker compose /, check: compose },
  { starts: /^docker (build|run) /, check: image },
  { starts: /^nix (run|develop)\b/, check: flake },
  { starts: /^sudo /, check: host },
  { starts: /^(journalctl --unit percept|npm pack$|git pull$|pipx install yt-dlp$)/, check: fine },
  // The servers of tests have these only where Debian installed them.
  { starts: /^pg_(dump|restore) /, check: fine }
]
