import { assert, describe } from "@effect/vitest"
import { Effect, Scope } from "effect"
import { execFile } from "node:child_process"
import type { IncomingMessage, ServerResponse } from "node:http"
import { promisify } from "node:util"
import type { Page } from "playwright-core"
import { pageTests, rowsOf, settled, soon } from "../../support/Browser.ts"
import { status } from "../../support/MediaHost.ts"
import { startPage, WORDS } from "../../support/MediaPage.ts"
import { startProgram } from "../../support/Program.ts"
import { startRouter, temporaryFolder } from "../../support/Router.ts"
import { gate, makeClips, talkie } from "../../support/Senses.ts"
import { byHand, chunk, closedPort, openStream, startUpstream, USAGE } from "../../support/Upstream.ts"

const run = promisify(execFile)

/** A server of which nobody has asked anything yet, with eyes and ears. */
const test = pageTests(
  Effect.gen(function* () {
    const clips = yield* makeClips({ "talkie.mp4": talkie })
    const senses = yield* startPage({ MEDIA_POLICY: "describe" })
    const say = (content: string) =>
      Effect.runPromise(senses.ask("test/eyes", content)).then(
        ({ headers }) => headers.get("x-request-id") ?? ""
      )
    return { ...senses, url: senses.router.url, clips, say }
  })
)

const pill = (page: Page) => page.locator("percept-live-pill")
const saidOf = async (page: Page) => (await pill(page).locator("button, span").allTextContents()).join(" ")
const lines = (page: Page) => page.locator("percept-ongoing li")

describe("the page of a server that is new", () => {
  test(
    "tells how to send a request, and comes alive with the first",
    async ({ open, page }, { url }) => {
      await open()
      const first = page.locator("percept-first-run")
      await first.locator("pre").waitFor()
      const command = () => first.locator("pre").innerText()
      assert.include(await command(), `${url}/v1/chat/completions`)
      assert.include(await command(), "percept/inspect")
      for (const [name, link] of [
        ["Image link", ".jpg"],
        ["Video link", ".webm"]
      ] as const) {
        await first.getByRole("button", { name }).click()
        await soon(async () => assert.include(await command(), link))
      }
      await first.getByRole("button", { name: "Text" }).click()
      await first.getByRole("button", { name: "Copy" }).click()
      await page.getByText("Copied").waitFor()
      const copied = await page.evaluate(() => navigator.clipboard.readText())
      assert.strictEqual(copied, await command())
      const { stdout } = await run("sh", ["-c", copied])
      assert.include(stdout, "Say hello.")
      await settled(page, 1)
      assert.strictEqual(await first.count(), 0)
    },
    { permissions: ["clipboard-read", "clipboard-write"] }
  )
})

describe("what happens now", () => {
  test("is shown from its first moment to its end, stage by stage", async ({ open, page }, stage) => {
    const { ask, clips, host, say, upstream } = stage
    const film = gate(clips["talkie.mp4"])
    const url = host.behave("/live.mp4", film.behaviour).href
    const heard = new Promise<() => void>((resolve) => {
      const answer = status(
        200,
        { "content-type": "application/json" },
        JSON.stringify({ language: "en", segments: [{ start: 0.1, end: 1.4, text: WORDS }] })
      )
      host.behave("/asr", (request: IncomingMessage, response: ServerResponse) =>
        resolve(() => answer(request, response))
      )
    })
    await say("Before it")
    await open("/ui/tracking?tail=1")
    const before = await settled(page)
    const described = Effect.runPromise(byHand(upstream))
    const asking = Effect.runPromise(ask("test/blind", `What is in ${url} ?`, { body: { stream: true } }))
    const is = (words: RegExp, track: RegExp) =>
      soon(async () => {
        assert.strictEqual(await lines(page).count(), 1)
        assert.match((await lines(page).locator(".words").textContent()) ?? "", words)
        assert.match((await lines(page).getByRole("img").getAttribute("aria-label")) ?? "", track)
      })
    await Effect.runPromise(film.reached)
    await is(/fetching/, /^fetch under way, look to come, listen to come, describe to come, answer to come$/)
    assert.include(await lines(page).textContent(), "test/blind")
    film.open()
    const hear = await heard
    await is(/listening/, /^fetch done, look (done|under way), listen under way/)
    hear()
    const describing = await described
    await is(/describing/, /^fetch done, look done, listen done, describe under way, answer to come$/)
    const answered = Effect.runPromise(byHand(upstream))
    const message = { role: "assistant", content: "Stripes.", refusal: null }
    const choices = [{ index: 0, message, finish_reason: "stop" }]
    const body = {
      id: "gen-d",
      object: "chat.completion",
      created: 1,
      model: "test/vision",
      choices,
      usage: USAGE
    }
    describing.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body))
    const answer = await answered
    await is(/waiting for the model/, /describe done, answer under way$/)
    openStream(answer)
    answer.write(chunk({ role: "assistant", content: "A film" }))
    await is(/streaming/, /answer under way$/)

    await lines(page).getByRole("button").click()
    const drawer = page.locator("percept-drawer")
    await drawer.locator(".live").waitFor()
    answer.end(`${chunk({}, "stop", { usage: USAGE })}data: [DONE]\n\n`)
    const id = (await asking).headers.get("x-request-id") ?? ""
    await soon(async () => assert.strictEqual(await lines(page).count(), 0))
    await drawer.locator(".waterfall").waitFor()
    assert.include(await drawer.locator("dl").first().textContent(), "done")
    await page.keyboard.press("Escape")
    await soon(async () => assert.deepStrictEqual(await rowsOf(page), [id, ...before]))
  })

  test("waits behind a number until it is wanted", async ({ address, open, page }, { say }) => {
    await open()
    const before = await settled(page)
    const news = [await say("One more"), await say("Two more")]
    const button = pill(page).getByRole("button", { name: /new$/ })
    await soon(async () => assert.strictEqual((await button.innerText()).trim(), "2 new"))
    assert.deepStrictEqual(await rowsOf(page), before)
    await button.click()
    await soon(async () => assert.deepStrictEqual(await rowsOf(page), [...news.toReversed(), ...before]))
    assert.strictEqual(await button.count(), 0)

    // With the tail on they come by themselves, but not while a request is read.
    await pill(page).getByRole("button", { name: "Live tail" }).click()
    await soon(() => assert.include(address(), "tail=1"))
    const third = await say("Three more")
    await soon(async () => assert.strictEqual((await rowsOf(page))[0], third))
    await page.locator("percept-table tbody tr").nth(1).locator("td").nth(3).click()
    await page.locator("percept-drawer h2").waitFor()
    await soon(async () => assert.include(await saidOf(page), "paused"))
    const fourth = await say("Four more")
    await soon(async () => assert.strictEqual((await button.innerText()).trim(), "1 new"))
    assert.strictEqual((await rowsOf(page))[0], third)
    await page.keyboard.press("Escape")
    await soon(async () => assert.strictEqual((await rowsOf(page))[0], fourth))
    assert.strictEqual(new Set(await rowsOf(page)).size, (await rowsOf(page)).length)
  })

  test("counts only what belongs to the list", async ({ open, page }, { ask, say }) => {
    await say("an eye")
    await open("/ui/tracking?model=test%2Feyes")
    const before = await settled(page)
    await soon(async () => assert.match(await saidOf(page), /live/))
    await Effect.runPromise(ask("test/blind", "not for this list"))
    await say("another eye")
    await soon(async () => assert.match(await saidOf(page), /[1-9] new/))
    assert.match(await saidOf(page), /\b1 new/)
    assert.deepStrictEqual(await rowsOf(page), before)
  })
})

/** A program that can be killed, and started again at the same address. */
const goneTest = pageTests(
  Effect.gen(function* () {
    const upstream = yield* startUpstream
    const port = String(yield* closedPort)
    const start = startProgram({ ...upstream.env, DATA_DIR: yield* temporaryFolder, LISTEN_PORT: port })
    const scope = yield* Effect.scope
    return { ...(yield* start), again: () => Effect.runPromise(Scope.extend(start, scope)) }
  })
)

describe("a server that is gone", () => {
  goneTest(
    "is told of, and what it did meanwhile is there once it is back",
    async ({ expect, open, page }, stage) => {
      const { again, kill, url } = stage
      const say = async (content: string) => {
        const body = JSON.stringify({ model: "percept/inspect", messages: [{ role: "user", content }] })
        const headers = { "content-type": "application/json" }
        const response = await fetch(`${url}/v1/chat/completions`, { method: "POST", headers, body })
        return response.headers.get("x-request-id") ?? ""
      }
      const first = await say("one")
      await open("/ui/tracking?tail=1")
      await settled(page, 1)
      await soon(async () => assert.match(await saidOf(page), /live/))
      const second = await say("two")
      await soon(async () => assert.deepStrictEqual(await rowsOf(page), [second, first]))
      const banner = page.getByRole("alert").filter({ hasText: "cannot be reached" })
      expect(/net::ERR_(CONNECTION_|EMPTY_RESPONSE|INCOMPLETE_CHUNKED)/)
      kill("SIGKILL")
      await banner.waitFor()
      assert.match(await saidOf(page), /connection lost/)
      assert.deepStrictEqual(await rowsOf(page), [second, first])
      await again()
      const third = await say("three")
      await soon(async () => assert.strictEqual(await banner.count(), 0), 20)
      await soon(async () => assert.deepStrictEqual(await rowsOf(page), [third, second, first]))
      const fourth = await say("four")
      await soon(async () => assert.deepStrictEqual(await rowsOf(page), [fourth, third, second, first]))
    }
  )
})

/** A server that asks who is there. */
const lockedTest = pageTests(
  startRouter({ UI_USERNAME: "ada", UI_PASSWORD: "höchst geheim", API_KEYS: "a-good-key-of-some-length" })
)

describe("a server with a lock", () => {
  lockedTest(
    "lets in who has the password or a key, and nobody else",
    async ({ expect, open, page }, { url }) => {
      const headers = {
        authorization: "Bearer a-good-key-of-some-length",
        "content-type": "application/json"
      }
      const messages = [{ role: "user", content: "a secret" }]
      const body = JSON.stringify({ model: "percept/inspect", messages })
      await fetch(`${url}/v1/chat/completions`, { method: "POST", headers, body })
      expect(/status of 401/)
      await open()
      const form = page.locator("percept-sign-in form")
      const enter = async (name: string, secret: string) => {
        await form.locator("[name=username]").fill(name)
        await form.locator("[name=password]").fill(secret)
        await form.getByRole("button").click()
      }
      await form.waitFor()
      await enter("ada", "wrong")
      await form.getByRole("alert").waitFor()
      assert.notInclude(await page.content(), "a secret")
      await enter("ada", "höchst geheim")
      await settled(page, 1)
      assert.include(await page.locator("percept-table tbody").innerText(), "a secret")
      await soon(async () => assert.match(await saidOf(page), /live/))
      await page.reload()
      await settled(page, 1)
      await page.getByRole("button", { name: "Sign out" }).click()
      await form.waitFor()
      assert.strictEqual(await page.locator("percept-table").count(), 0)
      await page.reload()
      await form.waitFor()
      await enter("", "a-good-key-of-some-length")
      await settled(page, 1)
      const other = await page.context().newPage()
      await other.goto(`${url}/ui/tracking`)
      await other.locator("percept-sign-in form").waitFor()
    }
  )
})
