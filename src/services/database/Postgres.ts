import * as PgClient from "@effect/sql-pg/PgClient"
import { SqlClient } from "@effect/sql/SqlClient"
import { Cause, Context, Effect, Layer, Redacted, Schedule } from "effect"
import type { Duration } from "effect"
import type { Duplex } from "node:stream"
import { migrate } from "./migrate.ts"
import { codeOf, DatabaseUnusable, isUnreachable, wordsOf } from "./problems.ts"

/** A server, connected to and migrated; waited for while it starts. */
export const layer = (url: Redacted.Redacted) =>
  Layer.scoped(
    SqlClient,
    Effect.flatMap(Effect.once(Effect.logInfo(`Waiting for the database ${placeOf(url)} …`)), (tellOnce) =>
      connect(url).pipe(
        Effect.tap((sql) => Effect.provideService(prepare, SqlClient, sql)),
        Effect.catchAllCause((cause) => Effect.fail(Cause.squash(cause))),
        Effect.tapError((error) => (isUnreachable(error) ? tellOnce : Effect.void)),
        Effect.retry({ schedule: WHILE_IT_STARTS, while: isUnreachable }),
        Effect.mapError((error) => new DatabaseUnusable({ message: problemWith(url, error) }))
      )
    )
  )

/** What a set of connections is for. */
export interface Purpose {
  /** As the server lists them. */
  readonly name: string
  readonly connections: number
  /** How long one that nobody needs stays open. */
  readonly idle: Duration.DurationInput
  /** The server's settings for them, as its command line has them. */
  readonly settings?: string
  readonly types?: PgClient.PgClientConfig["types"]
  /** Makes the sockets. */
  readonly stream?: () => Duplex
}

/** Tried as `sslmode` says; where it leaves the choice, with and without encryption. */
export const connect = (
  url: Redacted.Redacted,
  { connections, idle, name, settings, stream, types }: Purpose = WORK
) => {
  const address = new URL(Redacted.value(url))
  const own = address.searchParams.get("options")
  if (settings !== undefined)
    address.searchParams.set("options", own === null ? settings : `${own} ${settings}`)
  const mode = address.searchParams.get("sslmode") ?? address.searchParams.get("ssl") ?? "allow"
  address.searchParams.delete("ssl")
  // The meanings of the modes are Postgres' own.
  address.searchParams.set("uselibpqcompat", "true")
  const attempt = (sslmode: string) =>
    Effect.suspend(() => {
      address.searchParams.set("sslmode", sslmode)
      return Layer.build(
        PgClient.layer({
          url: Redacted.make(address.href),
          applicationName: name,
          connectTimeout: "5 seconds",
          idleTimeout: idle,
          maxConnections: connections,
          stream,
          types
        })
      )
    })
  const [first = "require", second] = ATTEMPTS[mode] ?? [mode]
  const connected =
    second === undefined
      ? attempt(first)
      : Effect.catchAll(attempt(first), (error) =>
          ENCRYPTION.test(wordsOf(error)) ? attempt(second) : Effect.fail(error)
        )
  return Effect.map(connected, Context.get(SqlClient))
}

const prepare = Effect.gen(function* () {
  const sql = yield* SqlClient
  const [row] = yield* sql<{ server_encoding: string }>`SHOW server_encoding`
  if (row !== undefined && !/^(UTF8|SQL_ASCII)$/.test(row.server_encoding))
    return yield* new DatabaseUnusable({
      message: `is encoded in ${row.server_encoding}; make one in UTF8, for example with createdb -E UTF8 -T template0`
    })
  yield* migrate
})

/** Why a server cannot be used, in a sentence without user or password. */
export const problemWith = (url: Redacted.Redacted, error: unknown): string => {
  const name = `The database ${placeOf(url)}`
  if (error instanceof DatabaseUnusable) return `${name} ${error.message}.`
  const code = codeOf(error)
  for (const [pattern, sentence] of PROBLEMS) if (pattern.test(code)) return `${name} ${sentence}.`
  if (isUnreachable(error)) return `${name} cannot be reached (${code || "no answer"}).`
  const words = wordsOf(error)
  const { password, username } = new URL(Redacted.value(url))
  const secrets = [username, password].filter((secret) => secret !== "").map(decodeURIComponent)
  const detail = secrets.some((secret) => words.includes(secret)) ? code : words
  return `${name} cannot be used: ${detail.split("\n")[0]?.slice(0, 200) ?? code}.`
}

/** Host and name, never user or password. */
export const placeOf = (url: Redacted.Redacted): string => {
  const { host, pathname, searchParams } = new URL(Redacted.value(url))
  const place = `${host === "" ? (searchParams.get("host") ?? "") : host}${pathname}`
  return place.includes("@") ? "in DATABASE_URL" : place
}

const PROBLEMS: ReadonlyArray<readonly [RegExp, string]> = [
  [/^28/, "does not let this user in; check user, password and sslmode in DATABASE_URL"],
  [/^3D000/, "does not exist; make it first, for example with createdb"],
  [/^42501/, "does not let this user make its tables; grant it CREATE on the schema, or make it the owner"],
  [/^42P07/, "has tables of another program; choose another one"]
]

const ATTEMPTS: { readonly [mode: string]: ReadonlyArray<string> } = {
  disable: ["disable"],
  allow: ["disable", "require"],
  prefer: ["require", "disable"],
  "no-verify": ["require"],
  true: ["require"],
  "1": ["require"],
  false: ["disable"],
  "0": ["disable"]
}

/** What a server says that wants encryption, or the driver of one that has none. */
const ENCRYPTION = /no encryption|does not support SSL/

/** Half a minute: a server of the same set of containers may only just have been made. */
const WHILE_IT_STARTS = Schedule.intersect(
  Schedule.jittered(Schedule.spaced("500 millis")),
  Schedule.recurs(60)
)

const WORK: Purpose = { name: "percept", connections: 8, idle: "1 minute" }
