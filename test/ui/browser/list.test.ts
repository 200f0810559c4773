import { assert, describe } from "@effect/vitest"
import { Effect } from "effect"
import { readFileSync } from "node:fs"
import type { Page } from "playwright-core"
import { MOST } from "../../../scripts/page.mjs"
import { pageTests, rowsOf, settled, soon } from "../../support/Browser.ts"
import { readCsv } from "../../support/CsvReader.ts"
import type { Row } from "../../support/Router.ts"
import { startSeeded } from "../../support/SeededRecord.ts"
import { startUpstream } from "../../support/Upstream.ts"

const test = pageTests(
  Effect.gen(function* () {
    const upstream = yield* startUpstream
    const router = yield* startSeeded(700, upstream.env)
    const rows = yield* router.rowsNow
    const say = (content: string, model = "test/plain") =>
      Effect.runPromise(router.post({ model, messages: [{ role: "user", content }] }))
    const found = (words: string, count: number) =>
      soon(async () => {
        const answer = await fetch(`${router.url}/ui/tracking_data?q=${encodeURIComponent(words)}`)
        const { total_items } = (await answer.json()) as { readonly total_items: number }
        assert.strictEqual(total_items, count, words)
      })
    return { ...router, say, found, seeded: new Map(rows.map((row) => [row.internal_request_id, row])) }
  })
)

const list = (page: Page) => page.locator("percept-table")
const group = (page: Page, label: string) =>
  page
    .locator(".side > details")
    .filter({ has: page.locator(":scope > summary", { hasText: new RegExp(`^\\s*${label}\\s*\\d*\\s*$`) }) })

/** Opens a group of filters and presses one of its values. */
const press = async (page: Page, label: string, value: string) => {
  const all = group(page, label)
  if (!(await all.evaluate((details) => details.hasAttribute("open"))))
    await all.locator("summary").first().click()
  const line = all.locator("label", { has: page.getByText(value, { exact: true }) }).first()
  if (!(await line.isVisible())) await all.locator(".more > summary").click()
  await line.click()
}

/** How many requests the list says there are. */
const total = async (page: Page): Promise<number> => {
  const text = (await page.locator(".pager span").textContent()) ?? ""
  return Number(/ of (?:more than )?([\d,.]+)/.exec(text)?.[1]?.replaceAll(/\D/g, "") ?? Number.NaN)
}

/** What each filter is called, one of its values, how that stands in the address, and which rows have it. */
const FILTERS: ReadonlyArray<readonly [string, string, string, (row: Row) => boolean]> = [
  ["Status", "4xx", "status=4xx", (row) => String(row.status_code_returned_to_client).startsWith("4")],
  ["Model", "default", "model=default", (row) => row.model_requested_by_client === "default"],
  ["Routed to", "llama3.1:8b", "routed=llama3.1", (row) => row.model_routed_to_openrouter === "llama3.1:8b"],
  ["Media", "image", "media=image", (row) => row.media_type_processed?.split(",").includes("image") === true],
  ["Media memory", "remembered", "cache=hit", (row) => (row.cache_hits ?? 0) > 0],
  ["Error source", "upstream", "source=upstream", (row) => row.error_source === "upstream"],
  ["Outcome", "cancelled", "state=cancelled", (row) => row.state === "cancelled"],
  ["Endpoint", "/api/chat", "endpoint=%2Fapi%2Fchat", (row) => row.endpoint_called === "/api/chat"],
  ["Provider", "ollama", "provider=ollama", (row) => row.provider === "ollama"],
  ["Key", "key_alice", "key=key_alice", (row) => row.key_id === "key_alice"],
  ["Streaming", "in one piece", "stream=false", (row) => row.is_streaming === 0],
  ["Kind", "describe", "kind=describe", (row) => row.kind === "describe"]
]

/** Headers of columns, and what they put in order. */
const SORTS: ReadonlyArray<readonly [string, string, (row: Row) => string | number | null]> = [
  ["Duration", "duration", (row) => row.processing_duration_ms],
  ["Cost", "cost_usd", (row) => row.cost_nano_usd],
  ["In", "prompt_tokens", (row) => row.prompt_tokens],
  ["Out", "completion_tokens", (row) => row.completion_tokens],
  ["Status", "status", (row) => row.status_code_returned_to_client],
  ["Model", "model", (row) => row.model_requested_by_client]
]

describe("the list of the page", () => {
  test("comes small, from one server, with rows of the last day", async ({ open, page }, { seeded }) => {
    await open()
    const rows = await settled(page, 50)
    const [newest] = Array.from(seeded.values())
      .filter(({ kind }) => kind === "main")
      .slice(-1)
    assert.strictEqual(rows[0], newest?.internal_request_id)
    assert.strictEqual(new Set(rows).size, 50)
    assert.isAbove(await total(page), 200)
    assert.isBelow(await total(page), seeded.size)
    const weights = await page.evaluate(() =>
      performance
        .getEntries()
        .flatMap((entry) =>
          entry instanceof PerformanceResourceTiming &&
          !/_data|_live|_stats|_series|_facets|_errors/.test(entry.name)
            ? [entry.encodedBodySize]
            : []
        )
    )
    const first = weights.reduce((sum, bytes) => sum + bytes, 0)
    assert.isAbove(first, 1000)
    assert.isAtMost(first, MOST.first)
    const [text = ""] = await list(page).locator("tbody tr").first().allInnerTexts()
    assert.include(text, newest?.preview ?? "nothing")
  })

  test("narrows by each filter, in its address as well", async ({ address, open, page }, { seeded }) => {
    await open("/ui/tracking?range=all")
    const all = Array.from(seeded.values())
    const main = all.filter(({ kind }) => kind === "main").length
    await soon(async () => assert.isAtLeast(await total(page), main))
    const before = await total(page)
    for (const [label, value, parameter, has] of FILTERS) {
      await press(page, label, value)
      await soon(() => assert.include(address(), parameter))
      const expected = all.filter((row) => has(row) && (label === "Kind" || row.kind === "main"))
      assert.isAbove(expected.length, 0, label)
      if (label !== "Streaming")
        await soon(async () => assert.strictEqual(await total(page), expected.length, label))
      for (const id of await settled(page)) {
        const row = seeded.get(id)
        if (row !== undefined) assert.isTrue(has(row), `${label}: ${id}`)
      }
      await press(page, label, value)
      await soon(() => assert.strictEqual(address(), "/ui/tracking?range=all"))
      await soon(async () => assert.isAtLeast(await total(page), before))
    }
  })

  test("sorts by its headers, and says so", async ({ address, open, page }, { seeded }) => {
    await open("/ui/tracking?range=all&state=done")
    for (const [label, name, read] of SORTS) {
      const header = list(page)
        .locator("th[scope=col]")
        .filter({ hasText: new RegExp(`^\\s*${label}\\s*$`) })
      const way = async (aria: string, sign: 1 | -1) => {
        await header.locator("button").click()
        await soon(async () => assert.strictEqual(await header.getAttribute("aria-sort"), aria, label))
        assert.include(address(), `sort=${name}`)
        await soon(async () => {
          const values = (await settled(page)).flatMap((id) => {
            const row = seeded.get(id)
            return row === undefined ? [] : [read(row) ?? ""]
          })
          assert.isAbove(values.length, 40)
          const inOrder = values.toSorted((one, other) => (one < other ? -sign : one > other ? sign : 0))
          assert.deepStrictEqual(values, inOrder, `${label} ${aria}`)
        })
      }
      const isNumber = ["Duration", "Cost", "In", "Out"].includes(label)
      await way(isNumber ? "descending" : "ascending", isNumber ? -1 : 1)
      await way(isNumber ? "ascending" : "descending", isNumber ? 1 : -1)
      await header.locator("button").click()
      await soon(() => assert.strictEqual(address(), "/ui/tracking?range=all&state=done"))
    }
  })

  test("looks back as far as is chosen, and goes back and forward", async ({ address, open, page }) => {
    await open()
    const seen: Array<readonly [string, ReadonlyArray<string>]> = [[address(), await settled(page)]]
    const note = async (parameter: string) => {
      await soon(() => assert.include(address(), parameter))
      seen.push([address(), await settled(page)])
    }
    const ranges = page.getByRole("group", { name: "Time range" })
    for (const name of ["1h", "7d", "6h"]) {
      await ranges.getByRole("button", { name, exact: true }).click()
      await note(`range=${name}`)
      assert.strictEqual(
        await ranges.getByRole("button", { name, exact: true }).getAttribute("aria-pressed"),
        "true"
      )
    }
    assert.isBelow(seen[1]?.[1].length ?? 0, seen[3]?.[1].length ?? 0)
    await press(page, "Outcome", "failed")
    await note("state=failed")
    await list(page).getByRole("button", { name: "Cost" }).click()
    await note("sort=cost_usd")
    const same = async ([to, rows]: readonly [string, ReadonlyArray<string>]) => {
      await soon(() => assert.strictEqual(address(), to))
      await soon(async () => assert.deepStrictEqual(await rowsOf(page), rows, to))
    }
    for (const step of seen.toReversed().slice(1)) {
      await page.goBack()
      await same(step)
    }
    for (const step of seen.slice(1)) {
      await page.goForward()
      await same(step)
    }
    await page.reload()
    await same(seen.at(-1) ?? ["", []])

    await page.getByRole("button", { name: "Custom" }).click()
    const form = page.locator("#custom form")
    const from = new Date(Date.now() - 20 * 3_600_000)
    const local = (date: Date) =>
      date.toLocaleString("sv-SE", { timeZone: "Europe/Berlin" }).slice(0, 16).replace(" ", "T")
    await form.locator("[name=from]").fill(local(from))
    await form.locator("[name=to]").fill(local(new Date(Date.now() - 3_600_000)))
    await form.getByRole("button").click()
    await soon(() => assert.match(address(), /range=custom&from=[^&]+&to=/))
    assert.include(decodeURIComponent(address()), from.toISOString().slice(0, 16))
  })

  test("finds words with any signs in them", async ({ address, open, page }, { found, say }) => {
    const texts = ["He said \"stop\" and 'go'", "100% of a_b* (c) -d", "a pear 🍐 for Zoë", "ﷺ ق 'x"]
    for (const text of texts) await say(text)
    for (const words of ['"stop"', "100%", "for Zoë"]) await found(words, 1)
    await open("/ui/tracking?range=1h")
    const field = page.getByRole("searchbox", { name: "Search requests" })
    const finds = (words: string, text: string) =>
      soon(async () => {
        assert.strictEqual(new URLSearchParams(address().split("?")[1]).get("q"), words)
        const [row = ""] = await list(page).locator("tbody tr").allInnerTexts()
        assert.include(row, text, words)
        assert.strictEqual(await total(page), 1, words)
      })
    for (const [words, at] of [
      ['"stop"', 0],
      ["'go'", 0],
      ["100%", 1],
      ["%", 1],
      ["a_b*", 1],
      ["(c) -d", 1],
      ["🍐", 2],
      ["🍐 for Zoë", 2],
      ["ق", 3]
    ] as const) {
      await field.fill(words)
      await finds(words, texts[at] ?? "")
    }
    for (const words of ["_ \\ %%", "🦑"]) {
      await field.fill(words)
      await soon(async () => assert.strictEqual(await page.getByText("No request matches").count(), 1, words))
    }
    await page.getByRole("button", { name: "Clear all filters" }).click()
    await soon(() => assert.strictEqual(address(), "/ui/tracking?range=1h"))
    await settled(page)
    assert.strictEqual(await field.inputValue(), "")
  })

  test("is walked page by page while requests come", async ({ address, open, page }, { rowsNow, say }) => {
    await open("/ui/tracking?range=all")
    const pages = [await settled(page, 50)]
    const turn = async (name: "Older" | "Newer", other: ReadonlyArray<string> | undefined) => {
      await say(`Meanwhile, ${name}`)
      await page.getByRole("button", { name }).click()
      return soon(async () => {
        const rows = await settled(page, 50)
        assert.notDeepEqual(rows, other)
        return rows
      })
    }
    for (let at = 0; at < 2; at++) pages.push(await turn("Older", pages.at(-1)))
    assert.include(address(), "cursor=")
    const walked = pages.flat()
    assert.strictEqual(new Set(walked).size, 150)
    const all = (await Effect.runPromise(rowsNow)).filter(({ kind }) => kind === "main").toReversed()
    const start = all.findIndex((row) => row.internal_request_id === walked[0])
    assert.deepStrictEqual(
      walked,
      all.slice(start, start + 150).map((row) => row.internal_request_id)
    )
    assert.deepStrictEqual(await turn("Newer", pages[2]), pages[1])
    assert.deepStrictEqual(await turn("Newer", pages[1]), pages[0])
    await page.goBack()
    await soon(async () => assert.deepStrictEqual(await rowsOf(page), pages[1]))
  })

  test("shows the columns that are wanted, and keeps views under a name", async ({ address, open, page }) => {
    await open()
    await settled(page)
    await page.getByRole("button", { name: "Columns" }).click()
    await page.locator("#columns").getByLabel("Endpoint").click()
    await page.locator("#columns").getByLabel("Dense rows").click()
    await soon(() => assert.match(address(), /cols=[^&]*endpoint.*rows=dense/))
    const heads = () => list(page).locator("th[scope=col]").allInnerTexts()
    await soon(async () => assert.include(await heads(), "Endpoint"))
    const [row] = await list(page).locator("tbody tr").first().allInnerTexts()
    assert.match(row ?? "", /\/v1\/|\/api\//)
    await page.keyboard.press("Escape")
    await press(page, "Outcome", "failed")
    await soon(() => assert.include(address(), "state=failed"))
    const wanted = address()
    await page.getByRole("button", { name: "Views" }).click()
    await page.getByLabel("Name of this view").fill("What broke <b>")
    await page.locator("#views").getByRole("button", { name: "Save" }).click()
    await page.keyboard.press("Escape")
    await open()
    await settled(page, 50)
    assert.notInclude(await heads(), "Endpoint")
    await page.getByRole("button", { name: "Views" }).click()
    await page.locator("#views").getByRole("button", { name: "What broke <b>", exact: true }).click()
    await soon(() => assert.strictEqual(address(), wanted))
    await soon(async () => assert.include(await heads(), "Endpoint"))
  })

  test("saves what matches as a file that no table runs", async ({ open, page }, { found, say }) => {
    await say("export me", '=cmd|"/C calc"!A0')
    await say("export me too")
    await found("export me", 2)
    await open("/ui/tracking?range=1h&q=export+me")
    const ids = await settled(page, 2)
    const save = async (kind: string) => {
      await page.getByRole("button", { name: "Export" }).click()
      const [download] = await Promise.all([
        page.waitForEvent("download"),
        page.locator("#export").getByRole("button", { name: kind }).click()
      ])
      return readFileSync(await download.path(), "utf8")
    }
    const [head = [], ...lines] = readCsv(await save("CSV"))
    const column = (name: string) => lines.map((line) => line[head.indexOf(name)])
    assert.deepStrictEqual(column("internal_request_id"), [...ids])
    assert.deepStrictEqual(column("model_requested_by_client"), ["test/plain", `'=cmd|"/C calc"!A0`])
    const texts = (await save("JSONL")).trim().split("\n")
    assert.deepStrictEqual(
      texts.map((line) => (JSON.parse(line) as Row).internal_request_id),
      [...ids]
    )
  })
})
