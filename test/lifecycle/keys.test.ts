import { assert, describe, it } from "@effect/vitest"
import { Effect, Either } from "effect"
import { join } from "node:path"
import { root } from "../../scripts/fresh.mjs"
import { isOwnKey } from "../../src/domain/PresentedKey.ts"
import { wishIn } from "../../src/cli/keys.ts"
import type { Asked } from "../../src/cli/keys.ts"
import { launch, startProgram, WITHOUT_TOOLS } from "../support/Program.ts"
import { eventually, temporaryFolder } from "../support/Router.ts"

const main = join(root, "dist", "main.js")

/** `percept keys …`, run to its end. */
const keys = (dataDir: string, ...words: ReadonlyArray<string>) =>
  Effect.scoped(
    Effect.gen(function* () {
      const program = yield* launch({ DATA_DIR: dataDir }, { args: [main, "keys", ...words], cwd: dataDir })
      const { code } = yield* program.ended
      return { code, said: program.output().trim() }
    })
  )

const secretIn = (said: string): string => said.split("\n").at(-1) ?? ""

const ask = (url: string, secret?: string) =>
  Effect.promise(() =>
    fetch(`${url}/v1/chat/completions`, {
      method: "POST",
      headers: secret === undefined ? {} : { authorization: `Bearer ${secret}` },
      body: JSON.stringify({ model: "percept/inspect", messages: [{ role: "user", content: "Hi" }] })
    }).then(({ status }) => status)
  )

describe("percept keys", () => {
  it.scopedLive("makes, lists and revokes, beside a running router and without one", () =>
    Effect.gen(function* () {
      const dataDir = yield* temporaryFolder
      const limits = [
        "--budget",
        "12.50",
        "--rpm=60",
        "--tpm",
        "9000",
        "--models",
        "percept/*, gpt-?",
        "--expires",
        "30d"
      ]
      const first = yield* keys(dataDir, "create", "--name", "first", ...limits)
      assert.strictEqual(first.code, 0, first.said)
      const secret = secretIn(first.said)
      assert.isTrue(isOwnKey(secret), first.said)

      const { url } = yield* startProgram({ ...WITHOUT_TOOLS, DATA_DIR: dataDir, LISTEN_HOST: "0.0.0.0" })
      assert.deepStrictEqual([yield* ask(url), yield* ask(url, secret)], [401, 200])
      const second = secretIn((yield* keys(dataDir, "create", "--name=second")).said)
      assert.strictEqual(yield* ask(url, second), 200)
      const revoked = yield* keys(dataDir, "revoke", "first")
      assert.match(revoked.said, /^The key 'first' \([0-9a-f]{12}\) is revoked/)
      yield* eventually(ask(url, secret), (status) => status === 401, 5)
      assert.strictEqual(yield* ask(url, second), 200)

      const { said } = yield* keys(dataDir, "list")
      const lines = said.split("\n").map((line) => line.split(/ {2,}/))
      const date = new Date(Date.now() + 30 * 86_400_000).toISOString().slice(0, 10)
      assert.deepStrictEqual(lines[0], [
        "ID",
        "NAME",
        "STATE",
        "SPENT",
        "LEFT",
        "RPM",
        "TPM",
        "MODELS",
        "EXPIRES"
      ])
      assert.deepStrictEqual(lines[1]?.slice(1, 8), [
        "first",
        "revoked",
        "$0",
        "$12.5",
        "60",
        "9000",
        "percept/*,gpt-?"
      ])
      assert.include(lines[1]?.[8], date)
      assert.deepStrictEqual(lines[2]?.slice(1), ["second", "active", "$0", "-", "-", "-", "all", "never"])
      for (const hidden of [secret, second]) assert.notInclude(said, hidden.slice(11))
    })
  )

  it.scopedLive("says what is wrong with what it was told, and makes nothing then", () =>
    Effect.gen(function* () {
      const dataDir = yield* temporaryFolder
      const { code, said } = yield* keys(dataDir, "create", "--name", "a", "--budget=a lot")
      assert.strictEqual(code, 1)
      assert.match(said, /^--budget must be dollars, for example 12\.50, not "a lot"\./)
      const unknown = yield* keys(dataDir, "revoke", "nobody")
      assert.deepStrictEqual(unknown, { code: 1, said: "There is no key 'nobody'." })
      assert.match((yield* keys(dataDir, "list")).said, /^There are no keys/)
      assert.match((yield* keys(dataDir)).said, /^percept keys create/)
    })
  )

  const wrong: ReadonlyArray<readonly [Asked, RegExp]> = [
    [{}, /^--name must be/],
    [{ name: "a b" }, /^--name must be/],
    [{ name: "\u001b[2J" }, /^--name must be/],
    [{ name: "-a" }, /^--name must be/],
    [{ name: "a", budget: "-1" }, /^--budget must be/],
    [{ name: "a", budget: "1e30" }, /^--budget must be/],
    [{ name: "a", rpm: "0" }, /^--rpm must be/],
    [{ name: "a", tpm: "1.5" }, /^--tpm must be/],
    [{ name: "a", models: "a,,b" }, /^--models must be/],
    [{ name: "a", models: "a b" }, /^--models must be/],
    [{ name: "a", expires: "2020-01-01" }, /^--expires must be/],
    [{ name: "a", expires: "soon" }, /^--expires must be/],
    [{ name: "a", expires: "0d" }, /^--expires must be/]
  ]
  for (const [asked, says] of wrong)
    it(`create ${JSON.stringify(asked)} is refused`, () => {
      const wish = wishIn(asked)
      assert.isTrue(Either.isLeft(wish))
      if (Either.isLeft(wish)) assert.match(wish.left.message, says)
    })
})
