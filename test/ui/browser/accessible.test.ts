import { assert, describe } from "@effect/vitest"
import { Effect } from "effect"
import { readFileSync } from "node:fs"
import type { Page } from "playwright-core"
import { pageTests, settled, soon, violations } from "../../support/Browser.ts"
import type { Visit } from "../../support/Browser.ts"
import { clipFolder } from "../../support/Clips.ts"
import { status } from "../../support/MediaHost.ts"
import { startPage } from "../../support/MediaPage.ts"
import { startRouter } from "../../support/Router.ts"
import { seededRecord } from "../../support/SeededRecord.ts"
import { byHand, json } from "../../support/Upstream.ts"

/** A server with a past, with a video, a failure, and a request that is under way. */
const startBusy = Effect.gen(function* () {
  const senses = yield* startPage({ ...(yield* seededRecord(150)), MEDIA_POLICY: "describe" })
  const { ask, host, router, upstream } = senses
  const words = JSON.stringify({ language: "en", segments: [{ start: 0.2, end: 6, text: " Good morning." }] })
  host.behave("/asr", status(200, { "content-type": "application/json" }, words))
  const film = host.serve("/spoken.mp4", readFileSync(`${clipFolder}/spoken.mp4`)).href
  const video = yield* ask("test/blind", `What happens in ${film} ?`)
  upstream.once(json(429, { error: { message: "Slow down.", code: 429 } }))
  const failed = yield* ask("test/eyes", "This fails.")
  const coming = yield* Effect.fork(byHand(upstream))
  yield* Effect.forkScoped(ask("test/eyes", "This takes its time."))
  yield* coming
  const idOf = ({ headers }: typeof video) => headers.get("x-request-id") ?? ""
  return { url: router.url, video: idOf(video), failed: idOf(failed) }
})

type Busy = Effect.Effect.Success<typeof startBusy>

const [busyTest, emptyTest, lockedTest] = [
  pageTests(startBusy),
  pageTests(startRouter({})),
  pageTests(startRouter({ API_KEYS: "a-good-key-of-some-length" }))
]

/** Whether everything there is to look at is there. */
type State = (visit: Visit, stage: Busy) => Promise<unknown>

const inBothThemes = async (page: Page) => {
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme })
    // Colours change within a millisecond here, which takes a picture or two.
    for (let frames = 0; frames < 3; frames++)
      await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(resolve)))
    assert.deepStrictEqual(await violations(page), [], colorScheme)
  }
}

const drawer = (page: Page) => page.locator("percept-drawer")

const STATES: Readonly<Record<string, State>> = {
  "the list, with a request under way": async ({ open, page }) => {
    await open()
    await settled(page, 50)
    await page.locator("percept-charts .legend .s0").waitFor()
    await page.locator("percept-ongoing li").waitFor()
  },
  "the list of failures, with their kinds and numbers": async ({ open, page }) => {
    await open("/ui/tracking?state=failed&rows=dense&cols=time,status,endpoint,prompt,cost")
    await settled(page)
    await page.locator("percept-error-groups summary").click()
    await page.locator("percept-error-list li").first().waitFor()
    await page.getByText("Numbers as a table").click()
    await page.locator("percept-data-table tbody tr").first().waitFor()
  },
  "a list that is empty": async ({ open, page }) => {
    await open("/ui/tracking?model=nobody")
    await page.getByText("No request matches").waitFor()
  },
  menus: async ({ open, page }) => {
    await open()
    await settled(page, 50)
    await page.getByRole("button", { name: "Columns" }).click()
    await soon(async () => assert.isAbove(await page.locator("#columns label:visible").count(), 9))
  },
  "the help": async ({ open, page }) => {
    await open()
    await settled(page, 50)
    await page.keyboard.press("?")
    await page.getByRole("dialog", { name: "Keys" }).waitFor()
  },
  "a video's request beside the list": async ({ open, page }, { video }) => {
    await open(`/ui/tracking?sel=${video}`)
    await settled(page, 50)
    await drawer(page).locator(".moment percept-picture").first().scrollIntoViewIfNeeded()
    await drawer(page).locator(".moment img").first().waitFor()
    await drawer(page).locator("summary", { hasText: "Raw request" }).click()
    await drawer(page).locator(".tree").waitFor()
  },
  "a failure alone": async ({ open, page }, { failed }) => {
    await open(`/ui/tracking/${failed}`)
    await drawer(page).locator(".error").waitFor()
    assert.include(await drawer(page).locator(".error").textContent(), "Slow down.")
  },
  "the media": async ({ open, page }) => {
    await open("/ui/tracking?view=media")
    await page.locator("percept-media .card img").waitFor()
  },
  "one medium": async ({ open, page }) => {
    await open("/ui/tracking?view=media")
    await page.locator("percept-media .card").click()
    await page.locator("percept-media .moment img").first().waitFor()
    await page.getByRole("button", { name: /^Forget/ }).click()
    await page.getByRole("dialog").waitFor()
  },
  "a narrow list": async ({ open, page }) => {
    await page.setViewportSize({ width: 390, height: 800 })
    await open()
    await settled(page, 50)
  }
}

describe("nothing stands in anybody's way", () => {
  for (const [name, state] of Object.entries(STATES))
    busyTest(`in ${name}`, async (visit, stage) => {
      await state(visit, stage)
      await inBothThemes(visit.page)
    })

  emptyTest("on a server that is new", async ({ open, page }) => {
    await open()
    await page.locator("percept-first-run pre").waitFor()
    await inBothThemes(page)
  })

  lockedTest("before a lock", async ({ expect, open, page }) => {
    expect(/status of 401/)
    await open()
    await page.locator("percept-sign-in form").waitFor()
    await inBothThemes(page)
  })
})

describe("those who watch the page", () => {
  emptyTest("see what is not accessible", async ({ open, page }) => {
    await open()
    await page.locator("percept-first-run pre").waitFor()
    await page.locator("percept-first-run").evaluate((element) => {
      element.append(document.createElement("button"))
    })
    assert.deepStrictEqual(
      (await violations(page)).map(({ id }) => id),
      ["button-name"]
    )
  })

  emptyTest(
    "hear of what the policy forbids, of errors, and of calls elsewhere",
    async ({ faults, open, page }) => {
      const caught = (pattern: RegExp) =>
        soon(() => {
          assert.match(faults.join("\n"), pattern)
          faults.length = 0
        })
      await open()
      await page.locator("percept-first-run pre").waitFor()
      await page.evaluate(() => document.body.setAttribute("style", "color: red"))
      await caught(/inline style violates/)
      assert.isTrue(
        await page.evaluate(() => {
          try {
            document.body.innerHTML = "<b>bold</b>"
            return false
          } catch {
            return true
          }
        })
      )
      await caught(/TrustedHTML/)
      await page.evaluate(() => fetch("http://127.0.0.1:9/").catch(() => {}))
      await caught(/violates|asked http:\/\/127.0.0.1:9/)
      await page.evaluate(() => setTimeout(() => Promise.reject(new Error("planted"))))
      await caught(/thrown: Error: planted/)
      await page.evaluate(() => console.info("a word"))
      await caught(/info: a word/)
      await page.evaluate(() => alert("taken"))
      await caught(/dialog: taken/)
    }
  )
})
