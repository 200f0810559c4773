import { assert, describe } from "@effect/vitest"
import { Effect } from "effect"
import { execFile } from "node:child_process"
import { readFileSync } from "node:fs"
import { promisify } from "node:util"
import type { Page } from "playwright-core"
import { pageTests, settled, soon } from "../../support/Browser.ts"
import { clipFolder } from "../../support/Clips.ts"
import { status } from "../../support/MediaHost.ts"
import { startPage } from "../../support/MediaPage.ts"
import { asked, calls, film, lastAsked, makeClips } from "../../support/Senses.ts"
import { completion, json } from "../../support/Upstream.ts"

const run = promisify(execFile)

/** Nothing of it may ever be more than text. */
const HOSTILE = {
  image: `<img src=x onerror="window.taken = 'image'">`,
  script: `</script><script>window.taken = "script"</script>`,
  turned: "\u202Edrowkcab\u202C \u2067שלום\u2069",
  braces: "${window.taken = 'template'} {{7*7}} javascript:alert(1)"
}

const SAID = [
  { start: 0.2, end: 2.4, text: " Good morning, everyone." },
  { start: 4.1, end: 5.6, text: ` ${HOSTILE.image}` },
  { start: 7.2, end: 9, text: " And that is all." }
]

/** A server with eyes and ears that has seen a film of three scenes twice, and another one whose title is hostile. */
const test = pageTests(
  Effect.gen(function* () {
    const senses = yield* startPage({ MEDIA_POLICY: "describe", LOG_BODY_KB: "16384" })
    const { ask, host, upstream } = senses
    const words = JSON.stringify({ language: "en", segments: SAID })
    host.behave("/asr", status(200, { "content-type": "application/json" }, words))
    const clips = yield* makeClips({
      "titled.mp4": [...film(2).slice(0, -1), `title=${HOSTILE.image}${HOSTILE.turned}`]
    })
    const spoken = host.serve("/spoken.mp4", readFileSync(`${clipFolder}/spoken.mp4`)).href
    const titled = host.serve("/titled.mp4", clips["titled.mp4"]).href
    const say = (content: unknown, model = "test/eyes", body: object = {}) =>
      Effect.runPromise(ask(model, content, { body })).then(
        ({ headers }) => headers.get("x-request-id") ?? ""
      )
    const ids = [
      yield* Effect.promise(() => say(`What happens in ${spoken} ?`, "test/blind")),
      yield* Effect.promise(() => say(`And who speaks in ${spoken} ?`)),
      yield* Effect.promise(() => say(`What is this: ${titled} ?`))
    ]
    return { ...senses, url: senses.router.url, upstream, say, ids, spoken, titled }
  })
)

const drawer = (page: Page) => page.locator("percept-drawer")
const section = (page: Page, name: string) =>
  drawer(page)
    .locator("section")
    .filter({ has: page.getByRole("heading", { name: new RegExp(`^\\s*${name}`) }) })

/** So many pictures are there at least, and none is broken; each comes when it is looked at. */
const pictures = async (page: Page, within: string, least: number) => {
  const all = await soon(async () => {
    const found = await page.locator(within).locator("percept-picture").all()
    assert.isAtLeast(found.length, least)
    return found
  })
  for (const one of all) {
    await one.scrollIntoViewIfNeeded()
    const image = one.locator("img")
    await image.waitFor()
    await soon(async () =>
      assert.isAbove(
        await image.evaluate((image) => (image instanceof HTMLImageElement ? image.naturalWidth : 0)),
        10
      )
    )
  }
}

describe("a video in a request", () => {
  test("is shown as it was seen and heard, and how long that took", async ({ open, page }, {
    ids,
    spoken
  }) => {
    await open(`/ui/tracking?sel=${ids[0]}`)
    const media = section(page, "Media")
    await media.locator(".moment").first().waitFor()
    await pictures(page, "percept-drawer section .moment", 3)
    const moments = await media
      .locator(".moment")
      .evaluateAll((all) => all.map((one) => one.textContent ?? ""))
    const places = SAID.map(({ text }) =>
      moments.findIndex((moment) => plainly(moment).includes(text.trim()))
    )
    assert.isAtLeast(places[0] ?? -1, 0)
    assert.isBelow(places[0] ?? 0, places[1] ?? 0)
    assert.isBelow(places[1] ?? 0, places[2] ?? 0)
    const alts = await media
      .locator("percept-picture img")
      .evaluateAll((all) => all.map((one) => one.getAttribute("alt")))
    for (const alt of alts) assert.match(alt ?? "", /^Picture at \d+:\d\d$/)
    assert.include(await media.textContent(), "A striped test card.")
    assert.include(await media.textContent(), spoken)
    assert.match((await media.textContent()) ?? "", /\d pictures, 3 of about 3 shots/)
    assert.include(await media.getByText("[00:0").first().textContent(), "Good morning")

    const bars = await drawer(page)
      .locator(".waterfall tr")
      .evaluateAll((lines) =>
        lines.map((line) => ({
          name: line.querySelector("th")?.textContent.trim() ?? "",
          time: line.querySelector("td:last-child")?.textContent ?? "",
          x: Number.parseFloat(line.querySelector("rect")?.getAttribute("x") ?? "0"),
          width: Number.parseFloat(line.querySelector("rect")?.getAttribute("width") ?? "0")
        }))
      )
    const names = bars.map(({ name }) => name)
    for (const name of ["media", "fetch", "look", "listen", "describe", "provider", "all of it"])
      assert.include(names, name)
    for (const { name, width, x } of bars) assert.isAtMost(x + width, 101, name)
    const whole = bars.at(-1)?.time ?? "nothing"
    assert.include(await drawer(page).locator("dl").first().textContent(), whole)
    assert.isAtLeast(await section(page, "Side calls").locator("tr").count(), 4)
    assert.match((await section(page, "Side calls").textContent()) ?? "", /\$0\.000/)

    await open(`/ui/tracking?sel=${ids[1]}`)
    await media.getByText("remembered").waitFor()
    await pictures(page, "percept-drawer section .moment", 3)
  })

  test(
    "is sent once more as a command that is copied",
    async ({ open, page }, { say, upstream }) => {
      const content = `It's "quoted", $HOME \`id\` \\ and\nnew ${HOSTILE.image} 🍐`
      const id = await say(content)
      await open(`/ui/tracking/${id}`)
      await drawer(page).getByRole("button", { name: "Copy as cURL" }).click()
      await page.getByText(/^Copied/).waitFor()
      const command = await page.evaluate(() => navigator.clipboard.readText())
      assert.include(command, "$API_KEY")
      const before = upstream.received.length
      const env = { PATH: process.env["PATH"], API_KEY: "any" }
      const { stdout } = await run("sh", ["-c", command], { env })
      assert.include(stdout, "Hello from upstream.")
      assert.strictEqual(upstream.received.length, before + 1)
      assert.strictEqual(lastAsked({ upstream }), JSON.stringify(asked({ upstream }).at(-2)))
      for (const name of ["Copy id", "Copy link"] as const) {
        await drawer(page).getByRole("button", { name }).click()
        await soon(async () => assert.include(await page.evaluate(() => navigator.clipboard.readText()), id))
      }
    },
    { permissions: ["clipboard-read", "clipboard-write"] }
  )
})

describe("the view of all media", () => {
  test("shows each medium, who had it, and looks again or forgets", async ({
    address,
    open,
    page
  }, stage) => {
    const { host, ids } = stage
    await open("/ui/tracking")
    await settled(page)
    await page.getByRole("link", { name: "Media" }).click()
    await soon(() => assert.strictEqual(address(), "/ui/tracking?view=media"))
    const cards = page.locator("percept-media .card")
    await soon(async () => assert.strictEqual(await cards.count(), 2))
    await pictures(page, "percept-media .card", 2)
    const spoken = cards.filter({ hasText: "spoken.mp4" })
    assert.match((await spoken.textContent()) ?? "", /2 requests/)
    assert.include(await spoken.textContent(), "Good morning")
    const search = page.getByRole("searchbox", { name: "Search media" })
    await search.fill("good morning")
    await soon(async () => assert.strictEqual(await cards.count(), 1))
    await search.fill("spoken.mp4")
    await soon(async () => assert.strictEqual(await cards.count(), 1))
    await page.getByRole("combobox", { name: "Kind" }).selectOption("audio")
    await page.getByText("Nothing in the memory matches.").waitFor()
    await page.getByRole("combobox", { name: "Kind" }).selectOption("video")
    await spoken.click()
    await soon(() => assert.include(address(), "medium="))
    const media = page.locator("percept-media")
    await media.locator(".moment").first().waitFor()
    await pictures(page, "percept-media .moment", 3)
    const uses = media.locator("table tr a")
    assert.strictEqual(await uses.count(), 2)
    await uses.last().click()
    await soon(() => assert.include(address(), `sel=${ids[0]}`))
    await drawer(page).locator("h2").waitFor()
    await page.goBack()
    await media.locator(".moment").first().waitFor()

    const before = calls({ host }, "/spoken.mp4")
    await media.getByRole("button", { name: /^Look again/ }).click()
    await page.getByRole("dialog").getByRole("button", { name: "Look again" }).click()
    await soon(() => assert.isAbove(calls({ host }, "/spoken.mp4"), before))
    await soon(async () => {
      const answer = await fetch(`${stage.url}/ui/media_data?q=spoken.mp4`)
      const { items } = (await answer.json()) as { readonly items: ReadonlyArray<{ readonly hits: number }> }
      assert.strictEqual(items.length, 1)
    })
    await media.getByRole("button", { name: /^Forget/ }).click()
    await page.keyboard.press("Escape")
    await page.getByRole("dialog").waitFor({ state: "hidden" })
    await media.getByRole("button", { name: /^Forget/ }).click()
    await page.getByRole("dialog").getByRole("button", { name: "Forget" }).click()
    await page.getByText("It is forgotten.").waitFor()
    await soon(() => assert.notInclude(address(), "medium="))
    await soon(async () => assert.strictEqual(await spoken.count(), 0))
  })
})

describe("what is hostile", () => {
  const taken = (page: Page) => page.evaluate(() => Reflect.get(window, "taken"))

  test("stays text in every place of the page", async ({ expect, open, page }, { ids, say, upstream }) => {
    const all = Object.values(HOSTILE).join("\n")
    upstream.once(completion(all, { model: HOSTILE.image }))
    const answered = await say(all, "test/eyes", { user: all, metadata: { [HOSTILE.image]: HOSTILE.script } })
    upstream.once(json(400, { error: { message: all, code: 400 } }))
    const failed = await say(`${HOSTILE.image} fails`, "test/eyes")
    const unknown = await say(HOSTILE.script, HOSTILE.image)
    await open()
    await settled(page)
    const texts = await page.locator("percept-table tbody").innerText()
    for (const text of [HOSTILE.image, HOSTILE.script]) assert.include(texts, text)
    expect(/^$/)
    for (const id of [answered, failed, unknown, ids[2] ?? ""]) {
      await open(`/ui/tracking?sel=${id}`)
      await drawer(page).locator("dl").first().waitFor()
      for (const summary of await drawer(page).locator("details:not([open]) > summary").all())
        await summary.click()
      await soon(async () => assert.include(await drawer(page).evaluate(deepText), "onerror"))
      assert.isUndefined(await taken(page))
    }
    await open("/ui/tracking?view=media")
    await page.locator("percept-media .card").first().waitFor()
    assert.include(await page.locator("percept-media").evaluate(deepText), "onerror")
    await page.locator("percept-media .card").filter({ hasText: "drowkcab" }).click()
    await page.locator("percept-media .moment").first().waitFor()
    assert.isUndefined(await taken(page))
    assert.strictEqual(await page.locator("percept-app").locator("[onerror], script").count(), 0)
  })

  test("does not break the tree of what was asked", async ({ open, page }, { router }) => {
    const body =
      `{"model": "test/eyes", "__proto__": {"polluted": true}, "constructor": {"prototype": {"polluted": true}},` +
      ` "metadata": {"half": "\\ud83c and \\udf50", "hasOwnProperty": 1, "toString": null},` +
      ` "messages": [{"role": "user", "content": "half \\ud83c a pear"}]}`
    const post = (text: string) =>
      Effect.runPromise(router.post(text)).then(({ headers }) => headers.get("x-request-id") ?? "")
    const id = await post(body)
    await open(`/ui/tracking?sel=${id}`)
    const raw = drawer(page)
      .locator("details")
      .filter({ has: page.getByText("Raw request") })
      .first()
    await raw.locator("summary").first().click()
    const opened = async (name: string) => raw.locator("summary", { hasText: name }).last().click()
    await raw.locator(".tree").waitFor()
    await opened("request")
    await raw.getByText("__proto__").waitFor()
    await opened("__proto__")
    await raw.getByText("polluted").waitFor()
    assert.isFalse(await page.evaluate(() => "polluted" in {}))
    await soon(async () => assert.include(await drawer(page).evaluate(deepText), "a pear"))

    const many = Array.from({ length: 60_000 }, (__, at) => ({ at, text: "x".repeat(70) }))
    const large = await post(
      JSON.stringify({ model: "test/eyes", messages: [{ role: "user", content: "large" }], metadata: many })
    )
    await open(`/ui/tracking?sel=${large}`)
    await raw.locator("summary").first().click()
    await raw.getByRole("button", { name: "Show all of it" }).click()
    await raw.locator(".tree").waitFor()
    await opened("request")
    await raw.getByText("metadata").waitFor()
    await opened("metadata")
    await soon(async () => assert.isAbove(await raw.locator("li").count(), 5))
    assert.isBelow(await raw.locator("li").count(), 2000)
  })
})

/** Words of a medium have no angle brackets that a model could take for marks. */
const plainly = (text: string): string => text.replaceAll("‹", "<").replaceAll("›", ">")

/** All text that is there, shown or not. */
const deepText = (element: Element): string => {
  const texts: Array<string> = []
  const walk = (node: Node): void => {
    if (node instanceof Text) texts.push(node.data)
    if (!(node instanceof HTMLStyleElement)) node.childNodes.forEach(walk)
  }
  walk(element)
  return texts.join(" ")
}
