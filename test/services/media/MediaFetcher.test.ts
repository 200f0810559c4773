import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Either, Fiber, Layer } from "effect"
import { createHash } from "node:crypto"
import { mkdirSync, readdirSync, readFileSync, readlinkSync, statSync } from "node:fs"
import { Socket } from "node:net"
import { join } from "node:path"
import { MediaFailure } from "../../../src/domain/Errors.ts"
import type { MediaKind } from "../../../src/domain/media/Media.ts"
import { AppConfig } from "../../../src/services/AppConfig.ts"
import { AddressGuard } from "../../../src/services/media/AddressGuard.ts"
import { MediaFetcher } from "../../../src/services/media/MediaFetcher.ts"
import type { Wanted } from "../../../src/services/media/MediaFetcher.ts"
import * as Host from "../../support/MediaHost.ts"
import type { Behaviour, MediaHost } from "../../support/MediaHost.ts"
import { eventually, temporaryFolder } from "../../support/Router.ts"
import { closedPort } from "../../support/Upstream.ts"

const MB = 1024 * 1024

const png = (bytes: number): Buffer =>
  Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "latin1"), Buffer.alloc(bytes - 16, 7)])
const mp4 = (bytes: number): Buffer =>
  Buffer.concat([Buffer.from("\0\0\0\x18ftypisom\0\0\x02\0isommp42", "latin1"), Buffer.alloc(bytes - 24, 7)])

const ALL: ReadonlyArray<MediaKind> = ["image", "video", "audio"]

/** A fetcher with settings of its own. */
const using = <A, E, R>(
  env: Readonly<Record<string, string>>,
  work: (fetcher: MediaFetcher) => Effect.Effect<A, E, R>
) =>
  Effect.flatMap(MediaFetcher, work).pipe(
    Effect.provide(
      MediaFetcher.Default.pipe(
        Layer.provide(AddressGuard.Default),
        Layer.provide(Layer.orDie(AppConfig.layer({ FETCH_TIMEOUT: "20", FETCH_IDLE_TIMEOUT: "1", ...env })))
      )
    )
  )

/** Fetches from this host; what is left in the folder comes along. */
const fetching = (
  host: MediaHost,
  url: URL,
  env: Readonly<Record<string, string>> = {},
  wanted: Partial<Wanted> = {}
) =>
  Effect.gen(function* () {
    const folder = yield* temporaryFolder
    const result = yield* Effect.either(
      using({ ...host.env, ...env }, ({ fetch }) => fetch(url, folder, { kinds: ALL, ...wanted }))
    )
    return { folder, result, left: readdirSync(folder) }
  })

const failing = (
  host: MediaHost,
  url: URL,
  env: Readonly<Record<string, string>> = {},
  wanted: Partial<Wanted> = {}
) =>
  Effect.map(fetching(host, url, env, wanted), ({ left, result }) => {
    assert.deepStrictEqual(left, [], "a partial file is left")
    if (result._tag === "Right") throw new Error("it was fetched")
    return result.left
  })

const fetched = (host: MediaHost, url: URL, env: Readonly<Record<string, string>> = {}) =>
  Effect.map(fetching(host, url, env), ({ folder, left, result }) => {
    if (result._tag === "Left") throw result.left
    assert.deepStrictEqual([join(folder, left[0] ?? "")], [result.right.path])
    return result.right
  })

/** What a caller can see of a failure. */
const seen = ({ code, message, param, status, transient, type }: MediaFailure) => ({
  code,
  message,
  param,
  status,
  transient,
  type
})

const UNREACHABLE = "The address could not be reached."
const unreachable = new MediaFailure({ code: "unreachable", message: UNREACHABLE })

describe("a file", () => {
  it.scopedLive("is streamed to a name of our own, with its hash, its type and its validators", () =>
    Effect.gen(function* () {
      const host = yield* Host.startMediaHost
      const body = png(3 * MB)
      const url = host.serve("/a%20b/f%C3%BCn.jpg", body, { "content-type": "text/html" })
      const folder = yield* temporaryFolder
      const heard: Array<readonly [number, number | undefined]> = []
      const file = yield* using(host.env, ({ fetch }) =>
        fetch(url, folder, { kinds: ALL, progress: (bytes, total) => heard.push([bytes, total]) })
      )
      assert.deepStrictEqual(readFileSync(file.path), body)
      assert.strictEqual(statSync(file.path).mode & 0o777, 0o600)
      assert.match(file.path.slice(folder.length), /^\/media-[0-9a-f-]{36}$/)
      assert.strictEqual(file.bytes, body.length)
      assert.strictEqual(file.sha256, createHash("sha256").update(body).digest("hex"))
      assert.deepStrictEqual(file.type, { kind: "image", mime: "image/png", container: "png" })
      assert.strictEqual(file.filename, "fün.jpg")
      assert.strictEqual(file.url.href, url.href)
      assert.deepStrictEqual(file.validators, {
        etag: `"${createHash("sha1").update(body).digest("hex")}"`,
        lastModified: Host.LAST_MODIFIED,
        length: body.length
      })
      assert.isAbove(heard.length, 3)
      assert.deepStrictEqual(heard.at(-1), [body.length, body.length])
      assert.isTrue(heard.every(([bytes], index) => bytes >= (heard[index - 1]?.[0] ?? 0)))
    })
  )

  it.scopedLive(
    "is asked for plainly, without credentials, and the proxy of the environment is not for it",
    () =>
      Effect.gen(function* () {
        const host = yield* Host.startMediaHost
        const canary = yield* Host.startCanary
        const names = ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"]
        yield* Effect.acquireRelease(
          Effect.sync(() => names.forEach((name) => (process.env[name] = `http://127.0.0.1:${canary.port}`))),
          () => Effect.sync(() => names.forEach((name) => delete process.env[name]))
        )
        host.behave("/to", (_, response) => {
          response.writeHead(302, { location: "/png?a=b#c", "set-cookie": "a=b" }).end()
        })
        host.serve("/png", png(100))
        yield* fetched(host, host.at("/to"))
        const { version } = (yield* Effect.promise(
          () => import("../../../package.json", { with: { type: "json" } })
        )).default
        assert.deepStrictEqual(
          host.asked.map(({ headers, method, path }) => ({ headers, method, path })),
          ["/to", "/png?a=b"].map((path) => ({
            method: "GET",
            path,
            headers: {
              host: host.authority,
              connection: "close",
              "user-agent": `percept/${version} (Percept media fetcher)`,
              accept: "*/*",
              "accept-encoding": "identity"
            }
          }))
        )
        assert.strictEqual(canary.connections(), 0)
        assert.strictEqual(host.connections(), 2)
      })
  )

  it.scopedLive("is what its bytes say, whatever it is called", () =>
    Effect.gen(function* () {
      const host = yield* Host.startMediaHost
      const lies = { "content-type": "video/mp4" }
      for (const text of [
        "#EXTM3U\n#EXT-X-VERSION:3\n/etc/passwd",
        "ffconcat version 1.0\nfile /etc/passwd",
        "<svg/>",
        ""
      ])
        assert.strictEqual(
          (yield* failing(host, host.serve("/a.mp4", Buffer.from(text), lies))).code,
          "not_media"
        )
      assert.strictEqual((yield* failing(host, host.behave("/b.mp4", Host.page()))).code, "not_media")
      const zip = Buffer.concat([Buffer.from("PK\x03\x04"), Buffer.alloc(5000)])
      assert.strictEqual((yield* failing(host, host.serve("/c.mp4", zip, lies))).code, "not_media")
      const audio = yield* failing(host, host.serve("/d.mp3", mp4(100)), {}, { kinds: ["audio", "image"] })
      assert.strictEqual(audio.code, "not_media")
    })
  )

  it.scopedLive("that comes drop by drop is recognised all the same", () =>
    Effect.gen(function* () {
      const host = yield* Host.startMediaHost
      const body = png(60)
      const file = yield* fetched(host, host.behave("/a.png", Host.drip(body, 5, 5)))
      assert.strictEqual(file.bytes, 60)
    })
  )
})

it.scopedLive("a large file passes through little memory", () =>
  Effect.gen(function* () {
    const host = yield* Host.startMediaHost
    const before = process.memoryUsage().arrayBuffers
    let most = 0
    const progress = () => {
      most = Math.max(most, process.memoryUsage().arrayBuffers - before)
    }
    const url = host.behave("/endless", Host.endless(mp4(100)))
    const failure = yield* failing(host, url, { VIDEO_MAX_MB: "256" }, { progress })
    assert.strictEqual(failure.code, "too_large")
    assert.isBelow(most, 128 * MB)
  })
)

describe.concurrent("limits", () => {
  it.scopedLive("go by what the bytes are, and a length said beforehand is an early refusal", () =>
    Effect.gen(function* () {
      const host = yield* Host.startMediaHost
      const env = { IMAGE_MAX_MB: "1", VIDEO_MAX_MB: "2", AUDIO_MAX_MB: "1" }
      assert.strictEqual((yield* fetched(host, host.serve("/a", mp4(2 * MB)), env)).bytes, 2 * MB)
      const video = yield* failing(host, host.serve("/b", mp4(2 * MB + 1)), env)
      assert.strictEqual(video.code, "too_large")
      assert.include(video.message, "2 MB")
      const image = yield* failing(host, host.serve("/c", png(MB + 1)), env)
      assert.strictEqual(image.code, "too_large")
      assert.include(image.message, "1 MB")
      assert.strictEqual((yield* fetched(host, host.serve("/d", png(MB)), env)).bytes, MB)
      const heard: Array<number> = []
      yield* failing(host, host.serve("/e", png(1.5 * MB)), env, { progress: (bytes) => heard.push(bytes) })
      assert.deepStrictEqual(heard, [])
    })
  )

  it.scopedLive("hold against a server that never ends: no more is taken than the limit and one buffer", () =>
    Effect.gen(function* () {
      const host = yield* Host.startMediaHost
      let most = 0
      const progress = (bytes: number) => {
        most = bytes
      }
      const url = host.behave("/endless", Host.endless(png(100)))
      const failure = yield* failing(host, url, { IMAGE_MAX_MB: "4" }, { progress })
      assert.strictEqual(failure.code, "too_large")
      assert.isAtMost(most, 4 * MB)
      assert.isAbove(most, 3 * MB)
      yield* eventually(Effect.sync(host.open), (open) => open === 0)
      // What the network had in its own buffers when we hung up comes on top.
      assert.isBelow(host.sent(), 4 * MB + 12 * MB)
      assert.strictEqual(host.asked.length, 1)
    })
  )

  it.scopedLive("are not got round by packing: a body in any encoding is refused unread", () =>
    Effect.gen(function* () {
      const host = yield* Host.startMediaHost
      assert.strictEqual(
        (yield* failing(host, host.behave("/a", Host.gzipBomb(png(30 * MB))))).code,
        "unsupported"
      )
      const brotli = host.serve("/b", png(100), { "content-encoding": "br" })
      assert.strictEqual((yield* failing(host, brotli)).code, "unsupported")
      yield* fetched(host, host.serve("/c", png(100), { "content-encoding": "Identity" }))
    })
  )

  const slow: Record<string, Behaviour> = {
    "never answers": Host.silence,
    "sends one header after the other": Host.slowHeaders(50),
    "falls silent in the middle": Host.stall(png(5000)),
    "falls silent before it can be told what it is": Host.stall(png(100))
  }
  for (const [does, behaviour] of Object.entries(slow))
    it.scopedLive(`of patience hold against a server that ${does}`, () =>
      Effect.gen(function* () {
        const host = yield* Host.startMediaHost
        const failure = yield* failing(host, host.behave("/a", behaviour), { FETCH_IDLE_TIMEOUT: "0.2" })
        assert.strictEqual(failure.code, "timeout")
        assert.strictEqual(failure.message, "The server at the address fell silent.")
        assert.strictEqual(host.asked.length, 1)
        yield* eventually(Effect.sync(host.open), (open) => open === 0)
      })
    )

  it.scopedLive("of time hold against one that is never quite silent", () =>
    Effect.gen(function* () {
      const host = yield* Host.startMediaHost
      const url = host.behave("/a", Host.drip(png(100_000), 10, 20))
      const failure = yield* failing(host, url, { FETCH_TIMEOUT: "0.5" })
      assert.strictEqual(failure.code, "timeout")
      assert.strictEqual(failure.message, "The file took too long to arrive.")
      yield* eventually(Effect.sync(host.open), (open) => open === 0)
    })
  )

  it.scopedLive("of header size hold", () =>
    Effect.gen(function* () {
      const host = yield* Host.startMediaHost
      const url = host.behave("/a", Host.status(200, { "x-long": "a".repeat(20_000) }, png(100)))
      assert.strictEqual((yield* failing(host, url)).message, UNREACHABLE)
    })
  )
})

describe.concurrent("a server that breaks off", () => {
  const cases: Record<string, Behaviour> = {
    "before its length is reached": Host.lying(png(5000), 50_000),
    "in the middle of its chunks": Host.cutOff(png(5000)),
    "before the first bytes": Host.lying(Buffer.alloc(0), 50_000)
  }
  for (const [when, behaviour] of Object.entries(cases))
    it.scopedLive(`${when} has not sent a file, and is asked three times in all`, () =>
      Effect.gen(function* () {
        const host = yield* Host.startMediaHost
        const failure = yield* failing(host, host.behave("/a", behaviour))
        assert.strictEqual(failure.code, "unreachable")
        assert.strictEqual(failure.message, "The connection broke off before the whole file had come.")
        assert.strictEqual(host.asked.length, 3)
      })
    )

  it.scopedLive("before it is asked anything is tried again as well", () =>
    Effect.gen(function* () {
      const host = yield* Host.startMediaHost
      const rude = yield* Host.startHangUp
      const env = { MEDIA_ALLOWED_HOSTS: `127.0.0.1:${rude.port}` }
      const failure = yield* failing(host, new URL(`http://127.0.0.1:${rude.port}/`), env)
      assert.deepStrictEqual(seen(failure), seen(unreachable))
      assert.strictEqual(rude.connections(), 3)
    })
  )

  it.scopedLive("as soon as it has been reached is tried again too", () =>
    Effect.gen(function* () {
      const host = yield* Host.startMediaHost
      let dialled = 0
      const gone = new AddressGuard({
        check: () => Effect.void,
        lookupFor: () => () => {},
        dial: () =>
          Effect.sync(() => {
            dialled++
            return new Socket().destroy()
          })
      })
      const folder = yield* temporaryFolder
      const failure = yield* Effect.flip(
        Effect.flatMap(MediaFetcher, ({ fetch }) => fetch(host.at("/"), folder, { kinds: ALL })).pipe(
          Effect.provide(
            MediaFetcher.Default.pipe(
              Layer.provide(Layer.succeed(AddressGuard, gone)),
              Layer.provide(Layer.orDie(AppConfig.layer({ FETCH_IDLE_TIMEOUT: "5", FETCH_TIMEOUT: "10" })))
            )
          )
        )
      )
      assert.deepStrictEqual(seen(failure), seen(unreachable))
      assert.strictEqual(dialled, 3)
      assert.strictEqual(host.connections(), 0)
    })
  )

  it.scopedLive("once is forgiven, and the file is the whole one", () =>
    Effect.gen(function* () {
      const host = yield* Host.startMediaHost
      const body = png(100_000)
      const url = host.behave("/a", Host.cutOff(body.subarray(0, 60_000)), Host.reset, Host.serving(body))
      assert.strictEqual((yield* fetched(host, url)).sha256, createHash("sha256").update(body).digest("hex"))
      assert.strictEqual(host.asked.length, 3)
    })
  )

  it.scopedLive("says less than it sends is taken at its word", () =>
    Effect.gen(function* () {
      const host = yield* Host.startMediaHost
      assert.strictEqual((yield* fetched(host, host.behave("/a", Host.lying(png(5000), 4000)))).bytes, 4000)
    })
  )
})

describe.concurrent("a status", () => {
  it.scopedLive("that will not change is told at once, and one that may is tried again", () =>
    Effect.gen(function* () {
      const host = yield* Host.startMediaHost
      const cases = [
        [404, 1],
        [403, 1],
        [410, 1],
        [206, 1],
        [304, 1],
        [300, 1],
        [500, 3],
        [503, 3]
      ] as const
      for (const [code, times] of cases) {
        const failure = yield* failing(host, host.behave(`/${code}`, Host.status(code)))
        assert.strictEqual(failure.code, "unreachable")
        assert.strictEqual(failure.message, `The server at the address answered with status ${code}.`)
        assert.strictEqual(host.asked.filter(({ path }) => path === `/${code}`).length, times, `${code}`)
      }
      const url = host.behave("/again", Host.status(502), Host.status(429), Host.serving(png(100)))
      yield* fetched(host, url)
    })
  )

  it.scopedLive("with a wish for time is heeded when the wish is modest", () =>
    Effect.gen(function* () {
      const host = yield* Host.startMediaHost
      const times: Array<number> = []
      const timed =
        (behaviour: Behaviour): Behaviour =>
        (request, response) => {
          times.push(performance.now())
          behaviour(request, response)
        }
      const busy = timed(Host.status(429, { "retry-after": "1" }))
      yield* fetched(host, host.behave("/a", busy, timed(Host.serving(png(100)))))
      const [first = 0, second = 0] = times
      assert.isAtLeast(second - first, 990)
      const far = host.behave("/b", Host.status(429, { "retry-after": "11" }))
      assert.include((yield* failing(host, far)).message, "429")
      assert.strictEqual(host.asked.filter(({ path }) => path === "/b").length, 1)
    })
  )
})

describe("redirects", () => {
  it.scopedLive("are followed, as many as there may be", () =>
    Effect.gen(function* () {
      const host = yield* Host.startMediaHost
      for (const [index, code] of [301, 302, 303, 307, 308].entries())
        host.behave(`/${index}`, Host.redirect(`/${index + 1}`, code))
      host.serve("/5", png(100))
      const file = yield* fetched(host, host.at("/0"))
      assert.strictEqual(file.url.pathname, "/5")
      yield* eventually(Effect.sync(host.open), (open) => open === 0)
      assert.strictEqual(
        (yield* failing(host, host.at("/0"), { FETCH_MAX_REDIRECTS: "4" })).message,
        UNREACHABLE
      )
      yield* fetched(host, host.at("/1"), { FETCH_MAX_REDIRECTS: "4" })
      yield* fetched(host, host.at("/5"), { FETCH_MAX_REDIRECTS: "0" })
      assert.strictEqual(
        (yield* failing(host, host.at("/4"), { FETCH_MAX_REDIRECTS: "0" })).message,
        UNREACHABLE
      )
    })
  )

  it.scopedLive("are left behind at once, whatever else they were about to say", () =>
    Effect.gen(function* () {
      const host = yield* Host.startMediaHost
      host.behave("/a", (_, response) => {
        response.writeHead(302, { location: "/b", "content-length": 1000 }).write("Moved")
      })
      host.behave("/b", Host.silence)
      const env = { FETCH_IDLE_TIMEOUT: "1 minute" }
      yield* Effect.fork(Effect.scoped(fetching(host, host.at("/a"), env)))
      yield* eventually(
        Effect.sync(() => host.asked.length),
        (asked) => asked === 2
      )
      yield* eventually(Effect.sync(host.open), (open) => open === 1)
    })
  )

  it.scopedLive("in a circle, to nowhere or without an end are errors", () =>
    Effect.gen(function* () {
      const host = yield* Host.startMediaHost
      host.behave("/loop", Host.redirect("/loop2"))
      host.behave("/loop2", Host.redirect("/loop#again"))
      host.behave("/missing", Host.status(302))
      host.behave("/malformed", Host.redirect("http://[::1"))
      let count = 0
      host.behave("/more", (request, response) => Host.redirect(`/more?${count++}`)(request, response))
      for (const path of ["/loop", "/missing", "/malformed", "/more"]) {
        const failure = yield* failing(host, host.at(path))
        assert.deepStrictEqual(seen(failure), seen(unreachable))
      }
      assert.strictEqual(host.asked.filter(({ path }) => path.startsWith("/loop")).length, 2)
      assert.strictEqual(count, 6)
    })
  )

  it.scopedLive("pass every layer anew: whoever may not be called directly is not called by a detour", () =>
    Effect.gen(function* () {
      const host = yield* Host.startMediaHost
      const canary = yield* Host.startCanary
      const env = { FETCH_PORTS: `${canary.port}` }
      const to = [
        `http://127.0.0.1:${canary.port}/`,
        `//127.0.0.1:${canary.port}/`,
        `http://localhost:${canary.port}/`,
        `http://0x7f.1:${canary.port}/`,
        `http://[::1]:${canary.port}/`,
        `http://[::ffff:127.0.0.1]:${canary.port}/`,
        `http://0:${canary.port}/`,
        "file:///etc/passwd",
        "ftp://127.0.0.1/",
        `http://a@${host.authority}/ok`,
        `http://93.184.216.34:22/`
      ]
      host.serve("/ok", png(100))
      for (const location of to) {
        const failure = yield* failing(host, host.behave("/a", Host.redirect(location)), env)
        assert.deepStrictEqual(seen(failure), seen(unreachable), location)
      }
      for (const code of [301, 303, 307, 308]) {
        const url = host.behave("/a", Host.redirect(`http://localhost:${canary.port}/`, code))
        assert.deepStrictEqual(seen(yield* failing(host, url, env)), seen(unreachable), `${code}`)
      }
      host.behave("/chain", Host.redirect("/a"))
      host.behave("/a", Host.redirect(`http://127.0.0.1:${canary.port}/`))
      assert.deepStrictEqual(seen(yield* failing(host, host.at("/chain"), env)), seen(unreachable))
      assert.strictEqual(canary.connections(), 0)
      assert.isFalse(host.asked.some(({ path }) => path === "/ok"))
    })
  )
})

describe("whoever may not be called", () => {
  it.scopedLive("cannot be told from whoever does not answer", () =>
    Effect.gen(function* () {
      const host = yield* Host.startMediaHost
      const canary = yield* Host.startCanary
      const closed = yield* closedPort
      const admitted = yield* closedPort
      const env = {
        MEDIA_ALLOWED_HOSTS: `${host.authority},127.0.0.1:${admitted}`,
        FETCH_PORTS: `${closed},${canary.port}`
      }
      const failures = yield* Effect.forEach(
        [
          `http://127.0.0.1:${canary.port}/`,
          `http://127.0.0.1:${closed}/`,
          `http://127.0.0.1:22/`,
          `http://127.0.0.1:${admitted}/`,
          `http://localhost:${canary.port}/`,
          `http://localhost:${closed}/`,
          `http://nobody.invalid:${closed}/`,
          `http://a:b@example.com/`,
          `ftp://example.com/`,
          host.behave("/reset", Host.reset).href,
          host.behave("/garbage", (_, { socket }) => void socket?.end("SSH-2.0-OpenSSH_9.2\r\n")).href
        ],
        (address) => Effect.map(failing(host, new URL(address), env), seen)
      )
      for (const failure of failures) assert.deepStrictEqual(failure, seen(unreachable))
      assert.strictEqual(canary.connections(), 0)
    })
  )

  it.scopedLive("cannot be told from whoever does not speak TLS, or takes the call and is silent", () =>
    Effect.gen(function* () {
      const host = yield* Host.startMediaHost
      const mute = yield* Host.startCanary
      const plain = yield* failing(host, new URL(`https://${host.authority}/`))
      assert.deepStrictEqual(seen(plain), seen(unreachable))
      assert.strictEqual(host.connections(), 1)
      const env = { MEDIA_ALLOWED_HOSTS: `127.0.0.1:${mute.port}`, FETCH_CONNECT_TIMEOUT: "0.2" }
      const silent = yield* failing(host, new URL(`https://127.0.0.1:${mute.port}/`), env)
      assert.deepStrictEqual(seen(silent), seen(unreachable))
      assert.strictEqual(mute.connections(), 3)
    })
  )

  it.scopedLive("is named to the operator, with the class of the reason and no more of the address", () =>
    Effect.gen(function* () {
      const host = yield* Host.startMediaHost
      const failure = yield* failing(host, new URL("http://10.1.2.3/secret?token=secret#secret"))
      assert.strictEqual(failure.detail, "10.1.2.3:80 refused: address or its port is not allowed")
    })
  )

  it.scopedLive("is not called by a look or a question either", () =>
    Effect.gen(function* () {
      const canary = yield* Host.startCanary
      const env = { FETCH_PORTS: `${canary.port}` }
      for (const host of ["127.0.0.1", "localhost", "[::1]"]) {
        const url = new URL(`http://${host}:${canary.port}/`)
        const known = { etag: `"a"`, lastModified: undefined, length: undefined }
        const peeked = yield* Effect.flip(using(env, ({ peek }) => peek(url)))
        const asked = yield* Effect.flip(using(env, ({ fresh }) => fresh(url, known)))
        for (const failure of [peeked, asked]) assert.deepStrictEqual(seen(failure), seen(unreachable))
      }
      assert.strictEqual(canary.connections(), 0)
    })
  )
})

describe("a caller that leaves", () => {
  it.scopedLive("closes the connection and the file at once", () =>
    Effect.gen(function* () {
      const host = yield* Host.startMediaHost
      const folder = yield* temporaryFolder
      const begun = yield* Deferred.make<void>()
      const url = host.behave("/a", Host.drip(png(1_000_000), 5000, 5))
      const fiber = yield* Effect.fork(
        using(host.env, ({ fetch }) =>
          fetch(url, folder, { kinds: ALL, progress: () => Deferred.unsafeDone(begun, Effect.void) })
        )
      )
      yield* Deferred.await(begun)
      assert.strictEqual(openFilesIn(folder), 1)
      yield* Fiber.interrupt(fiber)
      assert.strictEqual(openFilesIn(folder), 0)
      assert.deepStrictEqual(readdirSync(folder), [])
      yield* eventually(Effect.sync(host.open), (open) => open === 0)
    })
  )

  for (const [when, behaviour] of Object.entries({
    "for an answer": Host.silence,
    "for more": Host.stall(png(30))
  }))
    it.scopedLive(`while it waits ${when} closes the connection at once`, () =>
      Effect.gen(function* () {
        const host = yield* Host.startMediaHost
        const folder = yield* temporaryFolder
        const env = { ...host.env, FETCH_IDLE_TIMEOUT: "1 minute" }
        const url = host.behave("/a", behaviour)
        const fiber = yield* Effect.fork(using(env, ({ fetch }) => fetch(url, folder, { kinds: ALL })))
        yield* eventually(
          Effect.sync(() => host.asked.length),
          (asked) => asked === 1
        )
        yield* Fiber.interrupt(fiber)
        yield* eventually(Effect.sync(host.open), (open) => open === 0)
      })
    )
})

describe("a disk", () => {
  it.scopedLive("that takes nothing is the operator's matter, told in plain words", () =>
    Effect.gen(function* () {
      const host = yield* Host.startMediaHost
      const folder = yield* temporaryFolder
      const failure = yield* Effect.flip(
        using(host.env, ({ fetch }) =>
          fetch(host.serve("/a", png(100)), join(folder, "gone"), { kinds: ALL })
        )
      )
      assert.strictEqual(failure.code, "no_space")
      assert.strictEqual(failure.message, "There is no room to keep the file.")
      assert.include(failure.detail, "ENOENT")
      mkdirSync(join(folder, "gone"))
      yield* using(host.env, ({ fetch }) => fetch(host.at("/a"), join(folder, "gone"), { kinds: ALL }))
    })
  )
})

describe("a look at the first bytes", () => {
  it.scopedLive("tells what is there and takes no more than them", () =>
    Effect.gen(function* () {
      const host = yield* Host.startMediaHost
      const peek = (url: URL) => using(host.env, ({ peek }) => peek(url))
      assert.strictEqual((yield* peek(host.serve("/a", mp4(20 * MB))))?.mime, "video/mp4")
      assert.strictEqual(host.asked[0]?.headers.range, "bytes=0-4095")
      assert.isBelow(host.sent(), 10_000)
      const deaf = host.behave("/b", Host.endless(png(5000)))
      assert.strictEqual((yield* peek(deaf))?.mime, "image/png")
      yield* eventually(Effect.sync(host.open), (open) => open === 0)
      assert.isUndefined(yield* peek(host.behave("/c", Host.page())))
      assert.isUndefined(yield* peek(host.serve("/d", png(5000), { "content-encoding": "br" })))
      assert.strictEqual((yield* Effect.flip(peek(host.at("/none")))).code, "unreachable")
    })
  )
})

describe.concurrent("the question whether something is still the same", () => {
  const known = { etag: `"v1"`, lastModified: Host.LAST_MODIFIED, length: 100 }
  const none = { etag: undefined, lastModified: undefined, length: undefined }
  const cases: Record<
    string,
    readonly [known: Partial<typeof none | typeof known>, answer: Behaviour, fresh: boolean]
  > = {
    "a good server's no": [known, Host.serving(png(100), { etag: `"v1"` }), true],
    "a good server's yes": [known, Host.serving(png(100), { etag: `"v2"` }), false],
    "the same mark, sent whole": [{ etag: `"v1"` }, Host.status(200, { etag: `"v1"` }, png(100)), true],
    "the same weak mark, sent whole": [
      { etag: `W/"v1"` },
      Host.status(200, { etag: `W/"v1"` }, png(100)),
      false
    ],
    "the same date, another mark": [
      known,
      Host.status(
        200,
        { etag: `"v2"`, "last-modified": Host.LAST_MODIFIED, "content-length": "100" },
        png(100)
      ),
      false
    ],
    "the same date and length": [
      { lastModified: Host.LAST_MODIFIED, length: 100 },
      Host.status(200, { "last-modified": Host.LAST_MODIFIED, "content-length": "100" }, png(100)),
      true
    ],
    "the same date, another length": [
      { lastModified: Host.LAST_MODIFIED, length: 100 },
      Host.status(200, { "last-modified": Host.LAST_MODIFIED, "content-length": "101" }, png(101)),
      false
    ],
    "the same length alone": [
      { lastModified: Host.LAST_MODIFIED, length: 100 },
      Host.status(200, { "content-length": "100" }, png(100)),
      false
    ],
    "a file that has gone": [known, Host.status(404), false]
  }
  for (const [what, [validators, answer, expected]] of Object.entries(cases))
    it.scopedLive(`is answered ${expected ? "yes" : "no"} by ${what}`, () =>
      Effect.gen(function* () {
        const host = yield* Host.startMediaHost
        const url = host.behave("/a", answer)
        const result = yield* using(host.env, ({ fresh }) => fresh(url, { ...none, ...validators }))
        assert.strictEqual(result, expected)
        assert.strictEqual(host.asked[0]?.headers["if-none-match"], validators.etag)
        assert.strictEqual(host.asked[0]?.headers["if-modified-since"], validators.lastModified)
      })
    )

  it.scopedLive("is not asked where the server said nothing to ask by", () =>
    Effect.gen(function* () {
      const host = yield* Host.startMediaHost
      const url = host.serve("/a", png(100))
      assert.isFalse(yield* using(host.env, ({ fresh }) => fresh(url, { ...none, length: 100 })))
      assert.strictEqual(host.asked.length, 0)
    })
  )

  it.scopedLive("never has the body sent, and fails where nobody answers", () =>
    Effect.gen(function* () {
      const host = yield* Host.startMediaHost
      const endless = host.behave("/a", Host.endless(png(100)))
      assert.isFalse(yield* using(host.env, ({ fresh }) => fresh(endless, known)))
      yield* eventually(Effect.sync(host.open), (open) => open === 0)
      const broken = host.behave("/b", Host.status(503))
      const failure = yield* Effect.flip(using(host.env, ({ fresh }) => fresh(broken, known)))
      assert.strictEqual(failure.code, "unreachable")
      assert.strictEqual(host.asked.filter(({ path }) => path === "/b").length, 3)
    })
  )
})

describe("data in the request itself", () => {
  const unpacking = (data: string, kinds: ReadonlyArray<MediaKind> = ALL, env: Record<string, string> = {}) =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const result = yield* Effect.either(using(env, ({ unpack }) => unpack(data, folder, kinds)))
      return { result, left: readdirSync(folder), folder }
    })

  const refusedData = (
    data: string,
    kinds: ReadonlyArray<MediaKind> = ALL,
    env: Record<string, string> = {}
  ) =>
    Effect.map(unpacking(data, kinds, env), ({ left, result }) => {
      assert.deepStrictEqual(left, [])
      return result._tag === "Left" ? result.left.code : "taken"
    })

  it.scopedLive("is unpacked, and is what its bytes say", () =>
    Effect.gen(function* () {
      for (const size of [25, 26, 27, 6143, 6144, 6145, 3 * MB + 1]) {
        const body = png(size)
        for (const prefix of [
          "",
          "data:;base64,",
          "data:text/html;base64,",
          "DATA:image/jpeg;charset=x;BASE64,"
        ]) {
          const { folder, left, result } = yield* unpacking(prefix + body.toString("base64"))
          if (result._tag === "Left") throw result.left
          assert.deepStrictEqual(readFileSync(join(folder, left[0] ?? "")), body)
          assert.deepStrictEqual(
            { ...result.right },
            {
              path: join(folder, left[0] ?? ""),
              bytes: size,
              sha256: createHash("sha256").update(body).digest("hex"),
              type: { kind: "image", mime: "image/png", container: "png" }
            }
          )
          assert.strictEqual(statSync(result.right.path).mode & 0o777, 0o600)
        }
      }
    })
  )

  it.scopedLive("that is no proper base64 is refused, wherever the fault is", () =>
    Effect.gen(function* () {
      const good = png(3 * MB).toString("base64")
      const at = (index: number, letter: string) => good.slice(0, index) + letter + good.slice(index + 1)
      const wrong = [
        "",
        "data:image/png;base64,",
        "data:image/png,abcd",
        `data:image/png;base65,${good}`,
        "file:///etc/passwd",
        "/etc/passwd",
        "blob:http://x/1",
        "http://example.com/a.png",
        `${good}\n`,
        ` ${good.slice(1)}`,
        at(100, "-"),
        at(100, "="),
        at(10_000, "\n"),
        at(2_000_000, "_"),
        at(good.length - 5, "%"),
        `${good}A`,
        `${good}A===`,
        `${png(26).toString("base64").slice(0, -2)}x=`
      ]
      for (const data of wrong) assert.strictEqual(yield* refusedData(data), "broken", data.slice(0, 40))
    })
  )

  it.scopedLive("is measured before it is decoded, and must be of a kind that is wanted", () =>
    Effect.gen(function* () {
      const env = { IMAGE_MAX_MB: "1", VIDEO_MAX_MB: "2", AUDIO_MAX_MB: "1" }
      const image = (bytes: number) => png(bytes).toString("base64")
      assert.isTrue(Either.isRight((yield* unpacking(image(MB), ALL, env)).result))
      assert.strictEqual(yield* refusedData(image(MB + 1), ALL, env), "too_large")
      assert.strictEqual(yield* refusedData(`${image(3 * MB).slice(0, -8)}not good`, ALL, env), "too_large")
      assert.strictEqual(yield* refusedData("!".repeat(4 * MB), ALL, env), "too_large")
      assert.strictEqual(yield* refusedData(image(2 * MB), ["image"], env), "too_large")
      assert.isTrue(Either.isRight((yield* unpacking(mp4(2 * MB).toString("base64"), ALL, env)).result))
      assert.strictEqual(yield* refusedData(image(100), ["audio", "video"], env), "not_media")
    })
  )

  it.scopedLive("that is text is refused", () =>
    Effect.gen(function* () {
      for (const text of ["#EXTM3U\n", "<svg onload=alert(1)>", "%PDF-1.7\n\x01", "PK\x03\x04\0\0"])
        assert.strictEqual(
          yield* refusedData(`data:image/png;base64,${Buffer.from(text).toString("base64")}`),
          "not_media"
        )
    })
  )
})

/** How many of this process's open files are in this folder. */
const openFilesIn = (folder: string): number =>
  readdirSync("/proc/self/fd").filter((fd) => linkOf(fd).startsWith(folder)).length

const linkOf = (fd: string): string => {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`)
  } catch {
    return ""
  }
}
