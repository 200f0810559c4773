import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import { SqlClient } from "@effect/sql/SqlClient"
import { Console, Duration, Effect, Either, Layer, Logger, LogLevel } from "effect"
import { existsSync } from "node:fs"
import * as RecordQuery from "../domain/record/RecordQuery.ts"
import { AppConfig } from "../services/AppConfig.ts"
import * as Database from "../services/Database.ts"
import { csv, jsonl } from "../services/tracking/read/exportFormats.ts"
import { recordReport } from "../services/tracking/recordReport.ts"
import { Retention } from "../services/tracking/Retention.ts"
import { wholeRecord } from "../services/tracking/wholeRecord.ts"
import { millisIn, NotDone, said } from "./words.ts"

/** `percept db`: what is in the record, whether or not a router runs on it. */
export const db = Command.make("db", {}, () => Console.log(HELP)).pipe(
  Command.withDescription("The record: what it holds, making room in it, taking it elsewhere."),
  Command.withSubcommands([
    Command.make("stats", {}, () => withDatabase(stats)).pipe(
      Command.withDescription("What is kept, since when, and what room it takes.")
    ),
    Command.make(
      "prune",
      {
        olderThan: said("older-than", "Deletes what is older than this: 90m, 12h, 3d, 2w."),
        vacuum: Options.boolean("vacuum").pipe(
          Options.withDescription("Makes the file as small as can be; routers wait meanwhile.")
        )
      },
      (asked) => withDatabase(prune(asked))
    ).pipe(Command.withDescription("Deletes what is too old or too much by the settings, now.")),
    Command.make(
      "export",
      {
        format: said("format", "jsonl, with texts, or csv, without."),
        from: said("from", "The first time: 2026-01-31, or 2026-01-31T12:00:00Z."),
        to: said("to", "The time after the last.")
      },
      (asked) => withDatabase(exported(asked))
    ).pipe(Command.withDescription("Writes every request to standard output."))
  ])
)

const stats = Effect.gen(function* () {
  const { bytes, media, requests, sumsByDay, sumsByHour, tables, texts } = yield* recordReport
  const { mediaCacheMb } = yield* AppConfig
  const lines: ReadonlyArray<readonly [string, string]> = [
    ["requests", `${requests.count}, ${requests.running} of them running${since(requests.oldest)}`],
    ...(requests.newest === undefined ? [] : [["newest", requests.newest] as const]),
    ["texts", `of ${texts} requests`],
    ["sums by hour", `${sumsByHour.count}${since(sumsByHour.oldest)}`],
    ["sums by day", `${sumsByDay.count}${since(sumsByDay.oldest)}`],
    ["media", `${media.count} remembered, ${megabytes(media.bytes)} of ${mediaCacheMb} MB`],
    ["size", [megabytes(bytes.total), ...freeIn(bytes)].join(", ")],
    ...tables.map(({ bytes, name }) => [`  ${name}`, megabytes(bytes)] as const)
  ]
  const widest = Math.max(...lines.map(([name]) => name.length))
  for (const [name, value] of lines) yield* Console.log(`${name.padEnd(widest)}  ${value}`)
})

const freeIn = ({
  free,
  journal
}: {
  readonly free: number | undefined
  readonly journal: number | undefined
}) =>
  free === undefined || journal === undefined
    ? []
    : [`${megabytes(free)} of it free`, `beside it a journal of ${megabytes(journal)}`]

const since = (time: string | undefined): string => (time === undefined ? "" : `, since ${time}`)

const megabytes = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(1)} MB`

const prune = Effect.fnUntraced(function* (asked: {
  readonly olderThan: string | undefined
  readonly vacuum: boolean
}) {
  const olderThan = yield* ageIn(asked.olderThan)
  const { sweep } = yield* Retention
  const { bodies, rollups, rows } = yield* sweep({
    pause: PAUSE,
    ...(olderThan === undefined ? {} : { olderThan })
  })
  yield* Console.log(`${rows} requests, ${bodies} texts and ${rollups} sums by the hour are deleted.`)
  if (asked.vacuum) yield* vacuum
})

/** Writes everything anew, so that a file is as small as can be, and gets smaller by and by from now on. */
const vacuum = Effect.gen(function* () {
  const sql = yield* SqlClient
  const all = sql.onDialectOrElse({
    pg: () => ["VACUUM (ANALYZE)"],
    orElse: () => ["PRAGMA auto_vacuum = INCREMENTAL", "VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"]
  })
  const before = (yield* recordReport).bytes.total
  for (const statement of all) yield* Effect.retry(sql.unsafe(statement), Database.whileLocked)
  const { total } = (yield* recordReport).bytes
  yield* Console.log(`${megabytes(before)} became ${megabytes(total)}.`)
})

const exported = Effect.fnUntraced(function* ({
  format = "jsonl",
  from = "",
  to = ""
}: {
  readonly [name in "format" | "from" | "to"]: string | undefined
}) {
  if (format !== "jsonl" && format !== "csv") return yield* wrong("--format must be jsonl or csv.")
  const range = yield* Either.mapLeft(
    RecordQuery.parse(new URLSearchParams({ from, to }), Date.now()),
    ({ message }) => wrong(message)
  )
  const found = {
    from: Number.isFinite(range.from) ? range.from : undefined,
    to: Number.isFinite(range.to) ? range.to : undefined
  }
  // Each write hears of its own trouble.
  process.stdout.on("error", () => {})
  yield* wholeRecord(format === "csv" ? csv : jsonl, found, format === "jsonl", told)
})

/** False once nobody reads any more. */
const told = (text: string): Effect.Effect<boolean, NotDone> =>
  Effect.async((resume) => {
    process.stdout.write(text, (error) => {
      if (error === null || error === undefined) resume(Effect.succeed(true))
      else if ("code" in error && error.code === "EPIPE") resume(Effect.succeed(false))
      else resume(Effect.fail(new NotDone({ message: `It cannot be written: ${error.message}` })))
    })
  })

const ageIn = (word: string | undefined): Either.Either<Duration.Duration | undefined, NotDone> => {
  if (word === undefined) return Either.right(undefined)
  const millis = millisIn(word)
  return millis === undefined
    ? Either.left(wrong("--older-than must be a time such as 90m, 12h, 3d or 2w."))
    : Either.right(Duration.millis(millis))
}

const wrong = (problem: string) => new NotDone({ message: `${problem}\n\n${HELP}` })

/** The database that is there; none is made. */
const withDatabase = <A, E>(program: Effect.Effect<A, E, SqlClient | AppConfig | Retention>) =>
  Effect.gen(function* () {
    const { databaseFile, databaseServer } = yield* AppConfig
    if (databaseServer === undefined && !existsSync(databaseFile))
      return yield* new NotDone({ message: `There is no database ${databaseFile}.` })
    const database = Retention.Default.pipe(Layer.provideMerge(Database.layer))
    return yield* Effect.mapError(Effect.provide(program, database), plainly)
  }).pipe(Effect.provide(AppConfig.layerFromEnv), Effect.provide(Logger.minimumLogLevel(LogLevel.None)))

const plainly = (error: unknown): unknown =>
  Database.isPassing(error)
    ? new NotDone({ message: `The database is busy or out of reach: ${Database.wordsOf(error)}` })
    : error

/** Milliseconds between two steps: time for a router that runs on the same file. */
const PAUSE = 5

const HELP = `percept db stats                    what is kept, since when, and what room it takes
percept db prune                    deletes what is too old or too much by the settings, now
    --older-than 3d                 or what is older than this: 90m, 12h, 3d, 2w
    --vacuum                        and makes the file as small as can be; routers wait meanwhile
percept db export                   writes every request to standard output
    --format jsonl                  with its texts, or csv without
    --from 2026-01-31 --to 2026-02-28T12:00:00Z`
