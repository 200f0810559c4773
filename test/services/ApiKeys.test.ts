import { assert, describe, it } from "@effect/vitest"
import { Effect, Either, Layer } from "effect"
import * as fc from "effect/FastCheck"
import { KeyRing } from "../../src/services/KeyRing.ts"
import { ApiKeys, refusalToListen } from "../../src/services/ApiKeys.ts"
import { isOwnKey } from "../../src/domain/PresentedKey.ts"
import { AppConfig } from "../../src/services/AppConfig.ts"

interface Headers {
  readonly [name: string]: string | undefined
}

/** Who a request is taken for, or the tag of the refusal. */
const gate = (env: { readonly [name: string]: string }) => {
  const layer = ApiKeys.Default.pipe(Layer.provide([AppConfig.layer(env), noKeysKept]))
  const { admit } = Effect.runSync(Effect.orDie(Effect.provide(ApiKeys, layer)))
  return (headers: Headers) => {
    const admitted = admit({ header: (name) => headers[name] })
    const told = Effect.match(admitted, {
      onFailure: ({ _tag }): string => _tag,
      onSuccess: ({ keyId }) => keyId
    })
    // The hot path: whatever the environment decides is decided at once.
    return Either.isEither(admitted) ? Effect.runSync(told) : "asks the database"
  }
}

/** A database in which there never was a key. */
const noKeysKept = Layer.succeed(
  KeyRing,
  KeyRing.make({
    byId: () => undefined,
    closed: Effect.succeed(false),
    find: () => Effect.succeed(null),
    peek: () => undefined,
    peekClosed: () => false
  })
)

const basic = (user: string, password: string) =>
  `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`

describe("with keys", () => {
  const KEY = "a-long:random key"
  const OTHER = "another"
  const ask = gate({ API_KEYS: `${KEY},${OTHER}` })
  const admitted = ask({ authorization: `Bearer ${KEY}` })

  const welcome: ReadonlyArray<readonly [string, Headers]> = [
    ["a bearer token", { authorization: `Bearer ${KEY}` }],
    ["a bearer token, however bearer is written", { authorization: `bEARER ${KEY}` }],
    ["a bearer token with space around it", { authorization: `Bearer   ${KEY}  ` }],
    ["X-Api-Key", { "x-api-key": KEY }],
    ["X-Api-Key with space around it", { "x-api-key": ` ${KEY} ` }],
    ["the password of basic auth, whoever the user", { authorization: basic("anybody", KEY) }],
    ["the password of basic auth without a user", { authorization: basic("", KEY) }],
    ["basic in lower case", { authorization: basic("me", KEY).replace("Basic", "basic") }],
    ["X-Api-Key beside another scheme", { authorization: "Digest username=x", "x-api-key": KEY }],
    [
      "a key from a page of another origin",
      { authorization: `Bearer ${KEY}`, origin: "https://elsewhere.example" }
    ],
    ["a key under any host name", { authorization: `Bearer ${KEY}`, host: "router.example:8000" }]
  ]
  for (const [name, headers] of welcome)
    it(`${name} is let in`, () => {
      assert.match(String(ask(headers)), /^env:[0-9a-f]{8}$/)
      assert.strictEqual(ask(headers), admitted)
    })

  const unwelcome: ReadonlyArray<readonly [string, Headers]> = [
    ["nothing", {}],
    ["an empty authorization", { authorization: "" }],
    ["a scheme alone", { authorization: "Bearer" }],
    ["an empty token", { authorization: "Bearer " }],
    ["an empty X-Api-Key", { "x-api-key": "" }],
    ["a wrong key", { authorization: "Bearer wrong" }],
    ["the key without a scheme", { authorization: KEY }],
    ["the beginning of a key", { authorization: `Bearer ${KEY.slice(0, -1)}` }],
    ["a key and a letter more", { authorization: `Bearer ${KEY}x` }],
    ["a key in capitals", { authorization: `Bearer ${KEY.toUpperCase()}` }],
    ["both keys at once", { authorization: `Bearer ${KEY},${OTHER}` }],
    ["the key as the user of basic auth", { authorization: basic(KEY, "") }],
    ["basic auth that is no base64", { authorization: "Basic ???" }],
    ["a wrong key beside the right one in X-Api-Key", { authorization: "Bearer wrong", "x-api-key": KEY }],
    ["a host of our own", { host: "localhost:8000" }]
  ]
  for (const [name, headers] of unwelcome)
    it(`${name} is not let in`, () => assert.strictEqual(ask(headers), "Unauthorized"))

  it("the keys are told apart, and neither can be read from what is kept", () => {
    const [first, second] = [admitted, ask({ "x-api-key": OTHER })]
    assert.notStrictEqual(first, second)
    for (const id of [first, second]) assert.notInclude(String(id), OTHER.slice(0, 4))
  })

  it("ALLOW_ANONYMOUS does not open what has a key", () => {
    assert.strictEqual(gate({ API_KEYS: KEY, ALLOW_ANONYMOUS: "true" })({}), "Unauthorized")
  })

  it.prop("no other text is a key", [fc.string()], ([text]) => {
    fc.pre(text.trim() !== KEY && text.trim() !== OTHER && !isOwnKey(text.trim()))
    assert.strictEqual(ask({ authorization: `Bearer ${text}` }), "Unauthorized")
    assert.strictEqual(ask({ "x-api-key": text }), "Unauthorized")
    assert.strictEqual(ask({ authorization: text }), "Unauthorized")
  })
})

describe("without keys", () => {
  const names: ReadonlyArray<readonly [string | undefined, boolean]> = [
    [undefined, true],
    ["localhost", true],
    ["localhost:8000", true],
    ["LOCALHOST:8000", true],
    ["percept.localhost:8000", true],
    ["127.0.0.1:8000", true],
    ["192.168.1.7:8000", true],
    ["[::1]:8000", true],
    ["[::1]", true],
    ["router.example", false],
    ["router.example:8000", false],
    ["localhost.example:8000", false],
    ["notlocalhost", false],
    ["127.0.0.1.example", false],
    ["1.2.3.4.5", false]
  ]
  for (const [host, open] of names)
    it(`the host ${host ?? "that is not named"} is ${open ? "" : "not "}ours`, () => {
      assert.strictEqual(gate({})({ host }), open ? null : "ForeignOrigin")
      assert.isNull(gate({ ALLOW_ANONYMOUS: "true" })({ host }))
    })

  const origins: ReadonlyArray<readonly [string | undefined, string, boolean]> = [
    [undefined, "localhost:8000", true],
    ["http://localhost:8000", "localhost:8000", true],
    ["http://127.0.0.1:8000", "127.0.0.1:8000", true],
    ["http://[::1]:8000", "[::1]:8000", true],
    ["http://localhost:3000", "localhost:8000", false],
    ["http://127.0.0.1:8000", "localhost:8000", false],
    ["https://elsewhere.example", "localhost:8000", false],
    ["null", "localhost:8000", false],
    ["", "localhost:8000", false],
    ["file://", "localhost:8000", false],
    ["localhost:8000", "localhost:8000", false],
    ["http://localhost:8000.elsewhere.example", "localhost:8000", false]
  ]
  for (const [origin, host, open] of origins)
    it(`a page of ${JSON.stringify(origin)} may ${open ? "" : "not "}call ${host}`, () =>
      assert.strictEqual(gate({})({ origin, host }), open ? null : "ForeignOrigin"))

  it("a page of an allowed origin may call, and no other", () => {
    const ask = gate({ CORS_ORIGINS: "https://chat.example.com, http://localhost:3000" })
    const host = "localhost:8000"
    assert.isNull(ask({ origin: "https://chat.example.com", host }))
    assert.isNull(ask({ origin: "http://localhost:3000", host }))
    assert.strictEqual(ask({ origin: "https://chat.example.com.evil.example", host }), "ForeignOrigin")
    assert.strictEqual(ask({ origin: "http://chat.example.com", host }), "ForeignOrigin")
  })

  it("a page of any origin may call where all may, but not under a foreign host name", () => {
    const ask = gate({ CORS_ORIGINS: "*" })
    assert.isNull(ask({ origin: "https://elsewhere.example", host: "localhost:8000" }))
    assert.strictEqual(ask({ origin: "https://elsewhere.example", host: "router.example" }), "ForeignOrigin")
  })

  it("no page of another origin may call, even where strangers may", () => {
    const ask = gate({ ALLOW_ANONYMOUS: "true" })
    assert.strictEqual(ask({ origin: "https://elsewhere.example", host: "router.example" }), "ForeignOrigin")
    assert.isNull(ask({ origin: "https://router.example", host: "router.example" }))
  })
})

describe("an address without keys", () => {
  const loopback = ["127.0.0.1", "127.1.2.3", "localhost", "::1"]
  const open = [
    "0.0.0.0",
    "::",
    "192.168.1.7",
    "10.0.0.1",
    "fe80::1",
    "router.example",
    "127.evil.example",
    "128.0.0.1"
  ]

  for (const listenHost of loopback)
    it(`${listenHost} may be served`, () =>
      assert.isUndefined(refusalToListen({ listenHost, apiKeys: [], allowAnonymous: false })))

  for (const listenHost of open)
    it(`${listenHost} may not be served, and both ways out are named`, () => {
      const refusal = refusalToListen({ listenHost, apiKeys: [], allowAnonymous: false }) ?? ""
      for (const word of [`LISTEN_HOST=${listenHost} `, "API_KEYS=", "ALLOW_ANONYMOUS=true"])
        assert.include(refusal, word)
      assert.notInclude(refusal, "\n")
      assert.isUndefined(refusalToListen({ listenHost, apiKeys: ["x"], allowAnonymous: false }))
      assert.isUndefined(refusalToListen({ listenHost, apiKeys: [], allowAnonymous: true }))
      assert.isUndefined(refusalToListen({ listenHost, apiKeys: [], allowAnonymous: false }, true))
    })
})
