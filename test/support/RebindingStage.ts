import { Effect, Either, Layer } from "effect"
import { execFileSync } from "node:child_process"
import { lookup } from "node:dns/promises"
import { existsSync, readdirSync, writeFileSync } from "node:fs"
import { createServer as createHttpServer } from "node:http"
import { createServer as createHttpsServer } from "node:https"
import { createServer as createTcpServer, isIP } from "node:net"
import type { Server } from "node:net"
import { basename, join } from "node:path"
import { AppConfig } from "../../src/services/AppConfig.ts"
import { AddressGuard } from "../../src/services/media/AddressGuard.ts"
import { MediaFetcher } from "../../src/services/media/MediaFetcher.ts"
import { redirect, status } from "./MediaHost.ts"
import type { Behaviour } from "./MediaHost.ts"
import { startNameServer } from "./NameServer.ts"
import type { Answers } from "./NameServer.ts"
import { temporaryFolder } from "./Router.ts"

/** What became of one address that was to be fetched. */
export interface Outcome {
  readonly address: string
  readonly code: string
  readonly message: string
  readonly detail: string
  /** How often its name was resolved. */
  readonly resolved: number
  /** Connections to whoever must not be called. */
  readonly canary: number
}

/**
 * A program of its own, for a network of its own: public and private addresses all are this machine's, and the only
 * name server is ours. It fetches addresses, one after the other, and prints what became of each.
 */
export interface Play {
  readonly addresses: ReadonlyArray<string>
  /** Fetched last, and all at once. */
  readonly together: ReadonlyArray<string>
  readonly env: { readonly [name: string]: string }
  /** A private folder, for what stands in place of the system's own files. */
  readonly folder: string
  readonly key: string
  readonly cert: string
}

const PUBLIC_4 = "93.184.216.34"
const PUBLIC_6 = "2606:2800:220:1:248:1893:25c8:1946"
/** Addresses that must not be called; they all can be from here. */
const PRIVATE = [
  "127.0.0.1",
  "::1",
  "169.254.169.254",
  "10.0.0.1",
  "fd00::1",
  "64:ff9b::7f00:1",
  "2002:7f00:1::1"
]

const FILES = {
  "/etc/resolv.conf": "nameserver 127.0.0.1\noptions timeout:30 attempts:5\n",
  "/etc/nsswitch.conf": "hosts: files dns\n",
  "/etc/hosts": "127.0.0.1 localhost\n127.0.0.1 hosts.test\n"
}

const always =
  (...answers: ReadonlyArray<string>): Answers =>
  () =>
    answers

const NAMES: { readonly [name: string]: Answers } = {
  "public.test": always(PUBLIC_4, PUBLIC_6),
  "public4.test": always(PUBLIC_4),
  "public6.test": always(PUBLIC_6),
  "alias.test": always("public.test", PUBLIC_4),
  "rebind.test": (nth) => [nth === 0 ? PUBLIC_4 : "127.0.0.1"],
  "fickle.test": (nth) => [nth === 0 ? PUBLIC_4 : "127.0.0.1"],
  "home.test": always("127.0.0.1"),
  "home6.test": always("::1"),
  "zero.test": always("0.0.0.0"),
  "zero6.test": always("::"),
  "metadata.test": always("169.254.169.254"),
  "lan.test": always("10.0.0.1"),
  "ula.test": always("fd00::1"),
  "mapped.test": always("::ffff:127.0.0.1"),
  "compatible.test": always("::127.0.0.1"),
  "nat64.test": always("64:ff9b::7f00:1"),
  "6to4.test": always("2002:7f00:1::1"),
  "mixed.test": always(PUBLIC_4, "127.0.0.1"),
  "mixed-last.test": always("127.0.0.1", PUBLIC_4),
  "mixed6.test": always(PUBLIC_4, "::1"),
  "mixed-mapped.test": always(PUBLIC_4, "::ffff:127.0.0.1"),
  "alias-home.test": always("public.test", "127.0.0.1"),
  "silent.test": () => undefined,
  "silent2.test": () => undefined,
  "silent3.test": () => undefined
}

const picture = Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "latin1"), Buffer.alloc(100)])

const site: Behaviour = (request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://site")
  const to = searchParams.get("to")
  const behaviour =
    to !== null ? redirect(to) : pathname === "/a.png" ? status(200, {}, picture) : status(404)
  behaviour(request, response)
}

const listen = (server: Server, port: number, host: string) =>
  Effect.acquireRelease(
    Effect.async<Server>(
      (resume) => void server.listen({ port, host, ipv6Only: true }, () => resume(Effect.succeed(server)))
    ),
    () => Effect.async<void>((resume) => void server.close(() => resume(Effect.void)))
  )

const furnish = (folder: string) => {
  execFileSync("ip", ["link", "set", "lo", "up"])
  for (const address of [PUBLIC_4, PUBLIC_6, ...PRIVATE].filter((address) => !/^(?:127|::1$)/.test(address)))
    // An address of the newer kind is not there until it is sure that nobody else has it, unless one says so.
    execFileSync("ip", [
      ...["addr", "add", `${address}/${isIP(address) === 4 ? 32 : 128}`, "dev", "lo"],
      ...(isIP(address) === 4 ? [] : ["nodad"])
    ])
  for (const [path, text] of Object.entries(FILES).filter(([path]) => existsSync(path))) {
    const own = join(folder, basename(path))
    writeFileSync(own, text)
    execFileSync("mount", ["--bind", own, path])
  }
}

const stage = Effect.gen(function* () {
  const { addresses, cert, env, folder, key, together }: Play = JSON.parse(process.argv[2] ?? "")
  furnish(folder)
  let canary = 0
  const counting = () =>
    createTcpServer((socket) => {
      canary++
      socket.destroy()
    })
  const names = yield* startNameServer(NAMES, { address: "127.0.0.1", port: 53 })
  for (const address of [PUBLIC_4, PUBLIC_6]) {
    yield* listen(createHttpServer(site), 80, address)
    yield* listen(createHttpsServer({ cert, key }, site), 443, address)
    yield* listen(counting(), 22, address)
  }
  for (const address of PRIVATE) for (const port of [80, 443, 8080]) yield* listen(counting(), port, address)

  const play = (address: string) =>
    Effect.gen(function* () {
      const url = new URL(address)
      const before = { canary, resolved: names.asked(url.hostname) }
      const failure = yield* fetching(url)
      const outcome: Outcome = {
        address,
        code: failure?.code ?? "fetched",
        message: failure?.message ?? "",
        detail: failure?.detail ?? "",
        resolved: names.asked(url.hostname) - before.resolved,
        canary: canary - before.canary
      }
      console.log(JSON.stringify(outcome))
    })
  yield* Effect.forEach(addresses, play).pipe(
    Effect.zipRight(Effect.forEach(together, play, { concurrency: "unbounded" })),
    Effect.provide(fetcher(env))
  )
  // What a provider's name meets while the names of users are being waited for.
  console.log(JSON.stringify(yield* Effect.promise(() => lookup("public4.test"))))
})

const fetching = (url: URL) =>
  Effect.gen(function* () {
    const folder = yield* temporaryFolder
    const { fetch } = yield* MediaFetcher
    const result = yield* Effect.either(fetch(url, folder, { kinds: ["image"] }))
    if (Either.isRight(result) !== (readdirSync(folder).length === 1))
      return yield* Effect.dieMessage("there is a file too many, or none")
    return Either.isLeft(result) ? result.left : undefined
  }).pipe(Effect.scoped)

const fetcher = (env: Play["env"]) =>
  MediaFetcher.Default.pipe(
    Layer.provide(AddressGuard.Default),
    Layer.provide(Layer.orDie(AppConfig.layer(env)))
  )

await Effect.runPromise(Effect.scoped(stage))
// Threads that still wait for a silent name server would hold up an orderly end.
process.kill(process.pid, "SIGKILL")
