import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import { Console, Effect, Layer } from "effect"
import { routing } from "../routing.ts"
import { AppConfig } from "../services/AppConfig.ts"
import { Checkup } from "../services/Checkup.ts"
import type { Checked, Report } from "../services/Checkup.ts"
import { Doctor } from "../services/media/Doctor.ts"
import { MediaTools } from "../services/media/MediaTools.ts"
import { Subprocess } from "../services/media/Subprocess.ts"
import { Workspace } from "../services/media/Workspace.ts"
import { Redaction } from "../services/tracking/Redaction.ts"
import { version } from "./version.ts"
import { NotDone } from "./words.ts"

/** `percept doctor`: what there is, what is missing, and how to get it. */
export const doctor = Command.make(
  "doctor",
  { json: Options.boolean("json").pipe(Options.withDescription("Prints the findings as JSON.")) },
  ({ json }) => Effect.suspend(() => examined(json))
).pipe(Command.withDescription("Says what there is, what is missing, and how to get it."))

const examined = (json: boolean) =>
  Effect.gen(function* () {
    const report = yield* (yield* Checkup).examine
    const missing = [...report.media, ...report.providers, ...report.storage]
      .filter(({ needed, state }) => needed && state !== "ok")
      .map(({ name }) => name)
    const host = {
      percept: version,
      node: process.versions.node,
      host: `${process.platform}-${process.arch}`
    }
    yield* json
      ? Console.log(JSON.stringify({ works: missing.length === 0, ...host, ...report }, null, 2))
      : tell(report, `Percept ${host.percept}, Node ${host.node}, ${host.host}`)
    if (missing.length > 0)
      return yield* new NotDone({ message: `Percept cannot do its work here: see ${missing.join(", ")}.` })
  }).pipe(Effect.provide(everything))

const tell = ({ limits, media, providers, storage }: Report, host: string) =>
  Effect.gen(function* () {
    for (const part of [media, providers, storage]) {
      for (const finding of part) yield* Effect.forEach(linesOf(finding), (line) => Console.log(line))
      yield* Console.log("")
    }
    const widest = Math.max(...Object.keys(limits).map(({ length }) => length))
    for (const [name, value] of Object.entries(limits))
      yield* Console.log(`  ${name.padEnd(widest)}  ${value}`)
    yield* Console.log(`\n${host}`)
  })

const linesOf = ({ name, remedy, state, text }: Checked): ReadonlyArray<string> => [
  `${MARKS[state]} ${name.padEnd(12)}  ${text}`,
  ...(remedy === undefined ? [] : [`${" ".repeat(16)}→ ${remedy}`])
]

const everything = Checkup.Default.pipe(
  Layer.provide(Doctor.Default),
  Layer.provide(MediaTools.Default),
  Layer.provide(routing),
  Layer.provide(Redaction.Default),
  Layer.provide(Workspace.Default),
  Layer.provide(Subprocess.Default),
  Layer.provideMerge(AppConfig.layerFromEnv)
)

const MARKS = { ok: "✓", missing: "✗", old: "!", failing: "✗" }
