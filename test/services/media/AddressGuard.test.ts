import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer, Scope } from "effect"
import * as fc from "effect/FastCheck"
import { lookup } from "node:dns"
import type { LookupAddress } from "node:dns"
import { hostname } from "node:os"
import { AppConfig } from "../../../src/services/AppConfig.ts"
import { AddressGuard, connectTo, NotConnected, Refused } from "../../../src/services/media/AddressGuard.ts"
import { isPublic } from "../../../src/services/media/PublicAddress.ts"
import { startCanary, startMediaHost } from "../../support/MediaHost.ts"
import { closedPort } from "../../support/Upstream.ts"

const guarded = <A, E, R>(env: Record<string, string>, work: Effect.Effect<A, E, R>) =>
  Effect.provide(work, AddressGuard.Default.pipe(Layer.provide(AppConfig.layer(env))))

const check = (address: string, env: Record<string, string> = {}) =>
  guarded(
    env,
    Effect.flatMap(AddressGuard, ({ check }) => check(new URL(address)))
  )

const dial = (address: string, env: Record<string, string>) =>
  guarded(
    env,
    Effect.flatMap(AddressGuard, ({ dial }) => dial(new URL(address)))
  )

const resolve = (env: Record<string, string>, port: number, host: string, all = true) =>
  guarded(
    env,
    Effect.flatMap(AddressGuard, ({ lookupFor }) =>
      Effect.async<string | Array<LookupAddress>, Error>((resume) =>
        lookupFor(port)(host, { all }, (error, address) =>
          resume(error === null ? Effect.succeed(address) : Effect.fail(error))
        )
      )
    )
  )

const refusal = (failure: unknown) => (failure instanceof Refused ? failure.reason : failure)

describe("literal addresses", () => {
  for (const host of ALLOWED_HOSTS()) it.effect(`${host} may be called`, () => check(`http://${host}/`))

  for (const [reason, hosts] of Object.entries(DENIED_HOSTS()))
    it.effect(`${hosts.length} spellings of what is ${reason} are refused`, () =>
      Effect.forEach(hosts, (host) =>
        Effect.map(Effect.flip(check(`http://${host}/`)), (failure) =>
          assert.strictEqual(refusal(failure), "literal", host)
        )
      )
    )

  it("are many", () => {
    assert.isAtLeast(ALLOWED_HOSTS().length, 12)
    assert.isAtLeast(Object.values(DENIED_HOSTS()).flat().length, 143)
  })

  it("that URLs cannot hold never get here", () => {
    for (const host of [
      "[fe80::1%25eth0]",
      "[fe80::1%eth0]",
      "256.0.0.1",
      "1.2.3.4.5",
      "0x100000000",
      "[::1"
    ])
      assert.isFalse(URL.canParse(`http://${host}/`), host)
  })

  it.scopedLive("are judged before anything is dialled", () =>
    Effect.gen(function* () {
      const canary = yield* startCanary
      const env = { FETCH_PORTS: `${canary.port}` }
      for (const host of Object.values(DENIED_HOSTS()).flat()) {
        const failure = yield* Effect.flip(Effect.scoped(dial(`http://${host}:${canary.port}/`, env)))
        assert.strictEqual(refusal(failure), "literal", host)
      }
      assert.strictEqual(canary.connections(), 0)
    })
  )

  it("are public only where nothing is reserved", () => {
    fc.assert(
      fc.property(fc.nat(255), fc.nat(255), fc.nat(255), (a, b, c) => {
        const reserved =
          [0, 10, 127].includes(a) ||
          a >= 224 ||
          (a === 100 && b >= 64 && b < 128) ||
          (a === 169 && b === 254) ||
          (a === 172 && b >= 16 && b < 32) ||
          (a === 192 && ((b === 0 && (c === 0 || c === 2)) || (b === 88 && c === 99) || b === 168)) ||
          (a === 198 && (b === 18 || b === 19 || (b === 51 && c === 100))) ||
          (a === 203 && b === 0 && c === 113)
        assert.strictEqual(isPublic(`${a}.${b}.${c}.1`), !reserved)
      }),
      { numRuns: 2000 }
    )
    fc.assert(
      fc.property(fc.nat(0xffff), fc.nat(0xffff), (first, second) => {
        const reserved =
          first >> 13 !== 1 ||
          first === 0x2002 ||
          (first === 0x2001 && (second < 0x200 || second === 0xdb8)) ||
          (first === 0x3fff && second < 0x1000)
        assert.strictEqual(isPublic(`${first.toString(16)}:${second.toString(16)}::1`), !reserved)
      }),
      { numRuns: 2000 }
    )
  })

  it("with a zone, and what is no address, are not public", () => {
    for (const wrong of [
      "2606:4700::1111%eth0",
      "fe80::1%1",
      "",
      "localhost",
      "1.1.1",
      "1.1.1.1/32",
      "::ffff:1.1.1.1"
    ])
      assert.isFalse(isPublic(wrong), wrong)
  })
})

describe("the form of an address", () => {
  const long = `http://example.com/${"a".repeat(2048)}`
  const hosts = `http://${"a.".repeat(127)}com/`
  const cases: Record<string, ReadonlyArray<string>> = {
    scheme: [
      "ftp://93.184.216.34/",
      "file:///etc/passwd",
      "file://localhost/etc/passwd",
      "gopher://example.com/",
      "blob:http://example.com/1",
      "data:image/png;base64,AAAA",
      "javascript:alert(1)",
      "ws://example.com/",
      "unix:/run/docker.sock",
      "jar:http://example.com/!/"
    ],
    credentials: ["http://user@example.com/", "http://user:word@example.com/", "http://:word@93.184.216.34/"],
    length: [long, hosts],
    port: ["22", "25", "81", "3306", "6379", "8000", "11434", "65535"].map(
      (port) => `http://example.com:${port}/`
    )
  }
  for (const [reason, addresses] of Object.entries(cases))
    it.effect(`is refused for its ${reason}`, () =>
      Effect.forEach(addresses, (address) =>
        Effect.map(Effect.flip(check(address)), (failure) =>
          assert.strictEqual(refusal(failure), reason, address)
        )
      )
    )

  it.effect("may be any of a name's, on the usual ports", () =>
    Effect.forEach(
      ["http://a.example/", "https://a.example/", "http://a.example:8080/", "https://a.example:8443/"],
      (address) => check(address)
    )
  )

  it.effect("counts for literals too: a public one on another port is refused", () =>
    Effect.gen(function* () {
      assert.strictEqual(refusal(yield* Effect.flip(check("http://93.184.216.34:22/"))), "literal")
      yield* check("http://93.184.216.34:22/", { FETCH_PORTS: "22" })
      assert.strictEqual(
        refusal(yield* Effect.flip(check("http://93.184.216.34/", { FETCH_PORTS: "22" }))),
        "literal"
      )
    })
  )
})

describe("names", () => {
  it.scopedLive("that lead home are refused, and nobody is called", () =>
    Effect.gen(function* () {
      const canary = yield* startCanary
      const own = yield* isKnown(hostname())
      for (const host of ["localhost", "LOCALHOST", "localhost.", ...(own ? [hostname()] : [])]) {
        const failure = yield* Effect.flip(
          Effect.scoped(dial(`http://${host}:${canary.port}/`, { FETCH_PORTS: `${canary.port}` }))
        )
        if (!(failure instanceof NotConnected)) assert.strictEqual(refusal(failure), "answer", host)
        // Some systems do not know the name with a dot.
        else assert.strictEqual(host, "localhost.")
      }
      assert.strictEqual(canary.connections(), 0)
    })
  )

  it.live("are given on whole when all their answers may be called", () =>
    Effect.gen(function* () {
      const known = yield* answersOf("localhost")
      const env = { MEDIA_ALLOWED_HOSTS: "127.0.0.0/8,::1/128" }
      assert.deepStrictEqual(yield* resolve(env, 1, "localhost"), known)
      assert.strictEqual(yield* resolve(env, 1, "localhost", false), known[0]?.address)
    })
  )

  it.live("that nobody knows fail as the resolver says", () =>
    Effect.gen(function* () {
      const failure = yield* Effect.flip(Effect.scoped(dial("http://nobody.invalid/", {})))
      assert.instanceOf(failure, NotConnected)
    })
  )
})

describe("a connection", () => {
  it.scopedLive("that came about all the same is closed before a byte is sent", () =>
    Effect.gen(function* () {
      const canary = yield* startCanary
      // A resolver that does not ask the guard, as one that was fooled would not.
      const fooled = (
        _: string,
        __: unknown,
        callback: (error: null, answers: Array<LookupAddress>) => void
      ) => callback(null, [{ address: "127.0.0.1", family: 4 }])
      for (const host of ["127.0.0.1", "media.example"]) {
        const peers: Array<string> = []
        const scope = yield* Scope.make()
        const failure = yield* Effect.flip(
          Scope.extend(
            connectTo({
              host,
              port: canary.port,
              lookup: fooled,
              admits: (peer) => {
                peers.push(peer)
                return isPublic(peer)
              }
            }),
            scope
          )
        )
        assert.strictEqual(refusal(failure), "peer")
        assert.deepStrictEqual(peers, ["127.0.0.1"])
        yield* Scope.close(scope, Exit.void)
      }
      assert.strictEqual(canary.bytes(), 0)
    })
  )

  it.scopedLive("is judged by who is there at last, not by who was called", () =>
    Effect.gen(function* () {
      const canary = yield* startCanary
      const env = { MEDIA_ALLOWED_HOSTS: "0.0.0.0/32,127.0.0.1:1" }
      // The system takes a call of this address for one of its own.
      const address = `http://0.0.0.0:${canary.port}/`
      assert.strictEqual(refusal(yield* Effect.flip(Effect.scoped(dial(address, env)))), "peer")
      assert.strictEqual(canary.bytes(), 0)
      const socket = yield* dial(address, { MEDIA_ALLOWED_HOSTS: "0.0.0.0/32,127.0.0.1/32" })
      assert.strictEqual(socket.remoteAddress, "127.0.0.1")
    })
  )

  it.live("nobody takes is no refusal", () =>
    Effect.gen(function* () {
      const port = yield* closedPort
      const failure = yield* Effect.flip(
        Effect.scoped(dial(`http://127.0.0.1:${port}/`, { MEDIA_ALLOWED_HOSTS: `127.0.0.1:${port}` }))
      )
      assert.instanceOf(failure, NotConnected)
      assert.isFalse(failure.transient)
    })
  )

  it.scopedLive("is closed with its scope", () =>
    Effect.gen(function* () {
      const host = yield* startMediaHost
      const socket = yield* Effect.scoped(dial(host.at("/").href, host.env))
      assert.isTrue(socket.destroyed)
    })
  )
})

describe("the allow list", () => {
  const allows = (entry: string, address: string) =>
    Effect.isSuccess(check(address, { MEDIA_ALLOWED_HOSTS: entry }))
  const table: ReadonlyArray<readonly [entry: string, address: string, allowed: boolean]> = [
    ["10.1.2.3:9000", "http://10.1.2.3:9000/", true],
    ["10.1.2.3:9000", "https://10.1.2.3:9000/", true],
    ["10.1.2.3:9000", "http://10.1.2.3/", false],
    ["10.1.2.3:9000", "http://10.1.2.4:9000/", false],
    ["10.1.2.3:80", "http://10.1.2.3/", true],
    ["10.1.2.3:80", "https://10.1.2.3/", false],
    ["10.1.2.3:443", "https://10.1.2.3/", true],
    ["10.1.2.3:9000", "http://0x0a.0x01.0x02.0x03:9000/", true],
    ["10.1.2.3:9000", "http://[::ffff:10.1.2.3]:9000/", false],
    ["[fd00::1]:9000", "http://[fd00:0:0::1]:9000/", true],
    ["[fd00::1]:9000", "http://[fd00::2]:9000/", false],
    ["media.lan:9000", "http://media.lan:9000/", true],
    ["Media.LAN:9000", "http://media.lan:9000/", true],
    ["media.lan:9000", "http://media.lan:9001/", false],
    ["media.lan:9000", "http://a.media.lan:9000/", false],
    ["media.lan:9000", "http://media.lan.example:9000/", false],
    ["192.168.7.0/24", "http://192.168.7.9/", true],
    ["192.168.7.0/24", "http://192.168.7.9:5000/", true],
    ["192.168.7.0/24", "http://192.168.8.9/", false],
    ["192.168.7.0/24", "http://[::ffff:192.168.7.9]/", false],
    ["fd00::/8", "http://[fd12::1]:5000/", true],
    ["fd00::/8", "http://[fe80::1]/", false],
    ["fd00::/8", "http://10.0.0.1/", false],
    ["", "http://10.0.0.1/", false]
  ]
  for (const [entry, address, allowed] of table)
    it.effect(`${entry || "nothing"} ${allowed ? "lets through" : "does not let through"} ${address}`, () =>
      Effect.map(allows(entry, address), (result) => assert.strictEqual(result, allowed))
    )

  it.effect("of networks lets a name on another port through to its answers, and no further", () =>
    Effect.gen(function* () {
      const env = { MEDIA_ALLOWED_HOSTS: "192.168.7.0/24" }
      yield* check("http://localhost:5000/", env)
      assert.strictEqual(refusal(yield* Effect.flip(resolve(env, 5000, "localhost"))), "answer")
    })
  )

  it.live("of a name lets its private answers through, on its port alone", () =>
    Effect.gen(function* () {
      const env = { MEDIA_ALLOWED_HOSTS: "localhost:5000", FETCH_PORTS: "5000,5001" }
      assert.isNotEmpty(yield* resolve(env, 5000, "localhost"))
      assert.strictEqual(refusal(yield* Effect.flip(resolve(env, 5001, "localhost"))), "answer")
    })
  )
})

const answersOf = (host: string) =>
  Effect.async<Array<LookupAddress>, Error>((resume) =>
    lookup(host, { all: true }, (error, answers) =>
      resume(error === null ? Effect.succeed(answers) : Effect.fail(error))
    )
  )

const isKnown = (host: string) => Effect.isSuccess(answersOf(host))

function ALLOWED_HOSTS(): ReadonlyArray<string> {
  return [
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "93.184.216.34",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.1",
    "169.253.255.255",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.1",
    "192.0.3.1",
    "192.88.98.255",
    "192.167.255.255",
    "192.169.0.1",
    "198.17.255.255",
    "198.20.0.0",
    "203.0.114.1",
    "223.255.255.255",
    "[2000::1]",
    "[2001:200::1]",
    "[2001:4860:4860::8888]",
    "[2003::1]",
    "[2606:4700:4700::1111]",
    "[2a00:1450:4001::1]",
    "[3ffe:ffff::1]"
  ]
}

function DENIED_HOSTS(): Readonly<Record<string, ReadonlyArray<string>>> {
  return {
    "this machine": [
      "127.0.0.1",
      "127.0.0.1.",
      "127.1",
      "127.0.1",
      "127.255.255.255",
      "2130706433",
      "0x7f000001",
      "0x7F.1",
      "0x7f.0x0.0x0.0x1",
      "0x7f.0.0.1",
      "017700000001",
      "0177.0.0.1",
      "0177.0.0.01",
      "00000177.0.0.1",
      "0177.1",
      "127.0x1",
      "127.0.0.0x1",
      "0x00000000007f000001",
      "127.000.000.001",
      "１２７.０.０.１",
      "１２７．０．０．１",
      "127。0。0。1",
      "127｡0｡0｡1",
      "①②⑦.⓪.⓪.①",
      "𝟏𝟐𝟕.𝟎.𝟎.𝟏",
      "%31%32%37.0.0.1",
      "127%2e0%2e0%2e1",
      "%3127.0.0.1",
      "127%E3%80%820%E3%80%820%E3%80%821",
      "0",
      "0.0",
      "0x0",
      "00",
      "0.0.0.0",
      "0.0.0.0.",
      "0.0.0.1",
      "0.255.255.255"
    ],
    "a private network": [
      "10.0.0.0",
      "10.0.0.1",
      "10.255.255.255",
      "167772161",
      "012.0.0.1",
      "0xa.1",
      "10.1",
      "172.16.0.0",
      "172.16.0.1",
      "172.31.255.255",
      "2886729729",
      "0254.020.0.1",
      "192.168.0.0",
      "192.168.0.1",
      "192.168.1.254",
      "192.168.255.255",
      "3232235521",
      "0300.0250.0.1",
      "192.168.1",
      "100.64.0.0",
      "100.64.0.1",
      "100.100.100.200",
      "100.127.255.255",
      "198.18.0.0",
      "198.19.255.255"
    ],
    "local to a link, as the cloud's own data are": [
      "169.254.0.0",
      "169.254.169.254",
      "169.254.169.254.",
      "169.254.170.2",
      "169.254.255.255",
      "2852039166",
      "0xa9fea9fe",
      "0xa9.0xfe.0xa9.0xfe",
      "0251.0376.0251.0376",
      "169.254.43518",
      "169.16689662",
      "１６９．２５４．１６９．２５４",
      "[fe80::1]",
      "[fe80::a9fe:a9fe]",
      "[febf:ffff::1]",
      "[fec0::1]",
      "[feff::1]",
      "[fd00:ec2::254]"
    ],
    "reserved or for documents": [
      "192.0.0.0",
      "192.0.0.1",
      "192.0.0.170",
      "192.0.0.255",
      "192.0.2.0",
      "192.0.2.255",
      "192.88.99.0",
      "192.88.99.1",
      "198.51.100.0",
      "198.51.100.255",
      "203.0.113.0",
      "203.0.113.255",
      "224.0.0.0",
      "224.0.0.251",
      "239.255.255.250",
      "239.255.255.255",
      "240.0.0.0",
      "240.0.0.1",
      "255.255.255.254",
      "255.255.255.255",
      "4294967295",
      "0xffffffff",
      "[100::]",
      "[100::1]",
      "[2001:db8::1]",
      "[2001:db8:ffff::1]",
      "[3fff::1]",
      "[3fff:fff::1]",
      "[4000::1]",
      "[5f00::1]",
      "[1fff:ffff::1]",
      "[200::1]",
      "[400::1]",
      "[800::1]",
      "[8000::1]",
      "[ffff::1]",
      "[ff00::1]",
      "[ff02::1]",
      "[ff0e::1]"
    ],
    "local in the larger space": [
      "[::]",
      "[::0]",
      "[0:0:0:0:0:0:0:0]",
      "[::1]",
      "[0::1]",
      "[0:0:0:0:0:0:0:1]",
      "[0000:0000:0000:0000:0000:0000:0000:0001]",
      "[::0.0.0.1]",
      "[fc00::1]",
      "[fdff:ffff::1]",
      "[fd12:3456:789a:1::1]"
    ],
    "another address in disguise": [
      "[::ffff:127.0.0.1]",
      "[::ffff:7f00:1]",
      "[::FFFF:7F00:0001]",
      "[0:0:0:0:0:ffff:127.0.0.1]",
      "[::ffff:10.0.0.1]",
      "[::ffff:169.254.169.254]",
      "[::ffff:a9fe:a9fe]",
      "[::ffff:0.0.0.0]",
      "[::ffff:8.8.8.8]",
      "[::ffff:0:127.0.0.1]",
      "[::127.0.0.1]",
      "[::7f00:1]",
      "[::8.8.8.8]",
      "[::a9fe:a9fe]",
      "[64:ff9b::127.0.0.1]",
      "[64:ff9b::7f00:1]",
      "[64:ff9b::8.8.8.8]",
      "[64:ff9b:1::127.0.0.1]",
      "[64:ff9b:1:ffff::1]",
      "[2002:7f00:1::]",
      "[2002:7f00:1::1]",
      "[2002:a9fe:a9fe::]",
      "[2002:808:808::1]",
      "[2001::1]",
      "[2001:0:7f00:1::]",
      "[2001:0:4136:e378:8000:63bf:3fff:fdd2]",
      "[2001:10::1]",
      "[2001:20::1]",
      "[2001:1ff::1]"
    ]
  }
}
