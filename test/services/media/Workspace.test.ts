import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer, Logger, LogLevel, Scope } from "effect"
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync
} from "node:fs"
import { basename, dirname, join } from "node:path"
import { AppConfig, read } from "../../../src/services/AppConfig.ts"
import type { AppConfigValues } from "../../../src/services/AppConfig.ts"
import { Workspace } from "../../../src/services/media/Workspace.ts"
import { startOwner } from "../../support/Owners.ts"
import { asleep, makeMark, nobodyWith } from "../../support/Processes.ts"
import { temporaryFolder } from "../../support/Router.ts"

const workspace = (mediaTmpDir: string, settings: Partial<AppConfigValues> = {}) =>
  Layer.provide(
    Workspace.Default,
    Layer.effect(
      AppConfig,
      Effect.map(read({}), (values) => ({ ...values, mediaMinFreeMb: 0, mediaTmpDir, ...settings }))
    )
  )

const newRoot = Effect.map(temporaryFolder, (folder) => join(folder, "tmp"))

const mode = (path: string) => (statSync(path).mode & 0o777).toString(8)

/** A private folder for as long as the effect runs. */
const folder = Effect.flatMap(Workspace, ({ folder }) => folder)

describe("a folder", () => {
  it.scopedLive("is private, ours by name, and new each time", () =>
    Effect.gen(function* () {
      const root = yield* newRoot
      yield* Effect.gen(function* () {
        const [one, other] = [yield* folder, yield* folder]
        assert.strictEqual(dirname(one), root)
        assert.include(basename(one), `-${process.pid}-`)
        assert.deepStrictEqual([root, one, other].map(mode), ["700", "700", "700"])
        assert.notStrictEqual(one, other)
      }).pipe(Effect.scoped, Effect.provide(workspace(root)))
    })
  )

  const ends: ReadonlyArray<readonly [string, Effect.Effect<unknown, unknown>]> = [
    ["success", Effect.void],
    ["failure", Effect.fail("no")],
    ["a bug", Effect.die("oh")],
    ["an interruption", Effect.interrupt]
  ]
  for (const [what, end] of ends)
    it.scopedLive(`goes with all in it after ${what}`, () =>
      Effect.gen(function* () {
        const root = yield* newRoot
        const use = Effect.gen(function* () {
          const path = yield* folder
          mkdirSync(join(path, "deep", "er"), { recursive: true })
          writeFileSync(join(path, "deep", "er", "file"), "x")
          assert.strictEqual(readdirSync(root).length, 1)
          yield* end
        })
        yield* Effect.exit(Effect.scoped(use)).pipe(Effect.provide(workspace(root)))
        assert.deepStrictEqual(readdirSync(root), [])
      })
    )

  it.scopedLive("goes at once when the process is ended by a second signal or a bug", () =>
    Effect.gen(function* () {
      const root = yield* newRoot
      const mark = makeMark()
      const owner = yield* startOwner({ workspace: root, script: `sleep ${mark}`, how: "exit" })
      assert.isTrue(existsSync(owner.said.folder))
      owner.tell("now")
      yield* owner.ended
      assert.deepStrictEqual(readdirSync(root), [])
      yield* nobodyWith(mark)
    })
  )
})

describe("a start", () => {
  it.scopedLive("clears away what a killed process left, and nothing of one that lives", () =>
    Effect.gen(function* () {
      const root = yield* newRoot
      const mark = makeMark()
      const script = `echo x > file; sleep ${mark}`
      const [killed, living] = yield* Effect.all([
        startOwner({ workspace: root, script }),
        startOwner({ workspace: root, script })
      ])
      yield* asleep(mark, 2)
      killed.kill()
      yield* killed.ended
      assert.isTrue(existsSync(killed.said.folder))
      yield* Layer.build(workspace(root))
      assert.deepStrictEqual(readdirSync(root), [basename(living.said.folder)])
    })
  )

  it.scopedLive("never touches what a link points to", () =>
    Effect.gen(function* () {
      const root = yield* newRoot
      const precious = yield* temporaryFolder
      const file = join(precious, "file")
      writeFileSync(file, "precious")
      const dead = yield* nameOfTheDead(root)
      mkdirSync(join(root, dead("aaaaaa")))
      symlinkSync(precious, join(root, dead("aaaaaa"), "inside"))
      symlinkSync(precious, join(root, dead("bbbbbb")))
      symlinkSync(precious, join(root, "elsewhere"))
      yield* Layer.build(workspace(root))
      assert.strictEqual(readFileSync(file, "utf8"), "precious")
      assert.deepStrictEqual(readdirSync(root), ["elsewhere"])
    })
  )

  it.scopedLive("leaves alone what is not ours, and another machine's until it is a day old", () =>
    Effect.gen(function* () {
      const root = yield* newRoot
      const dead = yield* nameOfTheDead(root)
      const foreign = (random: string) => dead(random).replace(/^percept-\w{12}/, "percept-0123456789ab")
      const others = ["percept-notes", "data", foreign("aaaaaa")]
      for (const name of [...others, foreign("bbbbbb")]) mkdirSync(join(root, name))
      const twoDaysAgo = Date.now() / 1000 - 2 * 86_400
      for (const name of ["data", foreign("bbbbbb")]) utimesSync(join(root, name), twoDaysAgo, twoDaysAgo)
      yield* Layer.build(workspace(root))
      assert.sameMembers(readdirSync(root), others)
    })
  )

  it.scopedLive("makes the root private unless others have something in it", () =>
    Effect.gen(function* () {
      const [own, shared] = [yield* temporaryFolder, yield* temporaryFolder]
      writeFileSync(join(shared, "something"), "")
      for (const root of [own, shared]) {
        chmodSync(root, 0o755)
        yield* Layer.build(workspace(root))
      }
      assert.deepStrictEqual([own, shared].map(mode), ["700", "755"])
    })
  )

  it.scopedLive("does without a root that cannot be had, until it can", () =>
    Effect.gen(function* () {
      const root = yield* newRoot
      writeFileSync(root, "a file in the way")
      yield* Effect.gen(function* () {
        const failure = yield* Effect.flip(Effect.scoped(folder))
        assert.deepInclude(failure, { code: "no_space", status: 503 })
        assert.notInclude(failure.message, root)
        rmSync(root)
        yield* Effect.scoped(folder)
      }).pipe(Effect.provide(workspace(root)), Logger.withMinimumLogLevel(LogLevel.None))
    })
  )
})

describe("the room", () => {
  it.scopedLive("is bounded for all folders together", () =>
    Effect.gen(function* () {
      const root = yield* newRoot
      const elsewhere = yield* temporaryFolder
      writeFileSync(join(elsewhere, "big"), Buffer.alloc(3_000_000, 1))
      yield* Effect.gen(function* () {
        const scope = yield* Scope.make()
        const [one, other] = yield* Scope.extend(Effect.all([folder, folder]), scope)
        symlinkSync(elsewhere, join(one, "link"))
        symlinkSync(join(elsewhere, "big"), join(one, "big"))
        mkdirSync(join(one, "deep"))
        writeFileSync(join(one, "deep", "half"), Buffer.alloc(600_000, 1))
        yield* Effect.scoped(folder)
        writeFileSync(join(other, "half"), Buffer.alloc(600_000, 1))
        const failure = yield* Effect.flip(Effect.scoped(folder))
        assert.deepInclude(failure, { code: "no_space", status: 503 })
        assert.match(failure.detail ?? "", /MEDIA_TMP_MB/)
        yield* Scope.close(scope, Exit.void)
        yield* Effect.scoped(folder)
      }).pipe(Effect.provide(workspace(root, { mediaTmpMb: 1 })))
    })
  )

  it.scopedLive("on the disk must not fall below the floor", () =>
    Effect.gen(function* () {
      const failure = yield* Effect.flip(Effect.scoped(folder)).pipe(
        Effect.provide(workspace(yield* newRoot, { mediaMinFreeMb: Number.MAX_SAFE_INTEGER }))
      )
      assert.deepInclude(failure, { code: "no_space", status: 503 })
      assert.match(failure.detail ?? "", /MEDIA_MIN_FREE_MB/)
    })
  )
})

/** Names as a process with our pid would have given them that started at another time. */
const nameOfTheDead = (root: string) =>
  Effect.map(Effect.scoped(folder).pipe(Effect.provide(workspace(root))), (path) => {
    const [, host, pid] = /^percept-(\w{12})-(\d+)-/.exec(basename(path)) ?? []
    return (random: string) => `percept-${host}-${pid}-ffffffffffff-${random}`
  })
