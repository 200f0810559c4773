import { assert, describe } from "@effect/vitest"
import type { Page } from "playwright-core"
import { pageTests, rowsOf, settled, soon } from "../../support/Browser.ts"
import { rowOf } from "../../support/Rows.ts"
import { startSeeded } from "../../support/SeededRecord.ts"

/** Clocks of Berlin were put back an hour between these two. */
const NIGHT = ["2026-10-25T00:30:00.000Z", "2026-10-25T01:30:00.000Z"]

const test = pageTests(
  startSeeded(
    400,
    { MAX_LOG_AGE_DAYS: "36500" },
    NIGHT.map((timestamp, at) => rowOf(`req_night_${at}`, { timestamp }))
  )
)

/** The row that has the focus. */
const focused = (page: Page): Promise<string | null> =>
  page.evaluate(() => document.activeElement?.closest("tr")?.getAttribute("data-id") ?? null)

const drawer = (page: Page) => page.locator("percept-drawer")
const heading = (page: Page) => drawer(page).locator("h2")
const parameters = (address: string) => new URLSearchParams(address.split("?")[1])

describe("the page by keys", () => {
  test("is walked, opened and closed without a mouse", async ({ address, open, page }) => {
    await open()
    const rows = await settled(page)
    const at = (place: number) => soon(async () => assert.strictEqual(await focused(page), rows[place]))
    const opened = (place: number) =>
      soon(async () => {
        assert.strictEqual(parameters(address()).get("sel"), rows[place])
        assert.include(await heading(page).textContent(), rows[place] ?? "no row")
      })
    await page.keyboard.press("j")
    await at(0)
    await page.keyboard.press("ArrowDown")
    await at(1)
    await page.keyboard.press("j")
    await at(2)
    await page.keyboard.press("k")
    await at(1)
    await page.keyboard.press("Alt+j")
    await at(1)
    await page.keyboard.press("Enter")
    await opened(1)
    await page.keyboard.press("j")
    await opened(2)
    await page.keyboard.press("j")
    await opened(3)
    await page.keyboard.press("k")
    await opened(2)
    await page.keyboard.press("Escape")
    await soon(() => assert.strictEqual(address(), "/ui/tracking"))
    await at(2)
    assert.strictEqual(await drawer(page).count(), 0)
  })

  test("is searched, turned and explained without a mouse", async ({ address, open, page }) => {
    await open()
    const first = await settled(page, 50)
    await page.keyboard.press("]")
    await soon(() => assert.include(address(), "cursor="))
    await soon(async () => assert.notDeepEqual(await settled(page, 50), first))
    await page.keyboard.press("[")
    await soon(async () => assert.deepStrictEqual(await rowsOf(page), first))
    await page.keyboard.press("/")
    await page.keyboard.type("jlr?[")
    await soon(() => assert.strictEqual(parameters(address()).get("q"), "jlr?["))
    assert.isNull(parameters(address()).get("tail"))
    await page.keyboard.press("Escape")
    const help = page.getByRole("dialog", { name: "Keys" })
    await page.keyboard.press("?")
    await help.waitFor()
    await page.keyboard.press("l")
    assert.isNull(parameters(address()).get("tail"))
    await page.keyboard.press("Escape")
    await help.waitFor({ state: "hidden" })
    await page.keyboard.press("l")
    await soon(() => assert.strictEqual(parameters(address()).get("tail"), "1"))
    const asked = page.waitForRequest(/tracking_data/)
    await page.keyboard.press("r")
    await asked
  })

  test("lets its head be skipped", async ({ open, page }) => {
    await open()
    await settled(page)
    await page.keyboard.press("Tab")
    const skip = page.getByRole("button", { name: "Skip to the list" })
    assert.isTrue(await skip.evaluate((button) => button.matches(":focus")))
    await page.keyboard.press("Enter")
    await soon(async () =>
      assert.isTrue(await page.locator("main").evaluate((main) => main.matches(":focus")))
    )
  })
})

describe("an address of the page", () => {
  test("opens the request it names, beside the list or alone", async ({ address, expect, open, page }) => {
    await open()
    const [, id = ""] = await settled(page)
    await open(`/ui/tracking?range=7d&sel=${id}`)
    await soon(async () => assert.include(await heading(page).textContent(), id))
    await settled(page)
    assert.strictEqual(await page.locator("tr[aria-current=true]").getAttribute("data-id"), id)
    await open(`/ui/tracking/${id}`)
    await soon(async () => assert.include(await heading(page).textContent(), id))
    assert.strictEqual(await page.locator("percept-table").count(), 0)
    await drawer(page)
      .getByRole("button", { name: /^Close/ })
      .click()
    await soon(() => assert.strictEqual(address(), "/ui/tracking"))
    await settled(page)
    expect(/status of 404/)
    await open("/ui/tracking/req_nobody")
    await drawer(page).getByRole("alert").waitFor()
    assert.include(await heading(page).textContent(), "req_nobody")
  })
})

describe("a request that failed", () => {
  for (const [source, whom, advice] of [
    ["upstream", "by the provider", /later|route/],
    ["client", "by the client", /message says why|\/v1\/models/],
    ["router", "by the router", /own fault/]
  ] as const)
    test(`through the ${source} says so, and what to do`, async ({ open, page }) => {
      await open(`/ui/tracking?range=all&state=failed&source=${source}`)
      await settled(page)
      const row = page.locator("percept-table tbody tr").first()
      assert.include(await row.textContent(), source)
      const message = ((await row.locator(".error").textContent()) ?? "").replace(source, "").trim()
      assert.isAbove(message.length, 10)
      await row.locator(".status").click()
      const card = drawer(page).locator(".error")
      await card.waitFor()
      const text = (await card.textContent()) ?? ""
      assert.include(text, message)
      assert.include(text, whom)
      assert.match(text, /[45]\d\d failed/)
      assert.match(text, advice)
      assert.notMatch(await drawer(page).locator("dl").first().innerText(), /undefined|null|NaN/)
    })
})

describe("figures of the page", () => {
  test("are a way to narrow the list", async ({ address, open, page }) => {
    await open()
    await settled(page)
    const legend = page.locator("percept-charts .legend")
    await legend.locator(".s0").waitFor()
    await legend.getByRole("button", { name: "failed" }).click()
    await soon(() => assert.deepStrictEqual(parameters(address()).getAll("state"), ["failed", "interrupted"]))
    await soon(async () => {
      for (const state of await page
        .locator("percept-table tbody tr")
        .evaluateAll((rows) => rows.map((row) => row.className.trim())))
        assert.match(state, /^(failed|interrupted)$/)
    })
    const all = page.waitForResponse(/tracking_series\?range=24h$/)
    await legend.getByRole("button", { name: "failed" }).click()
    await all
    // Read and pressed at once: the models may come in another order with the next answer.
    const title = await legend
      .locator("li button")
      .nth(1)
      .evaluate((model: HTMLElement) => {
        const { title } = model
        model.click()
        return title
      })
    await soon(() => assert.include(title, parameters(address()).get("routed") ?? "no model"))
    await legend.locator("li button[aria-pressed=true]").click()
    await soon(() => assert.strictEqual(address(), "/ui/tracking"))

    const plot = page.locator("percept-plot").first()
    const failed = await soon(async () => {
      const place = await plot.evaluate((element) => {
        const { left, top, width } = element.getBoundingClientRect()
        for (let x = left; x < left + width; x += 2)
          if (document.elementFromPoint(x, top + 90)?.getAttribute("data-mark") === "errors")
            return { x, y: top + 90 }
        return undefined
      })
      assert.isDefined(place)
      return place
    })
    await page.mouse.click(failed?.x ?? 0, failed?.y ?? 0)
    await soon(() => assert.deepStrictEqual(parameters(address()).getAll("state"), ["failed", "interrupted"]))
  })

  test("let a stretch of time be chosen, by pointer and by keys", async ({ address, open, page }) => {
    await open()
    await settled(page)
    await page.locator("percept-charts .legend .s0").waitFor()
    const plot = page.locator("percept-plot").first()
    const box = (await plot.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 }
    const within = async () => {
      const chosen = parameters(address())
      assert.strictEqual(chosen.get("range"), "custom")
      const [from, to] = [chosen.get("from") ?? "", chosen.get("to") ?? ""]
      assert.isBelow(Date.parse(from), Date.parse(to))
      await soon(async () => {
        await settled(page)
        const times = await page
          .locator("percept-table tbody th a")
          .evaluateAll((links) => links.map((link) => link.getAttribute("title") ?? ""))
        for (const time of times) {
          assert.isAtLeast(Date.parse(time), Date.parse(from))
          assert.isBelow(Date.parse(time), Date.parse(to))
        }
      })
      return [Date.parse(from), Date.parse(to)] as const
    }
    await page.mouse.move(box.x + box.width * 0.4, box.y + 40)
    await page.mouse.down()
    await page.mouse.move(box.x + box.width * 0.5, box.y + 50)
    await page.mouse.move(box.x + box.width * 0.7, box.y + 50)
    await page.mouse.up()
    await soon(() => assert.include(address(), "range=custom"))
    const [from, to] = await within()
    assert.isBelow(to - from, 14 * 3_600_000)
    await page.goBack()
    await soon(() => assert.strictEqual(address(), "/ui/tracking"))
    await settled(page)
    await plot.getByRole("slider").focus()
    await page.keyboard.press("ArrowLeft")
    await page.keyboard.press("Shift+ArrowLeft")
    await page.keyboard.press("Shift+ArrowLeft")
    assert.include(await plot.getByRole("slider").getAttribute("aria-valuetext"), "Enter")
    await page.keyboard.press("Enter")
    await soon(() => assert.include(address(), "range=custom"))
    await within()
  })

  test("show nothing under the pointer while nothing is known", async ({ context, open, page }) => {
    await context.route(/tracking_series/, () => {})
    await open()
    await settled(page)
    await page.locator("percept-plot").first().hover()
    await page
      .locator("percept-plot")
      .first()
      .hover({ position: { x: 200, y: 50 } })
    assert.strictEqual(await page.locator("percept-plot .cursor").count(), 0)
    await context.unrouteAll({ behavior: "ignoreErrors" })
  })

  test("add up to what the list has, as numbers too", async ({ open, page }) => {
    await open()
    await settled(page)
    const figure = page.locator("percept-summary div", { hasText: "Requests" }).locator(".value")
    const pager = await page.locator(".pager span").textContent()
    await soon(async () => assert.include(pager, ` of ${await figure.textContent()}`))
    await page.getByText("Numbers as a table").click()
    const lines = page.locator("percept-data-table tbody tr")
    await lines.first().waitFor()
    const counts = await lines.evaluateAll((rows) =>
      rows.map((row) => Number(row.querySelector("td")?.textContent))
    )
    assert.strictEqual(String(counts.reduce((sum, count) => sum + count, 0)), await figure.textContent())
  })

  test("put failures of a kind together", async ({ address, open, page }) => {
    await open()
    await settled(page)
    await page.locator("percept-error-groups summary").click()
    const groups = page.locator("percept-error-list button.group")
    await groups.first().waitFor()
    const times = Number(await groups.first().locator(".times").textContent())
    const what = (await groups.first().locator(".what .cut").first().textContent()) ?? ""
    await groups.first().click()
    await soon(async () => {
      assert.strictEqual((await settled(page)).length, times)
      for (const text of await page.locator("percept-table tbody tr .error").allTextContents())
        assert.include(text, what)
    })
    for (const name of ["state", "endpoint", "source", "provider", "status"])
      assert.strictEqual(parameters(address()).getAll(name).length, 1, name)
    await soon(async () => assert.strictEqual(await groups.first().getAttribute("aria-pressed"), "true"))
    const [newest] = await rowsOf(page)
    await page.locator("percept-error-list button:not(.group)").first().click()
    await soon(() => assert.strictEqual(parameters(address()).get("sel"), newest))
  })
})

describe("the look of the page", () => {
  const background = (page: Page) =>
    page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor)
  const [LIGHT, DARK] = ["rgb(251, 251, 250)", "rgb(16, 18, 20)"]

  test(
    "follows the system until another is chosen, which stays and never flashes",
    async ({ context, expect, open, page }) => {
      await open()
      await settled(page)
      assert.strictEqual(await background(page), DARK)
      await page.emulateMedia({ colorScheme: "light" })
      assert.strictEqual(await background(page), LIGHT)
      const button = page.getByRole("button", { name: /^Colours/ })
      await button.click()
      await button.click()
      await soon(async () => assert.strictEqual(await background(page), DARK))
      // What is drawn before the page's own modules are there has its colours as well.
      expect(/ERR_FAILED/)
      await context.route(/assets\/app-/, (route) => route.abort())
      await page.reload()
      assert.strictEqual(await background(page), DARK)
      assert.isFalse(await page.locator("percept-app").evaluate((app) => app.hasChildNodes()))
      await context.unroute(/assets\/app-/)
      await page.reload()
      await settled(page)
      assert.match((await button.getAttribute("aria-label")) ?? "", /dark/)
      await button.click()
      await soon(async () => assert.strictEqual(await background(page), LIGHT))
    },
    { colorScheme: "dark" }
  )

  test("stays plain to see in forced colours, and still where motion is unwanted", async ({ open, page }) => {
    await page.emulateMedia({ forcedColors: "active", reducedMotion: "reduce" })
    await open()
    await settled(page)
    const chosen = page.getByRole("button", { name: "24h", exact: true })
    const colours = await chosen.evaluate((button) => [
      getComputedStyle(button).backgroundColor,
      getComputedStyle(document.body).backgroundColor
    ])
    assert.notStrictEqual(colours[0], colours[1])
    const longest = await page
      .locator("percept-app button")
      .evaluateAll((buttons) =>
        Math.max(
          ...buttons.map((button) => Number.parseFloat(getComputedStyle(button).transitionDuration) * 1000)
        )
      )
    assert.isAtMost(longest, 1)
  })

  test("tells times of this place, or UTC", async ({ address, open, page }) => {
    await open("/ui/tracking?range=custom&from=2026-10-24&to=2026-10-26")
    assert.deepStrictEqual(await settled(page), ["req_night_1", "req_night_0"])
    const links = page.locator("percept-table tbody th a")
    const titles = () => links.evaluateAll((all) => all.map((link) => link.getAttribute("title")))
    const clocks = async () => (await links.allInnerTexts()).map((text) => /\d\d:\d\d/.exec(text)?.[0])
    assert.deepStrictEqual(await titles(), ["2026-10-25T02:30:00.000+01:00", "2026-10-25T02:30:00.000+02:00"])
    assert.deepStrictEqual(await clocks(), ["02:30", "02:30"])
    await page.getByRole("button", { name: /^Times in/ }).click()
    await soon(() => assert.strictEqual(parameters(address()).get("tz"), "utc"))
    assert.deepStrictEqual(await titles(), NIGHT.toReversed())
    assert.deepStrictEqual(await clocks(), ["01:30", "00:30"])
  })

  test("fits any width, with a request and without", async ({ open, page }) => {
    const overflow = () =>
      page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
    await open()
    const [id = ""] = await settled(page)
    for (const path of [
      "/ui/tracking",
      `/ui/tracking?sel=${id}`,
      "/ui/tracking?view=media",
      `/ui/tracking/${id}`
    ]) {
      await open(path)
      if (path.includes(id)) await drawer(page).locator("dl").first().waitFor()
      else if (path.includes("media")) await page.locator("percept-media h2").waitFor()
      else await settled(page)
      // The narrow ones are also what two hundred per cent of larger ones come to.
      for (const width of [2560, 1440, 768, 720, 390, 360]) {
        await page.setViewportSize({ width, height: 800 })
        await soon(async () => assert.strictEqual(await overflow(), 0, `${path} at ${width}`), 2)
      }
    }
  })
})
