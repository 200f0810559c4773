import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { brotliDecompressSync, gunzipSync } from "node:zlib"
import { startRouter } from "../support/Router.ts"
import type { Router } from "../support/Router.ts"
import { send } from "../support/Upstream.ts"

const get = (
  router: Router,
  path: string,
  headers: { readonly [name: string]: string } = {},
  method = "GET"
) => send(router, { method, path, headers })

/** The files that a document of the page names. */
const filesIn = (html: string): ReadonlyArray<string> =>
  Array.from(html.matchAll(/(?:src|href)="([^"]+)"/g), ([, path = ""]) => path)

describe("the page", () => {
  it.scopedLive("is the same at each of its addresses, under a policy that leaves nothing to chance", () =>
    Effect.gen(function* () {
      const router = yield* startRouter({})
      const { bytes, headers, status } = yield* get(router, "/ui/tracking")
      assert.strictEqual(status, 200)
      assert.include(bytes.toString(), "<percept-app>")
      assert.deepInclude(headers, {
        "content-type": "text/html; charset=utf-8",
        "content-security-policy":
          "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types lit-html",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "no-referrer",
        "cache-control": "no-cache"
      })
      for (const path of [
        "/ui/tracking?sel=x&q=%3Cscript%3E",
        "/ui/tracking/req_1",
        "/ui/tracking/%22%3E%3Cb%3E"
      ]) {
        const other = yield* get(router, path)
        assert.strictEqual(other.text, bytes.toString(), path)
        assert.strictEqual(other.headers["content-security-policy"], headers["content-security-policy"])
      }
      assert.deepStrictEqual(yield* router.rowsNow, [])
    })
  )

  it.scopedLive("has nothing within its document, and its files never change under their names", () =>
    Effect.gen(function* () {
      const router = yield* startRouter({})
      const { text } = yield* get(router, "/ui/tracking")
      assert.notMatch(text, /<style|\sstyle=|\son\w+=|<script>|https?:/)
      assert.isAtLeast(filesIn(text).length, 4)
      for (const path of filesIn(text))
        assert.match(path, /^\/ui\/assets\/[\w-]+-[a-z0-9]{8}\.(?:js|css|svg)$/)
      const types = {
        js: "text/javascript; charset=utf-8",
        css: "text/css; charset=utf-8",
        svg: "image/svg+xml"
      }
      for (const path of filesIn(text)) {
        const file = yield* get(router, path)
        assert.strictEqual(file.status, 200, path)
        assert.deepInclude(file.headers, {
          "cache-control": "public, max-age=31536000, immutable",
          "x-content-type-options": "nosniff"
        })
        assert.include(Object.values(types), file.headers["content-type"])
        assert.isTrue(path.endsWith(".js") === (file.headers["content-type"] === types.js), path)
      }
    })
  )

  it.scopedLive("comes as small as the client takes it, and not again to who has it", () =>
    Effect.gen(function* () {
      const router = yield* startRouter({})
      const script =
        filesIn((yield* get(router, "/ui/tracking")).text).find((path) => /\/app-/.test(path)) ?? ""
      const whole = yield* get(router, script)
      assert.isUndefined(whole.headers["content-encoding"])
      const forms = [
        ["gzip, deflate, br, zstd", "br", brotliDecompressSync],
        ["gzip", "gzip", gunzipSync],
        ["br;q=0, *;q=0.1", "gzip", gunzipSync]
      ] as const
      for (const [accepted, encoding, unpack] of forms) {
        const got = yield* get(router, script, { "accept-encoding": accepted })
        assert.strictEqual(got.headers["content-encoding"], encoding)
        assert.include(got.headers.vary ?? "", "accept-encoding")
        assert.strictEqual(got.headers["content-length"], String(got.bytes.length))
        assert.isBelow(got.bytes.length, whole.bytes.length / 2)
        assert.isTrue(unpack(got.bytes).equals(whole.bytes))
      }
      for (const accepted of ["identity", "gzip;q=0, br;q=0.0", "zstd"])
        assert.isTrue(
          (yield* get(router, script, { "accept-encoding": accepted })).bytes.equals(whole.bytes),
          accepted
        )
      for (const accepted of ["br", "identity"]) {
        const first = yield* get(router, "/ui/tracking", { "accept-encoding": accepted })
        const tag = String(first.headers.etag)
        assert.match(tag, /^"[\w-]{20}"$/)
        for (const known of [tag, `W/${tag}`, `"other", ${tag}`]) {
          const again = yield* get(router, "/ui/tracking", {
            "accept-encoding": accepted,
            "if-none-match": known
          })
          assert.strictEqual(again.status, 304)
          assert.strictEqual(again.bytes.length, 0)
          assert.strictEqual(again.headers.etag, tag)
        }
        const changed = yield* get(router, "/ui/tracking", {
          "accept-encoding": accepted,
          "if-none-match": '"other"'
        })
        assert.strictEqual(changed.status, 200)
      }
    })
  )

  it.scopedLive("knows no other files", () =>
    Effect.gen(function* () {
      const router = yield* startRouter({})
      for (const path of [
        "/ui/assets/app.js",
        "/ui/assets/..%2Findex.html",
        "/ui/assets/%2e%2e%2fmain.js",
        "/ui/assets/index.html.gz",
        "/ui/assets/constructor",
        "/ui/assets/a/b"
      ]) {
        const got = yield* get(router, path)
        assert.strictEqual(got.status, 404, path)
        assert.isString(JSON.parse(got.text).error.message)
      }
      assert.strictEqual((yield* get(router, "/ui/tracking", {}, "POST")).status, 405)
    })
  )

  it.scopedLive("may be had without a key, but nothing that it shows", () =>
    Effect.gen(function* () {
      const router = yield* startRouter({ API_KEYS: "sk-page-test-1" })
      const page = yield* get(router, "/ui/tracking")
      assert.strictEqual(page.status, 200)
      for (const path of filesIn(page.text)) assert.strictEqual((yield* get(router, path)).status, 200, path)
      for (const path of [
        "tracking_data",
        "tracking_facets",
        "tracking_stats",
        "tracking_series",
        "tracking_live"
      ])
        assert.strictEqual((yield* get(router, `/ui/${path}`)).status, 401, path)
    })
  )

  it.scopedLive("asks for the password itself; others are asked by their browser", () =>
    Effect.gen(function* () {
      const router = yield* startRouter({ UI_USERNAME: "ada", UI_PASSWORD: "secret" })
      const asked = (headers: { readonly [name: string]: string }) =>
        Effect.map(get(router, "/ui/tracking_data", headers), (got) =>
          String(got.headers["www-authenticate"])
        )
      assert.match(yield* asked({}), /^Basic /)
      assert.match(yield* asked({ "x-requested-with": "percept" }), /^Bearer /)
    })
  )

  it.scopedLive("can be off, files and all", () =>
    Effect.gen(function* () {
      const on = yield* startRouter({})
      const files = filesIn((yield* get(on, "/ui/tracking")).text)
      const off = yield* startRouter({ UI_ENABLED: "false" })
      for (const path of ["/ui/tracking", "/ui/tracking/req_1", ...files]) {
        const got = yield* get(off, path)
        assert.strictEqual(got.status, 404, path)
        assert.include(got.text, "UI_ENABLED")
      }
    })
  )
})
