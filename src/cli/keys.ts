import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import { Console, Effect, Either, Layer } from "effect"
import { believable, fromDollars, toDollars } from "../domain/Money.ts"
import type { NanoDollars } from "../domain/Money.ts"
import { AppConfig } from "../services/AppConfig.ts"
import * as Database from "../services/Database.ts"
import { KeyStore } from "../services/KeyStore.ts"
import type { KeyWish, StoredKey } from "../services/KeyStore.ts"
import { millisIn, NotDone, said } from "./words.ts"

/** `percept keys`: the keys in the database, whether or not a router runs on it. */
export const keys = Command.make("keys", {}, () => Console.log(HELP)).pipe(
  Command.withDescription("Keys with budgets and limits: make, list and revoke them."),
  Command.withSubcommands([
    Command.make(
      "create",
      {
        name: said("name", "Whose key it is."),
        budget: said("budget", "Dollars it may spend in all: 12.50."),
        rpm: said("rpm", "Requests a minute, in each router."),
        tpm: said("tpm", "Tokens a minute, in each router."),
        models: said("models", 'Names it may use: "gpt-*,anthropic/*".'),
        expires: said("expires", "When it ends: 30d, or a date, 2030-12-31.")
      },
      (asked) => withStore(create(asked))
    ).pipe(Command.withDescription("Makes a key; it is shown once.")),
    Command.make("list", {}, () => withStore(list)).pipe(
      Command.withDescription("What there is, spent and left.")
    ),
    Command.make("revoke", { key: Args.text({ name: "id or name" }) }, ({ key }) =>
      withStore(revoke(key))
    ).pipe(Command.withDescription("Ends a key."))
  ])
)

const create = Effect.fnUntraced(function* (asked: Asked) {
  const wish = yield* wishIn(asked)
  const store = yield* KeyStore
  const { id, secret } = yield* store
    .create(wish)
    .pipe(
      Effect.catchTag(
        "NameTaken",
        ({ name }) =>
          new NotDone({ message: `There is a key '${name}' already; revoke it, or choose another name.` })
      )
    )
  yield* Console.error(
    `The key '${wish.name}' (${id}) is made. It is shown this once and cannot be told again:`
  )
  yield* Console.log(secret)
})

const list = Effect.gen(function* () {
  const found = yield* (yield* KeyStore).list()
  if (found.length === 0)
    return yield* Console.error("There are no keys; make one: percept keys create --name me")
  const rows = [HEAD, ...found.map((key) => cellsOf(key, Date.now()))]
  const widths = HEAD.map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)))
  for (const row of rows)
    yield* Console.log(
      row
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join("  ")
        .trimEnd()
    )
})

const revoke = Effect.fnUntraced(function* (idOrName: string) {
  const key = yield* (yield* KeyStore).revoke(idOrName)
  if (key === undefined) return yield* new NotDone({ message: `There is no key '${idOrName}'.` })
  yield* Console.log(
    key.revokedAt === undefined
      ? `The key '${key.name}' (${key.id}) is revoked; running routers know within seconds.`
      : `The key '${key.name}' (${key.id}) was revoked before.`
  )
})

const HEAD = ["ID", "NAME", "STATE", "SPENT", "LEFT", "RPM", "TPM", "MODELS", "EXPIRES"]

const cellsOf = (key: StoredKey, now: number): ReadonlyArray<string> => [
  key.id,
  key.name,
  stateOf(key, now),
  dollars(key.spent),
  key.budget === undefined ? "-" : dollars(key.budget - key.spent - key.reserved),
  key.rpm?.toString() ?? "-",
  key.tpm?.toString() ?? "-",
  key.models?.join(",") ?? "all",
  key.expiresAt === undefined ? "never" : new Date(key.expiresAt).toISOString().slice(0, 16)
]

const stateOf = ({ budget, expiresAt, revokedAt, spent }: StoredKey, now: number): string =>
  revokedAt !== undefined
    ? "revoked"
    : expiresAt !== undefined && expiresAt <= now
      ? "expired"
      : budget !== undefined && spent >= budget
        ? "used up"
        : "active"

const dollars = (nano: NanoDollars): string => `${nano < 0 ? "-" : ""}$${toDollars(Math.abs(nano))}`

/** A key as it is asked for in words. */
export interface Asked {
  readonly name?: string | undefined
  readonly budget?: string | undefined
  readonly rpm?: string | undefined
  readonly tpm?: string | undefined
  readonly models?: string | undefined
  readonly expires?: string | undefined
}

/** What was asked for, or the first word of it that is wrong. */
export const wishIn = (asked: Asked): Either.Either<KeyWish, NotDone> =>
  Either.gen(function* () {
    const { name } = asked
    if (name === undefined || !NAME.test(name))
      return yield* Either.left(
        wrong("--name must be 1 to 64 letters, digits, or any of . _ @ + - between them.")
      )
    return {
      name,
      budget: yield* given(asked.budget, "--budget must be dollars, for example 12.50", (text) =>
        believable(fromDollars(text))
      ),
      rpm: yield* given(asked.rpm, "--rpm must be a whole number from 1 on", countIn),
      tpm: yield* given(asked.tpm, "--tpm must be a whole number from 1 on", countIn),
      models: yield* given(
        asked.models,
        '--models must be names, for example "gpt-*,anthropic/*"',
        patternsIn
      ),
      expiresAt: yield* given(asked.expires, "--expires must be to come: 30d, 12h, or 2030-12-31", timeIn)
    }
  })

const given = <A>(
  text: string | undefined,
  problem: string,
  read: (text: string) => A | undefined
): Either.Either<A | undefined, NotDone> => {
  if (text === undefined) return Either.right(undefined)
  const found = read(text.trim())
  return found === undefined
    ? Either.left(wrong(`${problem}, not ${JSON.stringify(text.slice(0, 80))}.`))
    : Either.right(found)
}

const countIn = (text: string): number | undefined => (/^[1-9]\d{0,8}$/.test(text) ? Number(text) : undefined)

const patternsIn = (text: string): ReadonlyArray<string> | undefined => {
  const patterns = text.split(",").map((pattern) => pattern.trim())
  return patterns.every((pattern) => /^[\x21-\x7e]{1,200}$/.test(pattern)) ? patterns : undefined
}

const timeIn = (text: string): number | undefined => {
  const span = millisIn(text)
  const day = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : NaN
  const time = span === undefined ? day : Date.now() + span
  return time > Date.now() ? time : undefined
}

const wrong = (problem: string) => new NotDone({ message: `${problem}\n\n${HELP}` })

const withStore = <A, E>(program: Effect.Effect<A, E, KeyStore>) =>
  program.pipe(
    Effect.retry(Database.whileLocked),
    Effect.provide(
      KeyStore.Default.pipe(Layer.provide(Database.layer), Layer.provide(AppConfig.layerFromEnv))
    )
  )

/** Nothing that could be taken for an option, or that a terminal would not show as it is. */
const NAME = /^(?!-)[\w.@+-]{1,64}$/

const HELP = `percept keys create --name <name>   make a key; it is shown once
    --budget 12.50                  dollars it may spend in all
    --rpm 60 --tpm 100000           requests and tokens a minute, in each router
    --models "gpt-*,anthropic/*"    names it may use
    --expires 30d                   or a date, 2030-12-31
percept keys list                   what there is, spent and left
percept keys revoke <id or name>    ends a key`
