import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Exit, Layer, Logger, LogLevel, Scope, TestClock } from "effect"
import { connect } from "node:net"
import type { Socket } from "node:net"
import { AppConfig } from "../../../src/services/AppConfig.ts"
import { AddressGuard } from "../../../src/services/media/AddressGuard.ts"
import { EgressProxy } from "../../../src/services/media/EgressProxy.ts"
import type { Egress } from "../../../src/services/media/EgressProxy.ts"
import {
  cutOff,
  endless,
  redirect,
  reset,
  silence,
  stall,
  startCanary,
  startMediaHost,
  status
} from "../../support/MediaHost.ts"
import { eventually } from "../../support/Router.ts"

const openProxy = (
  env: Record<string, string>,
  budget: { bytes?: number; timeout?: Duration.Duration } = {}
) =>
  Effect.flatMap(EgressProxy, (proxy) =>
    proxy.open({ bytes: 10_000_000, timeout: Duration.minutes(5), ...budget })
  ).pipe(
    Effect.provide(
      EgressProxy.Default.pipe(
        Layer.provide(AddressGuard.Default),
        Layer.provide(AppConfig.layer(env)),
        Layer.provideMerge(Logger.minimumLogLevel(LogLevel.None))
      )
    )
  )

/** A connection to the proxy that remembers all that comes back. */
const connected = ({ url }: { readonly url: string }) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => connect(Number(new URL(url).port), "127.0.0.1")),
      (socket) => Effect.sync(() => socket.destroy())
    ),
    (socket) => {
      const pieces: Array<Buffer> = []
      let isOver = false
      socket.on("data", (piece) => pieces.push(piece))
      socket.on("error", () => {}).on("close", () => (isOver = true))
      return { socket, text: () => Buffer.concat(pieces).toString("latin1"), isOver: () => isOver }
    }
  )

const credential = (url: string): string => {
  const { password, username } = new URL(url)
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`
}

/** The bytes of a request, with the credential unless another or none is given. */
const request = (egress: Egress, line: string, ...headers: ReadonlyArray<string>): string =>
  [`${line} HTTP/1.1`, `Proxy-Authorization: ${credential(egress.url)}`, ...headers, "\r\n"].join("\r\n")

/** All that comes back until the proxy hangs up. */
const answerTo = (egress: { readonly url: string }, bytes: string) =>
  Effect.scoped(
    Effect.gen(function* () {
      const client = yield* connected(egress)
      client.socket.write(bytes)
      yield* eventually(Effect.sync(client.isOver), (isOver) => isOver)
      return client.text()
    })
  )

const get = (egress: Egress, target: URL | string, ...headers: ReadonlyArray<string>) =>
  answerTo(
    egress,
    request(egress, `GET ${String(target)}`, "Host: example.com", "Connection: close", ...headers)
  )

const tunnel = (egress: Egress, authority: string) =>
  answerTo(egress, request(egress, `CONNECT ${authority}`, `Host: ${authority}`))

const statusOf = (answer: string): number => Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1])

const REFUSAL = "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

const isPortOpen = (port: number) =>
  Effect.async<boolean>((resume) => {
    const socket: Socket = connect(port, "127.0.0.1")
    const tell = (isOpen: boolean) => {
      socket.destroy()
      resume(Effect.succeed(isOpen))
    }
    socket.on("connect", () => tell(true)).on("error", () => tell(false))
  })

describe("what the proxy lets through", () => {
  it.scopedLive("is a request in the open, without what is meant for the proxy", () =>
    Effect.gen(function* () {
      const host = yield* startMediaHost
      const egress = yield* openProxy(host.env)
      const url = host.behave("/page", status(200, { "x-mine": "yes", "keep-alive": "timeout=5" }, "hello"))
      const answer = yield* get(
        egress,
        `${url.href}?a=b`,
        "Connection: X-Hop",
        "X-Hop: secret",
        "Proxy-Connection: keep-alive",
        "TE: trailers",
        "Upgrade: websocket",
        "Range: bytes=0-",
        "Cookie: own=1"
      )
      assert.strictEqual(statusOf(answer), 200)
      assert.match(answer, /\r\nx-mine: yes\r\n/)
      assert.notMatch(answer, /timeout=5/)
      assert.match(answer, /hello/)
      const [asked] = host.asked
      assert.strictEqual(asked?.path, "/page?a=b")
      assert.deepStrictEqual(asked?.headers, {
        host: host.authority,
        range: "bytes=0-",
        cookie: "own=1",
        connection: "close"
      })
      assert.strictEqual(egress.refused(), 0)
      assert.isAtLeast(egress.used(), 5)
    })
  )

  it.scopedLive("is a body that is sent along, whole", () =>
    Effect.gen(function* () {
      const host = yield* startMediaHost
      const egress = yield* openProxy(host.env)
      const url = host.behave("/form", (request, response) => void request.pipe(response))
      const head = request(egress, `POST ${url}`, "Host: x", "Connection: close", "Content-Length: 4")
      const answer = yield* answerTo(egress, `${head}abcd`)
      assert.strictEqual(statusOf(answer), 200)
      assert.match(answer, /abcd/)
    })
  )

  it.scopedLive("is a head without a body", () =>
    Effect.gen(function* () {
      const host = yield* startMediaHost
      const egress = yield* openProxy(host.env)
      const url = host.serve("/file", Buffer.from("four"))
      const answer = yield* answerTo(egress, request(egress, `HEAD ${url}`, "Host: x", "Connection: close"))
      assert.match(answer, /^HTTP\/1\.1 200 OK\r\n[^]*content-length: 4\r\n[^]*\r\n\r\n$/)
      assert.strictEqual(host.asked[0]?.method, "HEAD")
    })
  )

  it.scopedLive("is a tunnel, in which it does not meddle", () =>
    Effect.gen(function* () {
      const host = yield* startMediaHost
      const egress = yield* openProxy(host.env)
      host.serve("/file", Buffer.from("through the tunnel"))
      const client = yield* connected(egress)
      client.socket.write(request(egress, `CONNECT ${host.authority}`))
      yield* eventually(Effect.sync(client.text), (text) => text.endsWith("\r\n\r\n"))
      assert.strictEqual(client.text(), "HTTP/1.1 200 Connection established\r\n\r\n")
      client.socket.write(`GET /file HTTP/1.1\r\nHost: anything\r\nConnection: close\r\n\r\n`)
      yield* eventually(Effect.sync(client.isOver), (isOver) => isOver)
      assert.match(client.text(), /through the tunnel$/)
      assert.deepStrictEqual(host.asked[0]?.headers, { host: "anything", connection: "close" })
      assert.isAtLeast(egress.used(), 60)
      yield* eventually(Effect.sync(host.open), (open) => open === 0)
    })
  )

  it.scopedLive("is a redirect, for the client to follow or not", () =>
    Effect.gen(function* () {
      const host = yield* startMediaHost
      const canary = yield* startCanary
      const egress = yield* openProxy(host.env)
      const url = host.behave("/away", redirect(`http://127.0.0.1:${canary.port}/`))
      const answer = yield* get(egress, url)
      assert.strictEqual(statusOf(answer), 302)
      assert.include(answer, `location: http://127.0.0.1:${canary.port}/`)
      assert.strictEqual(canary.connections(), 0)
    })
  )
})

describe("a client without this job's credential", () => {
  it.scopedLive("is asked for it, and reaches nobody", () =>
    Effect.gen(function* () {
      const host = yield* startMediaHost
      const egress = yield* openProxy(host.env)
      const other = yield* openProxy(host.env)
      assert.notStrictEqual(credential(egress.url), credential(other.url))
      const wrong = [
        "",
        `Proxy-Authorization: ${credential(other.url)}\r\n`,
        `Proxy-Authorization: ${credential(egress.url)}x\r\n`,
        `Proxy-Authorization: Basic\r\n`,
        `Authorization: ${credential(egress.url)}\r\n`
      ]
      for (const header of wrong)
        for (const line of [`GET ${host.at("/")}`, `CONNECT ${host.authority}`]) {
          const answer = yield* answerTo(
            egress,
            `${line} HTTP/1.1\r\nHost: x\r\n${header}Connection: close\r\n\r\n`
          )
          assert.strictEqual(statusOf(answer), 407, `${line} ${header}`)
          assert.include(answer, 'Proxy-Authenticate: Basic realm="egress"')
        }
      assert.strictEqual(host.connections(), 0)
    })
  )
})

describe("what the proxy refuses", () => {
  it.scopedLive("is told apart by nobody, and no connection is made", () =>
    Effect.gen(function* () {
      const host = yield* startMediaHost
      const canary = yield* startCanary
      const closed = yield* Effect.scoped(Effect.map(startCanary, ({ port }) => port))
      const egress = yield* openProxy({ MEDIA_ALLOWED_HOSTS: `${host.authority},127.0.0.1:${closed}` })
      const { port } = canary
      const authorities = [
        `127.0.0.1:${closed}`,
        ...[`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`, `[::ffff:127.0.0.1]:${port}`],
        ...[`2130706433:${port}`, `0x7f.1:${port}`, `127.1:${port}`, `0.0.0.0:${port}`, `127.0.0.1.:${port}`],
        ...["127.0.0.1:80", "localhost:443", "169.254.169.254:80", "10.0.0.1:8080", "[fe80::1]:443"],
        ...["example.com:22", "no-such-host.invalid:443"],
        `${new URL(egress.url).host}`
      ]
      const strange = [
        ...["/", "127.0.0.1", `me@${host.authority}`, `${host.authority}/`, `${host.authority}#`, "*:80"],
        ...[
          `http://${host.authority}`,
          `${host.authority}\\`,
          "[::1",
          "%31:80",
          "a:b:80",
          `${host.authority}0000`
        ]
      ]
      for (const authority of authorities) {
        assert.strictEqual(yield* tunnel(egress, authority), REFUSAL, `tunnel to ${authority}`)
        assert.strictEqual(yield* get(egress, `http://${authority}/`), REFUSAL, `request to ${authority}`)
      }
      // What is no HTTP at all is turned away before anybody looks at where it wants to go.
      for (const authority of strange)
        assert.include([400, 403], statusOf(yield* tunnel(egress, authority)), `tunnel to ${authority}`)
      const targets = [
        ...["/", "/page", `https://${host.authority}/`, `ftp://${host.authority}/`, "file:///etc/passwd"],
        ...[`http://me:pass@${host.authority}/`, "http://", "http:"]
      ]
      for (const target of targets) assert.include([400, 403], statusOf(yield* get(egress, target)), target)
      for (const method of ["PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"]) {
        const bytes = request(egress, `${method} ${host.at("/")}`, "Host: x")
        assert.strictEqual(yield* answerTo(egress, bytes), REFUSAL, method)
      }
      assert.strictEqual(canary.connections(), 0)
      assert.strictEqual(host.connections(), 0)
      assert.isAtLeast(egress.refused(), authorities.length * 2 + targets.length)
    })
  )

  it.scopedLive("is itself, even where all of loopback is allowed", () =>
    Effect.gen(function* () {
      const egress = yield* openProxy({ MEDIA_ALLOWED_HOSTS: "127.0.0.0/8" })
      const { port } = new URL(egress.url)
      for (const host of ["127.0.0.1", "127.0.0.2", "localhost"]) {
        assert.strictEqual(yield* tunnel(egress, `${host}:${port}`), REFUSAL)
        assert.strictEqual(yield* get(egress, `http://${host}:${port}/`), REFUSAL)
      }
    })
  )

  it.scopedLive("is a server that answers with no HTTP, like one that does not answer", () =>
    Effect.gen(function* () {
      const host = yield* startMediaHost
      const egress = yield* openProxy(host.env)
      const url = host.behave(
        "/odd",
        (_, { socket }) => void socket?.end("220 welcome to the mail server\r\n")
      )
      assert.strictEqual(yield* get(egress, url), REFUSAL)
    })
  )

  it.scopedLive("is more than so many connections at a time", () =>
    Effect.gen(function* () {
      const host = yield* startMediaHost
      const egress = yield* openProxy(host.env)
      const clients = yield* Effect.replicateEffect(connected(egress), 32)
      for (const { socket } of clients) socket.write(request(egress, `CONNECT ${host.authority}`))
      yield* eventually(Effect.sync(host.open), (open) => open === 32)
      assert.strictEqual(yield* tunnel(egress, host.authority), REFUSAL)
      assert.strictEqual(yield* get(egress, host.at("/")), REFUSAL)
      clients[0]?.socket.destroy()
      yield* eventually(Effect.sync(host.open), (open) => open === 31)
      assert.strictEqual(statusOf(yield* get(egress, host.at("/"))), 404)
    })
  )
})

describe("a job that takes too much", () => {
  for (const way of ["in the open", "in a tunnel"])
    it.scopedLive(`is cut off, ${way}`, () =>
      Effect.gen(function* () {
        const host = yield* startMediaHost
        const egress = yield* openProxy(host.env, { bytes: 200_000 })
        host.behave("/endless", endless(Buffer.from("start")))
        const client = yield* connected(egress)
        const head = way === "in a tunnel" ? request(egress, `CONNECT ${host.authority}`) : ""
        client.socket.write(head)
        if (head !== "") yield* eventually(Effect.sync(client.text), (text) => text !== "")
        const target = way === "in a tunnel" ? "/endless" : host.at("/endless").href
        client.socket.write(request(egress, `GET ${target}`, "Host: x"))
        yield* eventually(Effect.sync(client.isOver), (isOver) => isOver)
        yield* eventually(Effect.sync(host.open), (open) => open === 0)
        assert.isAbove(egress.used(), 200_000)
        assert.isBelow(egress.used(), 400_000)
        const calls = host.connections()
        assert.strictEqual(yield* get(egress, host.at("/")), REFUSAL)
        assert.strictEqual(yield* tunnel(egress, host.authority), REFUSAL)
        assert.strictEqual(host.connections(), calls)
      })
    )

  it.scoped("is cut off when its time is over, and not before", () =>
    Effect.gen(function* () {
      const host = yield* startMediaHost
      const egress = yield* openProxy(host.env, { timeout: Duration.seconds(60) })
      host.behave("/stall", stall(Buffer.from("start")))
      const clients = yield* Effect.replicateEffect(connected(egress), 2)
      clients[0]?.socket.write(request(egress, `GET ${host.at("/stall")}`, "Host: x"))
      clients[1]?.socket.write(request(egress, `CONNECT ${host.authority}`))
      yield* eventually(
        Effect.sync(() => clients.map(({ text }) => text())),
        ([page, tunnel]) => page?.endsWith("start") === true && tunnel !== ""
      )
      yield* TestClock.adjust("59 seconds")
      assert.strictEqual(host.open(), 2)
      assert.deepStrictEqual(
        clients.map(({ isOver }) => isOver()),
        [false, false]
      )
      yield* TestClock.adjust("1 second")
      yield* eventually(Effect.sync(host.open), (open) => open === 0)
      yield* eventually(
        Effect.sync(() => clients.map(({ isOver }) => isOver())),
        (over) => over.every((one) => one)
      )
      assert.strictEqual(yield* get(egress, host.at("/")), REFUSAL)
    })
  )

  it.scopedLive("is not waited for when it falls silent", () =>
    Effect.gen(function* () {
      const host = yield* startMediaHost
      const egress = yield* openProxy({ ...host.env, FETCH_IDLE_TIMEOUT: "0.2" })
      host.behave("/silence", silence)
      const answer = yield* get(egress, host.at("/silence"))
      assert.include(["", REFUSAL], answer)
      yield* eventually(Effect.sync(host.open), (open) => open === 0)
    })
  )

  it.scopedLive("is not waited for when it falls silent in a tunnel, or after it has spoken", () =>
    Effect.gen(function* () {
      const host = yield* startMediaHost
      const egress = yield* openProxy({ ...host.env, FETCH_IDLE_TIMEOUT: "0.3" })
      host.behave("/silence", silence)
      const clients = yield* Effect.replicateEffect(connected(egress), 2)
      clients[0]?.socket.write(request(egress, `CONNECT ${host.authority}`))
      clients[1]?.socket.write(request(egress, `GET ${host.at("/first")}`, "Host: x"))
      yield* eventually(
        Effect.sync(() => clients.map(({ text }) => text())),
        (texts) => texts.every((text) => text.endsWith("\r\n"))
      )
      clients[1]?.socket.write(request(egress, `GET ${host.at("/silence")}`, "Host: x"))
      yield* eventually(Effect.sync(host.open), (open) => open === 0)
      assert.isAtLeast(host.connections(), 2)
    })
  )

  it.scopedLive("is cut off for what it sends, too", () =>
    Effect.gen(function* () {
      const host = yield* startMediaHost
      for (const way of ["at once", "later", "as a form"]) {
        const egress = yield* openProxy(host.env, { bytes: 10_000 })
        const client = yield* connected(egress)
        const much = "x".repeat(20_000)
        const head = request(egress, `CONNECT ${host.authority}`)
        if (way === "as a form")
          client.socket.write(
            request(egress, `POST ${host.at("/")}`, "Host: x", "Content-Length: 900000") + much
          )
        else client.socket.write(way === "at once" ? head + much : head)
        if (way === "later") {
          yield* eventually(Effect.sync(client.text), (text) => text !== "")
          client.socket.write(much)
        }
        yield* eventually(Effect.sync(client.isOver), (isOver) => isOver)
        assert.isAbove(egress.used(), 10_000, way)
        assert.strictEqual(yield* tunnel(egress, host.authority), REFUSAL, way)
      }
    })
  )

  it.scopedLive("does not pass for done when its server breaks off", () =>
    Effect.gen(function* () {
      const host = yield* startMediaHost
      const egress = yield* openProxy(host.env)
      const answer = yield* get(egress, host.behave("/half", cutOff(Buffer.from("half of it"))))
      assert.strictEqual(statusOf(answer), 200)
      assert.notMatch(answer, /0\r\n\r\n$/)
      assert.strictEqual(statusOf(yield* get(egress, host.at("/"))), 404)
      host.behave("/reset", reset)
      const client = yield* connected(egress)
      client.socket.write(
        `${request(egress, `CONNECT ${host.authority}`)}GET /reset HTTP/1.1\r\nHost: x\r\n\r\n`
      )
      yield* eventually(Effect.sync(client.isOver), (isOver) => isOver)
    })
  )

  it.scopedLive("loses its connections when it hangs up itself", () =>
    Effect.gen(function* () {
      const host = yield* startMediaHost
      const egress = yield* openProxy(host.env)
      host.behave("/silence", silence)
      const client = yield* connected(egress)
      client.socket.write(request(egress, `GET ${host.at("/silence")}`, "Host: x"))
      yield* eventually(Effect.sync(host.open), (open) => open === 1)
      client.socket.destroy()
      yield* eventually(Effect.sync(host.open), (open) => open === 0)
    })
  )
})

describe("when its scope closes", () => {
  it.scopedLive("no port and no connection is left", () =>
    Effect.gen(function* () {
      const host = yield* startMediaHost
      host.behave("/stall", stall(Buffer.from("start")))
      const scope = yield* Scope.make()
      const egress = yield* Scope.extend(openProxy(host.env), scope)
      const port = Number(new URL(egress.url).port)
      const clients = yield* Effect.replicateEffect(connected(egress), 3)
      clients[0]?.socket.write(request(egress, `GET ${host.at("/stall")}`, "Host: x"))
      clients[1]?.socket.write(request(egress, `CONNECT ${host.authority}`))
      yield* eventually(Effect.sync(host.open), (open) => open === 2)
      yield* eventually(
        Effect.sync(() => clients[0]?.text() ?? ""),
        (text) => text.endsWith("start")
      )
      assert.isTrue(yield* isPortOpen(port))
      yield* Scope.close(scope, Exit.void)
      assert.isFalse(yield* isPortOpen(port))
      yield* eventually(Effect.sync(host.open), (open) => open === 0)
      yield* eventually(
        Effect.sync(() => clients.map(({ isOver }) => isOver())),
        (over) => over.every((one) => one)
      )
    })
  )
})
