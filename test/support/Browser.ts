import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import type { Scope } from "effect"
import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { chromium } from "playwright-core"
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core"
import { findChromium, hasBrowser } from "./BrowserPrograms.ts"
import { shared } from "./Shared.ts"

/** A page in a browser's own window: nothing it does is known to another one. */
export interface Visit {
  readonly page: Page
  readonly context: BrowserContext
  /** Opens an address of the stage. */
  readonly open: (path?: string) => Promise<void>
  /** What stands in the address bar, without the server. */
  readonly address: () => string
  /** Such a message of the browser is no fault. */
  readonly expect: (message: RegExp) => void
  /** What a page must not do: say anything, throw, ask anybody else. */
  readonly faults: Array<string>
}

export interface Stage {
  readonly url: string
}

/** A test on a stage that all tests of a file share, each in a window of its own. */
export const pageTests = <A extends Stage>(make: Effect.Effect<A, never, Scope.Scope>) => {
  const browser = (opened ??= shared(startBrowser))
  const ready = Effect.all({ browser, stage: shared(make) }, { concurrency: 2 })
  return (
    name: string,
    run: (visit: Visit, stage: A) => Promise<void>,
    options: BrowserContextOptions = {}
  ): void =>
    it.skipIf(!hasBrowser)(name, { timeout: LONGEST }, async () => {
      const { browser, stage } = await Effect.runPromise(ready)
      const context = await browser.newContext({ ...USUAL, ...options })
      try {
        const visit = await visitOf(context, stage)
        await run(visit, stage)
        assert.strictEqual(visit.faults.join("\n"), "")
      } finally {
        await context.close()
      }
    })
}

/** One for all tests of a file. */
let opened: Effect.Effect<Browser> | undefined

const startBrowser: Effect.Effect<Browser, never, Scope.Scope> = Effect.acquireRelease(
  Effect.promise(async () => {
    const executablePath = findChromium()
    if (executablePath === undefined) throw new Error("There is no Chromium: apt-get install -y chromium")
    return chromium.launch({ executablePath, args: ["--disable-dev-shm-usage"] })
  }),
  (browser) => Effect.promise(() => browser.close())
)

const visitOf = async (context: BrowserContext, { url }: Stage): Promise<Visit> => {
  const faults: Array<string> = []
  const expected: Array<RegExp> = []
  const fault = (text: string) => {
    if (!expected.some((pattern) => pattern.test(text))) faults.push(text)
  }
  context.on("console", (message) => fault(`${message.type()}: ${message.text()}`))
  context.on("weberror", (error) => fault(`thrown: ${error.error().stack}`))
  context.on("dialog", (dialog) => {
    fault(`dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  context.on("request", (request) => {
    const asked = request.url()
    if (!asked.startsWith(`${url}/`) && !asked.startsWith(`blob:${url}/`)) fault(`asked ${asked}`)
  })
  context.setDefaultTimeout(PATIENCE)
  const page = await context.newPage()
  return {
    page,
    context,
    faults,
    open: async (path = "/ui/tracking") => void (await page.goto(url + path)),
    address: () => page.url().slice(url.length),
    expect: (message) => void expected.push(message)
  }
}

/** Looks again until all is as said; what never comes fails as it was seen last. */
export const soon = async <A>(look: () => A | Promise<A>, seconds = PATIENCE / 1000): Promise<A> => {
  const deadline = performance.now() + seconds * 1000
  for (;;) {
    try {
      return await look()
    } catch (cause) {
      if (performance.now() > deadline) throw cause
      await new Promise((resolve) => setTimeout(resolve, 25))
    }
  }
}

/** The ids of the rows that the list shows, from above. */
export const rowsOf = (page: Page): Promise<ReadonlyArray<string>> =>
  page
    .locator("percept-table tbody tr")
    .evaluateAll((rows) => rows.map((row) => row.getAttribute("data-id") ?? ""))

/** The rows, once there are some and the list is not about to change. */
export const settled = async (page: Page, count?: number): Promise<ReadonlyArray<string>> =>
  soon(async () => {
    const { isBusy, rows } = await page.locator("percept-table").evaluate((list) => ({
      isBusy: list.matches("[aria-busy=true]"),
      rows: [...list.querySelectorAll("tbody tr")].map((row) => row.getAttribute("data-id") ?? "")
    }))
    assert.isFalse(isBusy, "the list is busy")
    if (count === undefined) assert.isAbove(rows.length, 0, "no rows")
    else assert.strictEqual(rows.length, count)
    return rows
  })

export interface Violation {
  readonly id: string
  readonly nodes: ReadonlyArray<string>
}

/** What axe finds; it comes in by the debugger's door, so that the page's policy stays as it is. */
export const violations = async (page: Page): Promise<ReadonlyArray<Violation>> => {
  const session = await page.context().newCDPSession(page)
  const run = async (expression: string) => {
    const { exceptionDetails, result } = await session.send("Runtime.evaluate", {
      expression,
      awaitPromise: true,
      returnByValue: true
    })
    if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails))
    return result.value
  }
  await run(AXE)
  const found: ReadonlyArray<Violation> = await run(
    `axe.run(document, ${JSON.stringify(RULES)}).then(({ violations }) => violations.map(({ id, nodes }) =>
      ({ id, nodes: nodes.map(({ failureSummary, html }) => html.slice(0, 200) + " " + failureSummary) })))`
  )
  await session.detach()
  return found
}

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8")

const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"]
const RULES = { runOnly: { type: "tag", values: TAGS }, resultTypes: ["violations"], preload: false }

/** Milliseconds; machines that run tests are busy. */
const LONGEST = 90_000
const PATIENCE = 20_000

const USUAL: BrowserContextOptions = {
  viewport: { width: 1440, height: 900 },
  locale: "en-GB",
  timezoneId: "Europe/Berlin",
  reducedMotion: "reduce"
}
