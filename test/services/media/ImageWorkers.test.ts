import { assert, layer } from "@effect/vitest"
import { Effect, Fiber, TestClock } from "effect"
import { readdirSync, readFileSync, readlinkSync } from "node:fs"
import { Subprocess } from "../../../src/services/media/Subprocess.ts"
import {
  broken,
  failureOf,
  large,
  made,
  startImages,
  untilBusy,
  workersBelow
} from "../../support/ImageBench.ts"
import { quarters } from "../../support/Images.ts"
import { eventually } from "../../support/Router.ts"

layer(Subprocess.Default)("workers for images", (it) => {
  it.scoped("start with the first image, and are gone when the pipeline is", () =>
    Effect.gen(function* () {
      const found = yield* Effect.scoped(
        Effect.gen(function* () {
          const { folder, one, temporaryFolders, workers } = yield* startImages()
          assert.deepStrictEqual(yield* workers, [])
          yield* one(yield* made(quarters(64, 48).gif()), "gif")
          assert.strictEqual((yield* workers).length, 1)
          assert.strictEqual((yield* temporaryFolders).length, 1)
          return { folder, pids: yield* workers }
        })
      )
      assert.deepStrictEqual(workersBelow(found.folder), [])
      for (const pid of found.pids) assert.notInclude(readdirSync("/proc"), String(pid))
    })
  )

  it.scoped("are locked in as far as the host allows", () =>
    Effect.gen(function* () {
      const sandbox = yield* (yield* Subprocess).sandbox
      const { one, workers } = yield* startImages({ IMAGE_MAX_MEGAPIXELS: "10" })
      yield* one(yield* made(quarters(64, 48).gif()), "gif")
      const [pid = 0] = yield* workers
      const [, most] =
        /^Max address space +(\d+|unlimited)/m.exec(readFileSync(`/proc/${pid}/limits`, "utf8")) ?? []
      assert.strictEqual(most, sandbox.limits === "prlimit" ? String(1_244 * 1024 * 1024) : "unlimited")
      const network = (of: number) => readlinkSync(`/proc/${of}/ns/net`)
      assert.strictEqual(network(pid) === network(process.pid), sandbox.network === "none")
      const names = readFileSync(`/proc/${pid}/environ`, "utf8")
        .split("\0")
        .map((pair) => pair.split("=")[0])
      assert.sameMembers(
        names.filter((name) => name !== ""),
        ["PATH", "HOME", "TMPDIR", "LANG", "MALLOC_ARENA_MAX", "UV_THREADPOOL_SIZE", "VIPS_CONCURRENCY"]
      )
    })
  )

  it.scoped("fail one job when they are killed, and no other", () =>
    Effect.gen(function* () {
      const { normalise, one, workers } = yield* startImages({ MEDIA_JOBS: "1" })
      const small = yield* made(quarters(64, 48).gif())
      yield* one(small, "gif")
      const [pid = 0] = yield* workers
      const lost = yield* Effect.fork(failureOf(normalise(yield* large, "png")))
      yield* untilBusy(pid)
      const waiting = yield* Effect.fork(one(small, "gif"))
      process.kill(pid, "SIGKILL")
      assert.deepStrictEqual(yield* Fiber.join(lost), broken)
      assert.strictEqual((yield* Fiber.join(waiting)).width, 64)
      assert.notInclude(yield* workers, pid)
    })
  )

  it.scoped("that die while they have nothing to do fail nobody", () =>
    Effect.gen(function* () {
      const { one, temporaryFolders, workers } = yield* startImages({ MEDIA_JOBS: "1" })
      const small = yield* made(quarters(64, 48).gif())
      yield* one(small, "gif")
      const [pid = 0] = yield* workers
      process.kill(pid, "SIGKILL")
      yield* eventually(workers, (pids) => pids.length === 0)
      yield* eventually(temporaryFolders, (left) => left.length === 0)
      assert.strictEqual((yield* one(small, "gif")).width, 64)
    })
  )

  it.scoped("are thrown away with a job whose asker has left", () =>
    Effect.gen(function* () {
      const { normalise, one, workers } = yield* startImages({ MEDIA_JOBS: "1" })
      const small = yield* made(quarters(64, 48).gif())
      yield* one(small, "gif")
      const [pid = 0] = yield* workers
      const left = yield* Effect.fork(normalise(yield* large, "png"))
      yield* untilBusy(pid)
      yield* Fiber.interrupt(left)
      assert.deepStrictEqual(yield* workers, [])
      assert.strictEqual((yield* one(small, "gif")).width, 64)
    })
  )

  it.scoped("share twenty jobs at once, and mix none of them up", () =>
    Effect.gen(function* () {
      const { one, workers } = yield* startImages({ MEDIA_JOBS: "2" })
      const sides = Array.from({ length: 20 }, (_, at) => 20 + at)
      const found = yield* Effect.forEach(
        sides,
        (side) => Effect.flatMap(made(quarters(side, 10).gif()), (bytes) => one(bytes, "gif")),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(
        found.map(({ width }) => width),
        sides
      )
      assert.strictEqual((yield* workers).length, 2)
    })
  )

  it.scoped("are fresh again after two hundred jobs", () =>
    Effect.gen(function* () {
      const { one, workers } = yield* startImages({ MEDIA_JOBS: "1" })
      const bytes = yield* made(quarters(8, 6).gif())
      yield* one(bytes, "gif")
      const first = yield* workers
      yield* Effect.replicateEffect(one(bytes, "gif"), 198)
      assert.deepStrictEqual(yield* workers, first)
      yield* one(bytes, "gif")
      assert.deepStrictEqual(yield* workers, [])
      yield* one(bytes, "gif")
      assert.notDeepEqual(yield* workers, first)
    })
  )

  it.scoped("end a minute after the last image", () =>
    Effect.gen(function* () {
      const { one, temporaryFolders, workers } = yield* startImages()
      const bytes = yield* made(quarters(64, 48).gif())
      yield* one(bytes, "gif")
      yield* TestClock.adjust("59 seconds")
      yield* one(bytes, "gif")
      yield* TestClock.adjust("59 seconds")
      assert.strictEqual((yield* workers).length, 1)
      yield* TestClock.adjust("1 second")
      yield* eventually(workers, (pids) => pids.length === 0)
      yield* eventually(temporaryFolders, (left) => left.length === 0)
      yield* one(bytes, "gif")
    })
  )

  it.scoped("are thrown away when they take too long", () =>
    Effect.gen(function* () {
      const { normalise, one, workers } = yield* startImages({ MEDIA_JOBS: "1" })
      yield* one(yield* made(quarters(64, 48).gif()), "gif")
      const [pid = 0] = yield* workers
      process.kill(pid, "SIGSTOP")
      const late = yield* Effect.fork(failureOf(normalise(yield* large, "png")))
      yield* eventually(
        Effect.zipRight(TestClock.adjust("15 seconds"), Fiber.poll(late)),
        (exit) => exit._tag === "Some"
      )
      assert.deepStrictEqual(yield* Fiber.join(late), {
        code: "timeout",
        message: "The image took too long to decode."
      })
      assert.strictEqual((yield* one(yield* made(quarters(64, 48).gif()), "gif")).width, 64)
      assert.notInclude(yield* workers, pid)
    })
  )
})
