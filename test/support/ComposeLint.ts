import { parseDocument } from "yaml"
import type { Setting } from "../../src/services/config/Setting.ts"
import { secondsIn } from "./UnitFile.ts"

/** What is wrong with a compose file, one sentence each. */
export const lintCompose = (
  source: string,
  settings: ReadonlyArray<Pick<Setting<unknown>, "name" | "fallback">>
): ReadonlyArray<string> => {
  const document = parseDocument(source)
  if (document.errors.length > 0) return document.errors.map(({ message }) => message)
  const whole = record(document.toJS())
  const services = Object.entries(record(whole["services"]))
  const names = new Set(services.map(([name]) => name))
  return services.flatMap(([name, value]) => {
    const service = record(value)
    return [
      ...(service["build"] === undefined ? imageOf(service) : routerOf(service, settings)),
      ...portsOf(service),
      ...list(service["volumes"])
        .map((each) => each.split(":")[0] ?? "")
        .filter((volume) => !volume.startsWith("/") && !(volume in record(whole["volumes"])))
        .map((volume) => `nobody declares the volume ${volume}`),
      ...Object.keys(record(service["depends_on"]))
        .filter((other) => !names.has(other))
        .map((other) => `waits for ${other}, which is no service`),
      ...(list(service["security_opt"]).includes("no-new-privileges:true") ? [] : ["may gain privileges"]),
      ...(service["privileged"] === true || JSON.stringify(value).includes("docker.sock")
        ? ["owns the host"]
        : [])
    ].map((complaint) => `${name}: ${complaint}`)
  })
}

const imageOf = (service: Fields): ReadonlyArray<string> => [
  ...(/:[\w.-]+@sha256:[0-9a-f]{64}$/.test(String(service["image"])) ? [] : ["its image is not pinned"]),
  ...(list(service["profiles"]).length === 1 ? [] : ["it starts without a profile"])
]

const routerOf = (
  service: Fields,
  settings: ReadonlyArray<Pick<Setting<unknown>, "name" | "fallback">>
): ReadonlyArray<string> => {
  const environment = record(service["environment"])
  const known = new Set(settings.map(({ name }) => name))
  const drain = settings.find(({ name }) => name === "DRAIN_TIMEOUT")?.fallback ?? ""
  return [
    ...Object.keys(environment)
      .filter((name) => !known.has(name))
      .map((name) => `${name} is no setting`),
    ...(/^\$\{API_KEYS:\?.+\}$/.test(String(environment["API_KEYS"])) ? [] : ["it starts without a key"]),
    ...(service["read_only"] === true ? [] : ["its root can be written"]),
    ...(list(service["cap_drop"]).includes("ALL") ? [] : ["it keeps capabilities"]),
    ...(secondsIn(String(service["stop_grace_period"])) > secondsIn(drain)
      ? []
      : ["it is killed before DRAIN_TIMEOUT is over"])
  ]
}

const portsOf = (service: Fields): ReadonlyArray<string> =>
  list(service["ports"])
    .filter((port) => !/^127\.0\.0\.1:\d+:\d+$/.test(port))
    .map((port) => `its port ${port} is for everybody`)

type Fields = Readonly<Record<string, unknown>>

const record = (value: unknown): Fields =>
  typeof value === "object" && value !== null ? Object.fromEntries(Object.entries(value)) : {}

const list = (value: unknown): ReadonlyArray<string> => (Array.isArray(value) ? value.map(String) : [])
