import { Data, Duration, Effect } from "effect"
import type { Scope } from "effect"
import { BlockList, connect, isIP } from "node:net"
import type { LookupFunction, Socket } from "node:net"
import { AppConfig } from "../AppConfig.ts"
import { resolver } from "./NameLookup.ts"
import { isPublic } from "./PublicAddress.ts"

/** An address nobody may make us call; the reason is for the operator alone. */
export class Refused extends Data.TaggedError("Refused")<{
  readonly reason: "scheme" | "credentials" | "length" | "port" | "literal" | "answer" | "peer"
  /** Host and port, and no more of the address. */
  readonly where: string
}> {
  override get message() {
    return `${this.where} refused: ${REASONS[this.reason]}`
  }
}

/** An address we may call, where nobody took the call. */
export class NotConnected extends Data.TaggedError("NotConnected")<{
  readonly where: string
  readonly why: string
  readonly transient: boolean
}> {
  override get message() {
    return `${this.where} not connected: ${this.why}`
  }
}

/**
 * The one door to addresses that come from users. Three layers, each of which holds alone: a literal address is
 * judged before anything is dialled (`check`), a name by every one of its answers (`lookupFor`), and whoever is
 * connected at last before a byte goes out (`connectTo`).
 */
export class AddressGuard extends Effect.Service<AddressGuard>()("percept/AddressGuard", {
  effect: Effect.gen(function* () {
    const { fetchConnectTimeout, fetchPorts, mediaAllowedHosts } = yield* AppConfig
    const allowed = readAllowed(mediaAllowedHosts)
    const resolve = resolver(Duration.toMillis(fetchConnectTimeout))

    const isAllowed = (host: string, port: number) => allowed.hosts.has(`${host}:${port}`)

    const admits = (address: string, host: string, port: number): boolean =>
      isAllowed(host, port) || allowed.networks(address) || (fetchPorts.includes(port) && isPublic(address))

    /** What can be said about an address without asking anybody. */
    const check: (url: URL) => Effect.Effect<void, Refused> = Effect.fn("AddressGuard.check")(
      function* (url) {
        const { address, host, port, where } = target(url)
        const refuse = (reason: Refused["reason"]) => Effect.fail(new Refused({ reason, where }))
        if (url.protocol !== "http:" && url.protocol !== "https:") return yield* refuse("scheme")
        if (url.username !== "" || url.password !== "") return yield* refuse("credentials")
        if (url.href.length > 2048 || host.length > 253 || host === "") return yield* refuse("length")
        if (address !== undefined && !admits(address, host, port)) return yield* refuse("literal")
        // A name may still turn out to be in an allowed network, where any port goes.
        const isPossible = fetchPorts.includes(port) || isAllowed(host, port) || allowed.anyNetwork
        if (address === undefined && !isPossible) return yield* refuse("port")
      }
    )

    /** Resolves as the system does, and refuses when any of the answers is not to be called on this port. */
    const lookupFor =
      (port: number): LookupFunction =>
      (host, { all = false }, callback) =>
        resolve(host, (error, answers) => {
          if (error !== null) return callback(error, [])
          const [first] = answers
          if (first === undefined || !answers.every(({ address }) => admits(address, host, port)))
            return callback(new Refused({ reason: "answer", where: `${host}:${port}` }), [])
          return all ? callback(null, [...answers]) : callback(null, first.address, first.family)
        })

    /** A connection to where this points to; it goes with its scope, and at once when the fiber is interrupted. */
    const dial = Effect.fn("AddressGuard.dial")(function* (url: URL) {
      yield* check(url)
      const { address, host, port, where } = target(url)
      let isKnown = address !== undefined
      const lookup: LookupFunction = (host, options, callback) =>
        lookupFor(port)(host, options, (...found) => {
          isKnown = true
          callback(...found)
        })
      return yield* connectTo({
        host: address ?? host,
        port,
        lookup,
        admits: (peer) => admits(peer, host, port)
      }).pipe(
        Effect.timeoutFail({
          duration: fetchConnectTimeout,
          // A name server that keeps silent is not asked twice.
          onTimeout: () => new NotConnected({ where, why: "timeout", transient: isKnown })
        })
      )
    })

    return { check, lookupFor, dial }
  })
}) {}

/** Connects, and hangs up before a byte is sent where the other end turns out to be none that is admitted. */
export const connectTo = (to: {
  readonly host: string
  readonly port: number
  readonly lookup: LookupFunction
  readonly admits: (peer: string) => boolean
}): Effect.Effect<Socket, Refused | NotConnected, Scope.Scope> =>
  Effect.gen(function* () {
    const where = `${to.host}:${to.port}`
    const { outcome, socket } = yield* Effect.acquireRelease(
      Effect.sync(() => {
        const socket = connect({ host: to.host, port: to.port, lookup: to.lookup, autoSelectFamily: true })
        const outcome = new Promise<Error | undefined>((resolve) => {
          // The second listener stays: errors after the connection are told to whoever reads from it.
          socket.once("connect", () => resolve(undefined)).on("error", resolve)
        })
        return { outcome, socket: socket.setNoDelay(true) }
      }),
      ({ socket }) => Effect.sync(() => socket.destroy())
    )
    const error = yield* Effect.promise(() => outcome)
    if (error instanceof Refused) return yield* error
    if (error !== undefined) return yield* notConnected(where, error)
    const peer = socket.remoteAddress
    if (peer !== undefined && to.admits(peer)) return socket
    socket.destroy()
    return yield* new Refused({ reason: "peer", where })
  })

const target = (url: URL) => {
  const host = url.hostname
  const port = url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port)
  const bare = host.startsWith("[") ? host.slice(1, -1) : host
  return { address: isIP(bare) === 0 ? undefined : bare, host, port, where: `${host}:${port}` }
}

/** Entries with a slash are networks, all others a host with a port, spelled as an address would spell it. */
const readAllowed = (entries: ReadonlyArray<string>) => {
  const lists = { ipv4: new BlockList(), ipv6: new BlockList() }
  for (const entry of entries.filter((entry) => entry.includes("/"))) {
    const [network = "", bits = ""] = entry.split("/")
    const family = isIP(network) === 4 ? "ipv4" : "ipv6"
    lists[family].addSubnet(network, Number(bits), family)
  }
  const hosts = entries
    .filter((entry) => !entry.includes("/"))
    .map((entry) => target(new URL(`http://${entry}/`)).where)
  return {
    hosts: new Set(hosts),
    anyNetwork: hosts.length < entries.length,
    networks: (address: string): boolean => {
      if (address.includes("%")) return false
      // A list for each family: an IPv4 rule would let its mapped IPv6 form pass as well.
      const family = isIP(address) === 4 ? "ipv4" : "ipv6"
      return lists[family].check(address, family)
    }
  }
}

const notConnected = (where: string, error: Error) => {
  const code = "code" in error && typeof error.code === "string" ? error.code : error.name
  return new NotConnected({ where, why: code, transient: code === "ECONNRESET" || code === "ETIMEDOUT" })
}

const REASONS: Record<Refused["reason"], string> = {
  scheme: "neither http nor https",
  credentials: "name or password in the address",
  length: "no host, or too long",
  port: "port is not one media are fetched from",
  literal: "address or its port is not allowed",
  answer: "name resolves to an address that is not allowed",
  peer: "connected to an address that is not allowed"
}
