import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { once } from "node:events"
import { createServer } from "node:net"
import type { AddressInfo, Socket } from "node:net"
import { Pool } from "undici"
import type { Dispatcher } from "undici"
import { steadyConnector } from "../../src/services/SteadySocket.ts"

const BODY = Buffer.alloc(20_000, "percept ")
const CHUNKED = Buffer.concat([
  Buffer.from(`${BODY.length.toString(16)}\r\n`),
  BODY,
  Buffer.from("\r\n0\r\n\r\n")
])

/** An answer that breaks off; START bytes of it may be the size of a chunk. */
const PART = 5000
const START = 6

/** The ways an answer can say where it ends. */
const LENGTH = ["a length", `Content-Length: ${BODY.length}\r\n`, BODY] as const
const CHUNKS = ["chunks", "Transfer-Encoding: chunked\r\n", CHUNKED] as const
const UNTIL_END = ["nothing but its end", "", BODY] as const

/** A reader that takes a rest after every piece, and does not come back from the last one. */
class SlowReader implements Dispatcher.DispatchHandler {
  private readonly pieces: Array<Buffer> = []
  private readonly expected: number
  private readonly done: (end: "whole" | "broken", bytes: Buffer) => void

  constructor(expected: number, done: SlowReader["done"]) {
    this.expected = expected
    this.done = done
  }

  private bytes(): Buffer {
    return Buffer.concat(this.pieces)
  }

  onRequestStart(): void {}

  onResponseData(controller: Dispatcher.DispatchController, piece: Buffer): void {
    this.pieces.push(Buffer.from(piece))
    controller.pause()
    if (this.bytes().length < this.expected) setImmediate(() => controller.resume())
  }

  onResponseEnd(): void {
    this.done("whole", this.bytes())
  }

  onResponseError(): void {
    this.done("broken", this.bytes())
  }
}

const read = (head: string, body: Buffer, expected: number, hangUp: (socket: Socket) => void) =>
  Effect.gen(function* () {
    const server = yield* Effect.acquireRelease(
      Effect.promise(async () => {
        const server = createServer((socket) => {
          socket.on("error", () => {})
          socket.once("data", () => {
            socket.write(`HTTP/1.1 200 OK\r\nConnection: close\r\n${head}\r\n`)
            socket.write(body, () => hangUp(socket))
          })
        }).listen(0, "127.0.0.1")
        await once(server, "listening")
        return server
      }),
      (server) => Effect.sync(() => server.close())
    )
    const { port } = server.address() as AddressInfo
    const pool = yield* Effect.acquireRelease(
      Effect.sync(() => new Pool(`http://127.0.0.1:${port}`, { connect: steadyConnector({}) })),
      (pool) => Effect.promise(() => pool.destroy())
    )
    return yield* Effect.async<{ readonly end: "whole" | "broken"; readonly bytes: Buffer }>((resume) => {
      const reader = new SlowReader(expected, (end, bytes) => resume(Effect.succeed({ end, bytes })))
      pool.dispatch({ method: "GET", path: "/" }, reader)
    })
  }).pipe(Effect.scoped)

describe("A server that hangs up while its answer is read slowly", () => {
  for (const [name, head, body] of [LENGTH, UNTIL_END]) {
    it.effect(`is heard to the end where the answer has ${name}`, () =>
      Effect.gen(function* () {
        const { bytes, end } = yield* read(head, body, BODY.length, (socket) => socket.end())
        assert.strictEqual(end, "whole")
        assert.isTrue(bytes.equals(BODY))
      })
    )
  }

  for (const [name, head, body] of [LENGTH, CHUNKS, UNTIL_END]) {
    it.effect(`ends the answer and nothing else where it resets the connection: ${name}`, () =>
      Effect.gen(function* () {
        const { bytes, end } = yield* read(head, body.subarray(0, PART), PART - START, (socket) =>
          socket.resetAndDestroy()
        )
        assert.include(["whole", "broken"], end)
        assert.isAtMost(bytes.length, PART)
      })
    )
  }

  for (const [name, head, body] of [LENGTH, CHUNKS]) {
    it.effect(`is not taken for complete where it breaks off: ${name}`, () =>
      Effect.gen(function* () {
        const { end } = yield* read(head, body.subarray(0, PART), PART - START, (socket) => socket.end())
        assert.strictEqual(end, "broken")
      })
    )
  }
})
