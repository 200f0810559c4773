import { assert, describe, it, layer } from "@effect/vitest"
import { Chunk, Context, Effect, Exit, Fiber, Layer, Logger, LogLevel, Scope, Stream } from "effect"
import { existsSync, readFileSync, statSync } from "node:fs"
import { createServer } from "node:net"
import type { AddressInfo, Server } from "node:net"
import { join } from "node:path"
import { Subprocess } from "../../../src/services/media/Subprocess.ts"
import type { Command } from "../../../src/services/media/Subprocess.ts"
import { startOwner } from "../../support/Owners.ts"
import { makeMark, nobodyWith, processesWith, asleep } from "../../support/Processes.ts"
import { eventually, temporaryFolder } from "../../support/Router.ts"

const withPath = <A, E, R>(path: string, effect: Effect.Effect<A, E, R>) =>
  Effect.acquireUseRelease(
    Effect.sync(() => {
      const before = process.env["PATH"]
      process.env["PATH"] = path
      return before
    }),
    () => effect,
    (before) => Effect.sync(() => (process.env["PATH"] = before))
  )

const hosts = [
  ["on this host", Subprocess.Default],
  [
    "on a host that offers nothing",
    Layer.scopedContext(
      withPath(
        "/nowhere",
        // What the host offers is found out when it is first needed.
        Effect.tap(Layer.build(Subprocess.Default), (built) => Context.get(built, Subprocess).sandbox)
      ).pipe(Logger.withMinimumLogLevel(LogLevel.None))
    )
  ]
] as const

const shell = (script: string, rest: Partial<Command> = {}) =>
  Effect.map(temporaryFolder, (cwd): Command => ({
    command: "/bin/sh",
    args: ["-c", script],
    cwd,
    timeout: "20 seconds",
    ...rest
  }))

const run = (script: string, rest: Partial<Command> = {}) =>
  Effect.flatMap(shell(script, rest), (command) => Effect.flatMap(Subprocess, ({ run }) => run(command)))

/** A child and a grandchild, both to be found by the mark. */
const family = (mark: string) => `/bin/sleep ${mark} & /bin/sleep ${mark}; exit 0`

layer(Subprocess.Default, { excludeTestServices: true })("a program", (it) => {
  it.scoped("says what it has to say", () =>
    Effect.gen(function* () {
      const { stderr, stdout } = yield* run("echo out; echo err >&2")
      assert.deepStrictEqual([stdout.toString(), stderr], ["out\n", "err\n"])
    })
  )

  it.scoped("runs beside others to its end, whichever of them was first", () =>
    Effect.gen(function* () {
      const three = Effect.all(
        [run("sleep 0.1; echo a"), run("sleep 0.1; echo b"), run("sleep 0.1; echo c")],
        {
          concurrency: 3
        }
      )
      for (let round = 0; round < 3; round++) {
        const said = (yield* three).map(({ stdout }) => stdout.toString())
        assert.deepStrictEqual(said, ["a\n", "b\n", "c\n"])
      }
    })
  )

  it.scoped("gets what is sent to its stdin, and otherwise nothing", () =>
    Effect.gen(function* () {
      const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 7919) % 251))
      assert.isTrue((yield* run("cat", { stdin: bytes })).stdout.equals(bytes))
      assert.strictEqual((yield* run("cat")).stdout.length, 0)
      // One that does not read to the end does not mind.
      assert.strictEqual((yield* run("exit 0", { stdin: bytes })).stdout.length, 0)
    })
  )

  it.scoped("fails with its exit code or signal, and with what it complained about", () =>
    Effect.gen(function* () {
      const left = yield* Effect.flip(run("echo oh dear >&2; exit 3"))
      assert.deepInclude(left, { reason: "exit", exitCode: 3, stderr: "oh dear\n" })
      assert.strictEqual(left.message, "The program failed: 3 oh dear")
      assert.deepInclude(yield* Effect.flip(run("kill -KILL $$")), { reason: "exit", signal: "SIGKILL" })
    })
  )

  it.scoped("that is not there does not start", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* Effect.flip(run("", { command: "/nowhere/tool" }))).reason, "start")
      assert.strictEqual((yield* Effect.flip(run("", { cwd: "/nowhere" }))).reason, "start")
      assert.strictEqual((yield* Effect.flip(run("", { command: "/etc/passwd" }))).reason, "start")
    })
  )

  it.scoped("is asked to end first, and made to when it does not listen", () =>
    Effect.gen(function* () {
      const mark = makeMark()
      const command = yield* shell(
        `trap 'echo asked > asked' TERM; echo on > on; while :; do sleep 0.05; done; sleep ${mark}`
      )
      const { run } = yield* Subprocess
      const fiber = yield* Effect.fork(run(command))
      const asked = join(command.cwd, "asked")
      yield* eventually(
        Effect.sync(() => existsSync(join(command.cwd, "on"))),
        (is) => is
      )
      yield* Fiber.interrupt(fiber)
      assert.isTrue(existsSync(asked))
      yield* nobodyWith(mark)
    })
  )

  it.scoped("that says too much is stopped", () =>
    Effect.gen(function* () {
      const mark = makeMark()
      assert.strictEqual((yield* run("printf 12345", { maxOutput: 5 })).stdout.length, 5)
      const failed = yield* Effect.flip(run(`while :; do echo ${mark}; done`, { maxOutput: 10_000 }))
      assert.strictEqual(failed.reason, "output")
      yield* nobodyWith(mark)
    })
  )

  it.scoped("may complain at length: the first and the last of it are kept", () =>
    Effect.gen(function* () {
      const { stderr } = yield* run("{ echo first; head -c 1000000 /dev/zero | tr '\\0' x; echo last; } >&2")
      assert.isBelow(stderr.length, 66_000)
      assert.match(stderr, /^first\nx+\n… \d+ bytes left out …\nx+last\n$/)
    })
  )

  it.scoped("is heard as it speaks, and fails at the end", () =>
    Effect.gen(function* () {
      const { stream } = yield* Subprocess
      const heard: Array<string> = []
      const command = yield* shell("printf early; exit 4")
      const failed = yield* stream(command).pipe(
        Stream.decodeText(),
        Stream.runForEach((text) => Effect.sync(() => heard.push(text))),
        Effect.flip
      )
      assert.deepStrictEqual(heard, ["early"])
      assert.deepInclude(failed, { reason: "exit", exitCode: 4 })
    })
  )

  it.scoped("speaks no faster than it is listened to", () =>
    Effect.gen(function* () {
      const { stream } = yield* Subprocess
      const command = yield* shell(
        `i=0; while [ $i -lt 100 ]; do head -c 500000 /dev/zero; i=$((i+1)); echo $i > written; done`
      )
      const written = Effect.sync(() => {
        const file = join(command.cwd, "written")
        return existsSync(file) ? Number(readFileSync(file, "utf8")) : 0
      })
      const standstill = Effect.gen(function* () {
        const first = yield* written
        yield* Effect.sleep("300 millis")
        return first === (yield* written)
      })
      let heard = 0
      yield* stream(command).pipe(
        Stream.runForEach((bytes) =>
          Effect.gen(function* () {
            if (heard === 0) {
              yield* eventually(standstill, (is) => is)
              assert.isBelow(yield* written, 5)
            }
            heard += bytes.length
          })
        )
      )
      assert.strictEqual(heard, 50_000_000)
    })
  )

  it.scoped("can be talked with until its scope closes", () =>
    Effect.gen(function* () {
      const mark = makeMark()
      const { open } = yield* Subprocess
      const scope = yield* Scope.make()
      const command = yield* shell(
        `sleep ${mark} & while read line; do echo "you said $line"; : > $line; done`
      )
      const opened = open({ ...command, stdin: Buffer.from("one\n"), timeout: "1 hour" })
      const child = yield* Effect.uninterruptible(Scope.extend(opened, scope))
      yield* child.send(Buffer.from("two\n"))
      // What it says before anyone listens is kept.
      yield* eventually(
        Effect.sync(() => existsSync(join(command.cwd, "two"))),
        (is) => is
      )
      const heard = yield* child.output.pipe(
        Stream.decodeText(),
        Stream.splitLines,
        Stream.take(2),
        Stream.runCollect
      )
      assert.deepStrictEqual(Chunk.toReadonlyArray(heard), ["you said one", "you said two"])
      assert.isAbove(processesWith(mark).length, 0)
      yield* Scope.close(scope, Exit.void)
      yield* nobodyWith(mark)
      assert.isTrue(Exit.isFailure(yield* Effect.exit(child.send(Buffer.from("three\n")))))
      assert.strictEqual((yield* Effect.flip(child.exit)).reason, "exit")
    })
  )
})

for (const [where, host] of hosts)
  layer(host, { excludeTestServices: true })(`a program ${where}`, (it) => {
    it.scoped("sees the listed environment and no other", () =>
      Effect.gen(function* () {
        Object.assign(process.env, { FOO: "secret", http_proxy: "http://proxy.example" })
        yield* Effect.addFinalizer(() =>
          Effect.sync(() => {
            delete process.env["FOO"]
            delete process.env["http_proxy"]
          })
        )
        const command = yield* shell("", { command: "/usr/bin/env", args: [], env: { MORE: "1" } })
        const { run } = yield* Subprocess
        const { stdout } = yield* run(command)
        assert.deepStrictEqual(stdout.toString().trimEnd().split("\n").toSorted(), [
          `HOME=${command.cwd}`,
          "LANG=C.UTF-8",
          "MORE=1",
          `PATH=${process.env["PATH"]}`,
          `TMPDIR=${command.cwd}`
        ])
      })
    )

    it.scoped("is ended with its whole family when it is no longer wanted", () =>
      Effect.gen(function* () {
        const mark = makeMark()
        const fiber = yield* Effect.fork(run(family(mark)))
        yield* asleep(mark, 2)
        const exit = yield* Fiber.interrupt(fiber)
        assert.isTrue(Exit.isInterrupted(exit))
        yield* nobodyWith(mark)
      })
    )

    it.scoped("that ends well takes what it left behind with it", () =>
      Effect.gen(function* () {
        const mark = makeMark()
        const { stdout } = yield* run(`sleep ${mark} & echo done`)
        assert.strictEqual(stdout.toString(), "done\n")
        yield* nobodyWith(mark)
      })
    )

    it.scoped("that ends well takes those with it that left its group, where it has a tree of its own", () =>
      Effect.gen(function* () {
        const mark = makeMark()
        const sandbox = yield* (yield* Subprocess).sandbox
        const seconds = sandbox.processes === "unshare" ? mark : "0"
        yield* run(`setsid sleep ${seconds} > /dev/null 2>&1 & sleep 0.2`)
        yield* nobodyWith(mark)
      })
    )

    it.scoped("is ended when its time is over", () =>
      Effect.gen(function* () {
        const mark = makeMark()
        const failed = yield* Effect.flip(run(`echo so far >&2; ${family(mark)}`, { timeout: "500 millis" }))
        assert.strictEqual(failed.reason, "timeout")
        assert.include(failed.stderr, "so far")
        yield* nobodyWith(mark)

        const command = yield* shell(`echo first; ${family(mark)}`, { timeout: "500 millis" })
        const { stream } = yield* Subprocess
        assert.strictEqual((yield* Effect.flip(Stream.runDrain(stream(command)))).reason, "timeout")
        yield* nobodyWith(mark)
      })
    )

    it.scoped("is ended when nobody listens any more", () =>
      Effect.gen(function* () {
        const mark = makeMark()
        const { stream } = yield* Subprocess
        const command = yield* shell(`while :; do echo ${mark}; done`)
        const some = yield* Stream.runCollect(Stream.take(stream(command), 1))
        assert.strictEqual(Chunk.size(some), 1)
        yield* nobodyWith(mark)
      })
    )

    it.scoped("has a network when it asks for one, and otherwise only where it cannot be taken away", () =>
      Effect.gen(function* () {
        const sandbox = yield* (yield* Subprocess).sandbox
        const port = yield* listening
        const script = `require("net").connect(${port}, "127.0.0.1", () => process.exit(0)).on("error", () => process.exit(7))`
        const call = { command: process.execPath, args: ["-e", script] }
        yield* run("", { ...call, network: true })
        const exit = yield* Effect.exit(run("", call))
        assert.strictEqual(Exit.isFailure(exit), sandbox.network === "unshare")
      })
    )

    it.scoped("gets no more memory, disk and processor than it is granted, where there are limits", () =>
      Effect.gen(function* () {
        const { run, sandbox: offered } = yield* Subprocess
        const sandbox = yield* offered
        const limited = sandbox.limits === "prlimit"
        const fails = (script: string, limits: Command["limits"]) =>
          Effect.flatMap(shell(script, { limits: limits ?? {} }), (command) =>
            Effect.map(Effect.exit(run(command)), (exit) => [command.cwd, Exit.isFailure(exit)] as const)
          )

        const glutton = "head -c 100000000 /dev/zero | tail -n 1 > /dev/null"
        assert.strictEqual((yield* fails(glutton, { memoryMb: 50 }))[1], limited)
        assert.isFalse((yield* fails(glutton, { memoryMb: 1000 }))[1])

        const [cwd, failed] = yield* fails("head -c 3000000 /dev/zero > big", { fileMb: 1 })
        assert.strictEqual(failed, limited)
        assert.strictEqual(statSync(join(cwd, "big")).size, limited ? 1024 * 1024 : 3_000_000)

        if (limited) assert.isTrue((yield* fails("while :; do :; done", { cpuSeconds: 1 }))[1])
      })
    )
  })

describe("a program whose owner", () => {
  it.scopedLive("is killed dies, and so does all it started", () =>
    Effect.gen(function* () {
      const mark = makeMark()
      const owner = yield* startOwner({ workspace: yield* temporaryFolder, script: family(mark) })
      yield* asleep(mark, 2)
      owner.kill()
      if (owner.said.death === "setpriv" && owner.said.processes === "unshare") yield* nobodyWith(mark)
    })
  )

  for (const how of ["exit", "throw"] as const)
    it.scopedLive(`ends without a word (${how}) dies on any host`, () =>
      Effect.gen(function* () {
        const mark = makeMark()
        const workspace = yield* temporaryFolder
        const owner = yield* startOwner({
          workspace,
          script: `trap "" TERM; ${family(mark)}`,
          path: "/nowhere",
          how
        })
        assert.strictEqual(owner.said.death, "none")
        yield* asleep(mark, 2)
        owner.tell("now")
        yield* nobodyWith(mark)
      })
    )
})

const listening = Effect.acquireRelease(
  Effect.async<Server>((resume) => {
    const server = createServer((socket) => socket.end()).listen(0, "127.0.0.1", () =>
      resume(Effect.succeed(server))
    )
  }),
  (server) => Effect.async<void>((resume) => void server.close(() => resume(Effect.void)))
).pipe(Effect.map((server) => (server.address() as AddressInfo).port))
