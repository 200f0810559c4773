import { afterEach, assert, beforeEach, describe, it, vi } from "@effect/vitest"
import { createServer } from "node:http"
import type { IncomingHttpHeaders, Server, ServerResponse } from "node:http"
import type { Row } from "../../src/ui/api/rows.ts"
import { followLive } from "../../src/ui/controllers/live-feed.ts"
import type { LiveFeed } from "../../src/ui/controllers/live-feed.ts"

/** A server whose feed says what a test wants it to say, and nothing else. */
const startFeed = async () => {
  const asked: Array<IncomingHttpHeaders> = []
  const open: Array<ServerResponse> = []
  const refusing = { with: 0 }
  const server: Server = createServer((request, response) => {
    asked.push(request.headers)
    if (refusing.with > 0) return response.writeHead(refusing.with).end("{}")
    response.writeHead(200, { "content-type": "text/event-stream" })
    response.write("retry: 10\n\n")
    open.push(response)
    response.once("close", () => open.splice(open.indexOf(response), 1))
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const address = server.address()
  const url = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}/`
  const say = (name: string, data: object, id = "") =>
    open.forEach((one) =>
      one.write(`${id && `id: ${id}\n`}event: ${name}\ndata: ${JSON.stringify(data)}\n\n`)
    )
  const close = () => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  }
  return { asked, open, refusing, url, say, close }
}

const until = (check: () => void) => vi.waitFor(check, { timeout: 10_000, interval: 10 })

/** What there is of a browser around a controller. */
const page = Object.assign(new EventTarget(), { hidden: false })
const sight = new EventTarget()
const going = (id: string, stage = "answering") => ({
  internal_request_id: id,
  stage,
  kind: "main",
  elapsed_ms: 5
})
const ended = (id: string) => ({ internal_request_id: id, state: "done" })

describe("the page's live feed", () => {
  let server: Awaited<ReturnType<typeof startFeed>>
  let feed: LiveFeed
  let batches: Array<ReadonlyArray<string>>
  let snapshots: Array<boolean>
  let updates: number
  let ending: AbortController

  beforeEach(async () => {
    vi.stubGlobal("document", page)
    vi.stubGlobal("addEventListener", sight.addEventListener.bind(sight))
    vi.stubGlobal("removeEventListener", sight.removeEventListener.bind(sight))
    vi.stubGlobal("sessionStorage", { getItem: () => "Bearer a-key" })
    server = await startFeed()
    batches = []
    snapshots = []
    updates = 0
    ending = new AbortController()
    feed = followLive({
      url: server.url,
      onDone: (rows: ReadonlyArray<Row>) => void batches.push(rows.map((row) => row.internal_request_id)),
      onSnapshot: (isFirst) => void snapshots.push(isFirst),
      onChange: () => void updates++
    })
    feed.attend(ending)
    await until(() => assert.strictEqual(feed.state, "live"))
  })

  afterEach(async () => {
    ending.abort()
    feed.stop()
    await server.close()
    page.hidden = false
    vi.unstubAllGlobals()
    vi.useRealTimers()
  })

  const idsOf = () => feed.ongoing.map(({ internal_request_id }) => internal_request_id)

  it("knows what is under way, and tells of all that ended in a frame at once", async () => {
    server.say("snapshot", { requests: [going("a"), going("b")] }, "x-1")
    await until(() => assert.deepStrictEqual(idsOf(), ["a", "b"]))
    assert.deepStrictEqual(snapshots, [true])
    const before = updates
    server.open[0]?.cork()
    server.say("stage", going("c", "video 1/1 looking 3%"), "x-2")
    server.say("done", ended("a"), "x-3")
    server.say("done", ended("c"), "x-4")
    server.open[0]?.uncork()
    await until(() => assert.deepStrictEqual(batches, [["a", "c"]]))
    assert.deepStrictEqual(idsOf(), ["b"])
    assert.strictEqual(updates - before, 1)
    assert.strictEqual(server.asked[0]?.authorization, "Bearer a-key")
  })

  it("comes back to where it was when the connection is lost", async () => {
    server.say("snapshot", { requests: [going("a")] }, "x-7")
    await until(() => assert.deepStrictEqual(idsOf(), ["a"]))
    server.open[0]?.destroy()
    await until(() => assert.strictEqual(server.asked.length, 2))
    await until(() => assert.strictEqual(feed.state, "live"))
    assert.deepStrictEqual(
      server.asked.map((headers) => headers["last-event-id"]),
      [undefined, "x-7"]
    )
    assert.deepStrictEqual([idsOf(), snapshots], [["a"], [true]])
    server.say("snapshot", { requests: [] }, "y-1")
    await until(() => assert.deepStrictEqual([idsOf(), snapshots], [[], [true, false]]))
  })

  it("tries again while the server is in trouble, and says that it is lost", async () => {
    server.refusing.with = 503
    server.open[0]?.destroy()
    await until(() => assert.isAtLeast(server.asked.length, 4))
    assert.strictEqual(feed.state, "lost")
    server.refusing.with = 0
    await until(() => assert.strictEqual(feed.state, "live"))
  })

  it("asks no more where it is not let in, until it is started again", async () => {
    server.refusing.with = 401
    server.open[0]?.destroy()
    await until(() => assert.strictEqual(feed.state, "off"))
    const { length } = server.asked
    await new Promise((resolve) => setTimeout(resolve, 60))
    assert.strictEqual(server.asked.length, length)
    server.refusing.with = 0
    feed.start()
    await until(() => assert.strictEqual(feed.state, "live"))
  })

  it("lets go of the page that is left, and is there again when that comes back", async () => {
    sight.dispatchEvent(new Event("pagehide"))
    assert.strictEqual(feed.state, "off")
    await until(() => assert.strictEqual(server.open.length, 0))
    sight.dispatchEvent(new Event("pageshow"))
    sight.dispatchEvent(new Event("pageshow"))
    await until(() => assert.strictEqual(feed.state, "live"))
    assert.strictEqual(server.asked.length, 2)
  })

  it("leaves a tab that nobody looks at for a minute", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] })
    page.hidden = true
    page.dispatchEvent(new Event("visibilitychange"))
    vi.advanceTimersByTime(59_000)
    assert.strictEqual(feed.state, "live")
    vi.advanceTimersByTime(2000)
    assert.strictEqual(feed.state, "off")
    vi.useRealTimers()
    page.hidden = false
    page.dispatchEvent(new Event("visibilitychange"))
    await until(() => assert.strictEqual(feed.state, "live"))
  })

  it("reads the list again rather than hold more rows than anybody sees, and survives nonsense", async () => {
    // What comes within half a second of an update waits for the next one.
    server.say("done", ended("first"))
    await until(() => assert.strictEqual(batches.length, 1))
    server.open[0]?.cork()
    for (let at = 0; at < 1500; at++) server.say("done", ended(`r${at}`))
    server.open[0]?.write(
      "event: done\ndata: {broken\n\nevent: stage\ndata: null\n\nevent: other\ndata: 1\n\n"
    )
    server.open[0]?.uncork()
    await until(() => assert.deepStrictEqual(snapshots, [true]))
    await until(() => assert.strictEqual(batches.flat().at(-1), "r1499"))
    assert.isAtMost(Math.max(...batches.map(({ length }) => length)), 1000)
    for (let at = 0; at < 1100; at++) server.say("stage", going(`g${at}`))
    await until(() => assert.strictEqual(idsOf().length, 1000))
  })
})
