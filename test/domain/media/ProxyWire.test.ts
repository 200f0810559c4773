import { assert, describe, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { passedOn, plainTarget, tunnelTarget } from "../../../src/domain/media/ProxyWire.ts"

describe("the target of a tunnel", () => {
  it("is a host and a port", () => {
    const hosts = {
      "example.com:443": "https://example.com/",
      "EXAMPLE.com:8443": "https://example.com:8443/",
      "127.1:80": "https://127.0.0.1:80/",
      "[::1]:443": "https://[::1]/",
      "[0:0::ffff:7f00:1]:443": "https://[::ffff:7f00:1]/"
    }
    for (const [authority, href] of Object.entries(hosts))
      assert.strictEqual(tunnelTarget(authority)?.href, href, authority)
  })

  it("is nothing where there is more or less than that", () => {
    for (const authority of [
      ...[
        "",
        ":443",
        "example.com",
        "example.com:",
        "example.com:x",
        "example.com:123456",
        "example.com:99999"
      ],
      ...["me@example.com:443", "me:pw@example.com:443", "example.com:443/", "example.com:443?", "a#b:443"],
      ...[
        "a\\b:443",
        "a b:443",
        "a%2eb:443",
        "a:b:443",
        "::1:443",
        "[::1:443",
        "[::1]443",
        "[fe80::1%eth0]:443"
      ],
      ...["https://example.com:443", " example.com:443", "example.com:443 ", "example.com:443\r\nx: y"]
    ])
      assert.strictEqual(tunnelTarget(authority), undefined, authority)
    assert.strictEqual(tunnelTarget(), undefined)
  })

  it("is read as it is written, or not at all", () => {
    fc.assert(
      fc.property(fc.webAuthority(), fc.integer({ min: 0, max: 70_000 }), (authority, port) => {
        const target = tunnelTarget(`${authority}:${port}`)
        if (target === undefined) return
        assert.strictEqual(target.username + target.password + target.search + target.hash, "")
        assert.strictEqual(target.pathname, "/")
        assert.strictEqual(target.port === "" ? 443 : Number(target.port), port)
      })
    )
  })
})

describe("the target of a request in the open", () => {
  it("is an address of plain http", () => {
    assert.strictEqual(plainTarget("GET", "HTTP://Example.com/a?b#c")?.href, "http://example.com/a?b#c")
    for (const method of ["GET", "HEAD", "POST"]) assert.isDefined(plainTarget(method, "http://a.b/"))
  })

  it("is nothing for other methods and other addresses", () => {
    for (const method of ["PUT", "OPTIONS", "get", "CONNECT", "", undefined])
      assert.strictEqual(plainTarget(method, "http://a.b/"), undefined)
    for (const address of [
      "/",
      "*",
      "https://a.b/",
      "ftp://a.b/",
      "http:/a.b/",
      "http:a.b",
      "//a.b/",
      "http://",
      ""
    ])
      assert.strictEqual(plainTarget("GET", address), undefined, address)
  })
})

describe("headers that are passed on", () => {
  it("are all but those for the next one on the way", () => {
    assert.deepStrictEqual(
      passedOn(
        [
          ...[
            "Host",
            "a",
            "Accept",
            "b",
            "Proxy-Authorization",
            "c",
            "CONNECTION",
            "X-One, close",
            "x-one",
            "d"
          ],
          ...[
            "Set-Cookie",
            "1",
            "Set-Cookie",
            "2",
            "Transfer-Encoding",
            "chunked",
            "TE",
            "e",
            "Connection",
            "x-two"
          ],
          ...[
            "X-Two",
            "f",
            "Upgrade",
            "g",
            "Trailer",
            "h",
            "Keep-Alive",
            "i",
            "Expect",
            "j",
            "Content-Length",
            "3"
          ]
        ],
        "host"
      ),
      ["Accept", "b", "Set-Cookie", "1", "Set-Cookie", "2", "Content-Length", "3"]
    )
  })

  it("are none of none", () => assert.deepStrictEqual(passedOn([]), []))
})
