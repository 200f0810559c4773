import { Either, Redacted } from "effect"
import { believable, fromDollars } from "../../domain/Money.ts"
import type { NanoDollars } from "../../domain/Money.ts"
import { mediaSettings } from "./mediaSettings.ts"
import { providerSettings } from "./providerSettings.ts"
import { recordSettings } from "./recordSettings.ts"
import * as Setting from "./Setting.ts"
import { telemetrySettings } from "./telemetrySettings.ts"

const { duration, flag, integer, list, optional, secretList, setting, text } = Setting

/** Every environment variable Percept reads, in the order people need them. */
export const settings = {
  listenHost: setting("LISTEN_HOST", text, {
    fallback: "127.0.0.1",
    example: "0.0.0.0",
    about:
      "Address to listen on. Anything but loopback needs `API_KEYS`, a key of `percept keys create`, or `ALLOW_ANONYMOUS=true`."
  }),
  listenPort: setting("LISTEN_PORT", integer(0, 65535), {
    aliases: ["PORT"],
    fallback: "8000",
    example: "8000",
    about: "Port to listen on; 0 takes a free one."
  }),
  dataDir: setting("DATA_DIR", text, {
    fallback: "./data",
    example: "/var/lib/percept",
    about: "Folder for the database and the log; made if missing."
  }),
  apiKeys: setting("API_KEYS", secretList, {
    fallback: "",
    example: "a-long-random-key,another-one",
    about:
      "Keys clients may use, separated by commas: as bearer token, `X-Api-Key` or basic-auth password. None, and none made with `percept keys create`: open on loopback."
  }),
  allowAnonymous: setting("ALLOW_ANONYMOUS", flag, {
    fallback: "false",
    example: "true",
    about: "Serve without keys on an address that others can reach."
  }),
  budgetUnknown: setting("BUDGET_UNKNOWN_USD", dollars, {
    fallback: "0.05",
    example: "0.25",
    about:
      "What a call is taken to cost at most where the catalogue has no price for it, for keys that have a budget; 0 lets such calls through whatever is left."
  }),
  corsOrigins: setting("CORS_ORIGINS", list, {
    fallback: "",
    example: "https://chat.example.com",
    about:
      "Web origins whose pages may call the API, separated by commas; `*` for all. None: no page of another origin may."
  }),
  ...providerSettings,
  requestTimeout: setting("REQUEST_TIMEOUT", duration, {
    fallback: "300",
    example: "60",
    about: "Longest wait for the first byte of a provider's answer."
  }),
  streamIdleTimeout: setting("STREAM_IDLE_TIMEOUT", duration, {
    fallback: "120",
    example: "60",
    about: "Longest silence within a provider's answer."
  }),
  upstreamRetries: setting("UPSTREAM_RETRIES", integer(0, 10), {
    fallback: "2",
    example: "2",
    about: "How often a failed call is tried again; only before the first byte has gone to the client."
  }),
  maxAnswerMb: setting("MAX_ANSWER_MB", integer(1, 1024), {
    fallback: "128",
    example: "128",
    about: "Largest answer taken from a provider that does not stream."
  }),
  maxBodyMb: setting("MAX_BODY_MB", integer(1, 1024), {
    fallback: "64",
    example: "64",
    about: "Largest request body taken; beyond it the client gets a 413."
  }),
  headersTimeout: setting("HEADERS_TIMEOUT", duration, {
    fallback: "15",
    example: "15",
    about: "Longest wait for a client's request head."
  }),
  bodyTimeout: setting("BODY_TIMEOUT", duration, {
    fallback: "120",
    example: "120",
    about: "Longest wait for a client's whole request."
  }),
  drainTimeout: setting("DRAIN_TIMEOUT", duration, {
    fallback: "30",
    example: "30",
    about: "How long running answers may go on after SIGTERM before they are ended with an error."
  }),
  ...mediaSettings,
  databaseUrl: optional("DATABASE_URL", database, {
    example: "postgresql://percept:secret@localhost/percept",
    about:
      "Where the record is kept: a Postgres server, or `sqlite:///file.db`. Unset: `DB_PATH`, else `DATA_DIR/percept.db`."
  }),
  dbPath: optional("DB_PATH", text, {
    example: "/var/lib/percept/percept.db",
    about: "The record's SQLite file, as a plain path."
  }),
  ...recordSettings,
  enableLogging: setting("ENABLE_LOGGING", flag, {
    fallback: "true",
    example: "false",
    about: "`false` keeps request and answer texts out of database and log, and writes no log; counts stay."
  }),
  logBodyKb: setting("LOG_BODY_KB", integer(0, 65536), {
    fallback: "256",
    example: "64",
    about: "Longest request or answer text kept in the record; beyond it long texts are shortened."
  }),
  logFile: optional("LOG_FILE_PATH", text, {
    example: "/var/log/percept/router.log.json",
    about: "The JSON log, one object a line. Unset: `DATA_DIR/router.log.json`."
  }),
  logMaxMb: setting("LOG_MAX_MB", integer(1, 10240), {
    fallback: "10",
    example: "50",
    about: "Size at which the log file is rotated."
  }),
  logMaxFiles: setting("LOG_MAX_FILES", integer(1, 1000), {
    fallback: "5",
    example: "5",
    about: "How many log files are kept, the current one included."
  }),
  logLevel: setting("LOG_LEVEL", level, {
    fallback: "info",
    example: "debug",
    about: "What goes to standard error: `debug`, `info`, `warning`, `error` or `none`."
  }),
  ...telemetrySettings
}

/** Nano-dollars. */
function dollars(value: string): Either.Either<NanoDollars, string> {
  const nano = believable(fromDollars(value))
  return nano === undefined ? Either.left("must be an amount in dollars, 0 or more") : Either.right(nano)
}

/** A file of SQLite, or a Postgres server; also as SQLAlchemy spells them. */
function database(value: string): Either.Either<Database, string> {
  const server = /^postgres(?:ql)?(?:\+\w+)?:(\/\/.+)$/i.exec(value)?.[1]
  if (server !== undefined)
    return URL.canParse(`postgresql:${server}`)
      ? Either.right({ server: Redacted.make(`postgresql:${server}`) })
      : Either.left("must be an address such as postgresql://user:password@host/name")
  const match = /^sqlite(?:\+aiosqlite)?:\/\/(?:\/(.+)|(:memory:)?)$/.exec(value)
  return match?.[1] === undefined || match[1].startsWith(":memory:")
    ? Either.left(
        "must look like sqlite:///relative.db, sqlite:////absolute.db or postgresql://user:password@host/name"
      )
    : Either.right({ file: match[1] })
}

/** One or the other. */
interface Database {
  readonly file?: string
  readonly server?: Redacted.Redacted
}

function level(value: string): Either.Either<LogLevelName, string> {
  const found = LEVELS.find((name) => name === value.toLowerCase())
  return found === undefined ? Either.left(`must be one of ${LEVELS.join(", ")}`) : Either.right(found)
}

const LEVELS = ["debug", "info", "warning", "error", "none"] as const
export type LogLevelName = (typeof LEVELS)[number]
