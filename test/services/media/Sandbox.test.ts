import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { probe } from "../../../src/services/media/Sandbox.ts"

/** What a host makes of a command line, by the programs and options in it that it forbids. */
const hostWithout = (...forbidden: ReadonlyArray<string>) =>
  probe((argv) => Effect.succeed(!forbidden.some((word) => argv.includes(word))))

const line = (argv: ReadonlyArray<string>) => argv.join(" ")

describe("what a program is run with", () => {
  it.effect("is everything the host allows", () =>
    Effect.gen(function* () {
      const { report, wrap } = yield* hostWithout()
      assert.deepStrictEqual(report, {
        network: "unshare",
        limits: "prlimit",
        death: "setpriv",
        processes: "unshare",
        priority: "nice"
      })
      const limits = { memoryMb: 1, fileMb: 2, cpuSeconds: 2.5 }
      assert.match(
        line(wrap(["/bin/tool", "an arg"], { limits })),
        /^nice .* unshare --net setpriv .* unshare --pid .* --as=1048576 --fsize=2097152 --cpu=3 \/bin\/tool an arg$/
      )
      assert.notInclude(line(wrap(["/bin/tool"], { network: true })), "--net")
    })
  )

  it.effect("is found out at once where everything is allowed", () =>
    Effect.gen(function* () {
      const tried: Array<string> = []
      const { report, wrap } = yield* probe((argv) => Effect.sync(() => tried.push(line(argv)) > 0))
      assert.notInclude(Object.values(report), "none")
      assert.deepStrictEqual(tried, [line(wrap(["true"], { limits: { memoryMb: 512 } }))])
    })
  )

  it.effect("for one who is not root is a namespace of users first, and after it the wish to die", () =>
    Effect.gen(function* () {
      const plain = (argv: ReadonlyArray<string>) =>
        argv.includes("--net") && !argv.includes("--map-root-user")
      const { report, wrap } = yield* probe((argv) => Effect.succeed(!plain(argv)))
      assert.strictEqual(report.network, "unshare")
      assert.match(line(wrap(["/bin/tool"], {})), /unshare --map-root-user --net setpriv /)
      const online = line(wrap(["/bin/tool"], { network: true }))
      assert.match(online, /unshare --map-root-user setpriv .* unshare --pid /)
    })
  )

  it.effect("leaves out what is forbidden, one by one", () =>
    Effect.gen(function* () {
      const withoutTree = yield* hostWithout("--pid")
      assert.deepInclude(withoutTree.report, { processes: "none", network: "unshare", death: "setpriv" })
      assert.notInclude(line(withoutTree.wrap(["/bin/tool"], {})), "--pid")

      const inContainer = yield* hostWithout("unshare")
      assert.deepInclude(inContainer.report, { processes: "none", network: "none", limits: "prlimit" })
      assert.match(line(inContainer.wrap(["/bin/tool"], {})), /^nice .* setpriv .* prlimit .* \/bin\/tool$/)

      const bare = yield* hostWithout("unshare", "setpriv", "prlimit", "nice")
      assert.deepStrictEqual(bare.wrap(["/bin/tool"], { limits: { memoryMb: 1 } }), ["/bin/tool"])
    })
  )

  it.effect("is nothing when the parts work alone and not together", () =>
    Effect.gen(function* () {
      const { report, wrap } = yield* probe((argv) => Effect.succeed(argv.length < 8))
      assert.deepStrictEqual(new Set(Object.values(report)), new Set(["none"]))
      assert.deepStrictEqual(wrap(["/bin/tool"], {}), ["/bin/tool"])
    })
  )
})
