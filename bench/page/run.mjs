/** What the page costs: until rows are seen, while much happens, and in Lighthouse's eyes. */
import { execFileSync, spawnSync } from "node:child_process"
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import os from "node:os"
import path from "node:path"
import { parseArgs } from "node:util"
import { ask, chromePath, seedFolder, startBrowser, startRouter, startServer } from "./stage.mjs"

const LIGHTHOUSE = "lighthouse@12.8.2"
const GOALS = {
  rowsMs: 600,
  frameMs: 17,
  heapMb: 4,
  performance: { desktop: 98, mobile: 95 },
  accessibility: 100
}

const { values: flags } = parseArgs({
  options: {
    rows: { type: "string", default: "1000000" },
    rounds: { type: "string", default: "7" },
    seconds: { type: "string", default: "60" },
    forms: { type: "string", default: "desktop,mobile" },
    only: { type: "string", default: "rows,live,lighthouse" },
    folder: { type: "string" }
  }
})
const wanted = new Set(flags.only.split(","))

const percentile = (numbers, share) => {
  const sorted = numbers.toSorted((one, other) => one - other)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]
}
const word = (isMet) => (isMet ? "met" : "MISSED")

const run = new Date().toISOString()
const results = path.join(import.meta.dirname, "../results")
const write = (row) => {
  mkdirSync(results, { recursive: true })
  appendFileSync(
    path.join(results, `${run.slice(0, 10)}.jsonl`),
    JSON.stringify({ bench: "page", run, node: process.version, load: os.loadavg()[0], ...row }) + "\n"
  )
}

/** From the start of a visit until rows are on the screen, each time with an empty cache. */
const measureRows = async (browser, url) => {
  const times = []
  for (let round = 0; round <= Number(flags.rounds); round++) {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 } })
    const page = await context.newPage()
    await page.addInitScript(() => {
      const look = () => {
        if (!document.querySelector("percept-table tbody tr")) return requestAnimationFrame(look)
        // Drawn by the next picture.
        requestAnimationFrame(() => (window.rowsAt = performance.now()))
      }
      requestAnimationFrame(look)
    })
    await page.goto(`${url}/ui/tracking`)
    await page.locator("percept-table tbody tr").nth(49).waitFor()
    while ((await page.evaluate(() => window.rowsAt)) === undefined);
    // The first visit warms the server.
    if (round > 0) times.push(await page.evaluate(() => window.rowsAt))
    await context.close()
  }
  const median = percentile(times, 0.5)
  write({ cell: "rows", rows: Number(flags.rows), times })
  console.log(
    `rows seen after ${Math.round(median)} ms (${times.map(Math.round).join(", ")}), goal ${GOALS.rowsMs} ${word(median <= GOALS.rowsMs)}`
  )
}

/** Requests come and go at a steady pace while the page shows each as it ends. */
const measureLive = async (browser, url) => {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } })
  await page.goto(`${url}/ui/tracking?tail=1`)
  await page.locator("percept-table tbody tr").first().waitFor()
  const cdp = await page.context().newCDPSession(page)
  const heap = async () => {
    await cdp.send("HeapProfiler.collectGarbage")
    return (await cdp.send("Runtime.getHeapUsage")).usedSize / 1e6
  }
  const events = countEvents(url)
  const stopPace = pace(
    () => ask(url, "bench/quick", "Something short.").then((response) => response.text()),
    110
  )
  await new Promise((resolve) => setTimeout(resolve, 10_000))
  const before = await heap()
  events.start()
  await page.evaluate(() => {
    window.frames_ = []
    window.long_ = []
    new PerformanceObserver((list) =>
      window.long_.push(...list.getEntries().map(({ duration }) => duration))
    ).observe({
      entryTypes: ["longtask"]
    })
    let last
    const tick = (now) => {
      if (last !== undefined) window.frames_.push(now - last)
      last = now
      window.timer_ = requestAnimationFrame(tick)
    }
    requestAnimationFrame(tick)
  })
  await new Promise((resolve) => setTimeout(resolve, Number(flags.seconds) * 1000))
  const { frames, long } = await page.evaluate(() => {
    cancelAnimationFrame(window.timer_)
    return { frames: window.frames_, long: window.long_ }
  })
  const perSecond = events.stop() / Number(flags.seconds)
  stopPace()
  const after = await heap()
  const [p50, p95, most] = [0.5, 0.95, 1].map((share) => percentile(frames, share))
  const growth = after - before
  write({
    cell: "live",
    perSecond,
    p50,
    p95,
    most,
    long: long.length,
    longest: Math.max(0, ...long),
    before,
    after
  })
  console.log(
    `${perSecond.toFixed(0)} events a second for ${flags.seconds} s: frames p50 ${p50.toFixed(1)} ms, p95 ${p95.toFixed(1)} ms, ` +
      `goal ${GOALS.frameMs} ${word(p95 <= GOALS.frameMs)}; longest ${most.toFixed(0)} ms, ${long.length} tasks over 50 ms; ` +
      `heap ${before.toFixed(1)} to ${after.toFixed(1)} MB ${word(growth <= GOALS.heapMb)}`
  )
  await page.close()
}

/** Does something so often a second, however long it takes. */
const pace = (act, perSecond) => {
  const timer = setInterval(() => void act().catch(() => {}), 1000 / perSecond)
  return () => clearInterval(timer)
}

/** How much the server tells whoever listens. */
const countEvents = (url) => {
  const own = new AbortController()
  let count = 0
  void fetch(`${url}/ui/tracking_live`, { signal: own.signal })
    .then(async ({ body }) => {
      for await (const piece of body)
        count +=
          Buffer.from(piece)
            .toString("latin1")
            .match(/^event: (?:stage|done)/gm)?.length ?? 0
    })
    .catch(() => {})
  return {
    start: () => (count = 0),
    stop: () => {
      own.abort()
      return count
    }
  }
}

/** Medians of three, with the program that everybody measures with; it is fetched for this alone. */
const measureLighthouse = (url, folder) => {
  const prefix = path.join(folder, "lighthouse")
  if (!existsSync(prefix)) {
    mkdirSync(prefix)
    execFileSync("npm", ["install", "--no-save", "--no-audit", "--no-fund", "--prefix", prefix, LIGHTHOUSE], {
      stdio: "ignore"
    })
  }
  for (const form of flags.forms.split(",")) {
    const rounds = Array.from({ length: 3 }, (_, round) => {
      const file = path.join(folder, `lighthouse-${form}-${round}.json`)
      visit(prefix, url, form, file)
      const { audits, categories } = JSON.parse(readFileSync(file, "utf8"))
      const scoreOf = (name) => Math.round(categories[name].score * 100)
      const missed = Object.values(audits).filter(
        ({ score, scoreDisplayMode }) => score === 0 && scoreDisplayMode === "binary"
      )
      return {
        performance: scoreOf("performance"),
        accessibility: scoreOf("accessibility"),
        practices: scoreOf("best-practices"),
        shift: audits["cumulative-layout-shift"].numericValue,
        missed: missed.map(({ id }) => id)
      }
    })
    const median = (name) =>
      percentile(
        rounds.map((round) => round[name]),
        0.5
      )
    const goal = GOALS.performance[form]
    write({ cell: `lighthouse ${form}`, rounds })
    console.log(
      `Lighthouse ${form}: performance ${median("performance")} (${rounds.map((round) => round.performance).join(", ")}), goal ${goal} ${word(median("performance") >= goal)}; ` +
        `accessibility ${median("accessibility")}, goal ${GOALS.accessibility} ${word(median("accessibility") >= GOALS.accessibility)}; ` +
        `best practices ${median("practices")}; layout shift ${median("shift").toFixed(3)}; ${rounds[0].missed.join(", ")}`
    )
  }
}

/** One visit; now and then a browser is not quick enough for it, and it is to be run again, as it says itself. */
const visit = (prefix, url, form, file, tries = 3) => {
  const { status } = spawnSync(
    process.execPath,
    [
      path.join(prefix, "node_modules/lighthouse/cli/index.js"),
      `${url}/ui/tracking`,
      ...(form === "desktop" ? ["--preset=desktop"] : []),
      ...["--quiet", "--output=json", `--output-path=${file}`],
      "--only-categories=performance,accessibility,best-practices",
      "--chrome-flags=--headless=new --no-sandbox"
    ],
    { env: { ...process.env, CHROME_PATH: chromePath() }, stdio: "ignore" }
  )
  if (status === 0) return
  if (tries === 1) throw new Error(`Lighthouse cannot visit ${url}`)
  visit(prefix, url, form, file, tries - 1)
}

const answerAtOnce = (request, response) => {
  const usage = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15, cost: 0.0001 }
  const message = { role: "assistant", content: "Short." }
  response.writeHead(200, { "content-type": "application/json" }).end(
    request.url.startsWith("/v1/models")
      ? JSON.stringify({ data: [{ id: "bench/quick", name: "quick", created: 1 }] })
      : JSON.stringify({
          id: "gen-1",
          model: "bench/quick",
          choices: [{ index: 0, message, finish_reason: "stop" }],
          usage
        })
  )
}

const main = async () => {
  process.on("SIGINT", () => process.exit(130))
  process.on("SIGTERM", () => process.exit(143))
  const folder = path.resolve(flags.folder ?? mkdtempSync(path.join(os.tmpdir(), "percept-bench-")))
  process.on("exit", () => {
    if (flags.folder === undefined) rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  })
  const data = path.join(folder, "data")
  if (!existsSync(data))
    await seedFolder(data, { rows: Number(flags.rows), log: (text) => console.log(`seeding, ${text}`) })
  const provider = await startServer(answerAtOnce)
  const router = await startRouter(data, {
    OPENROUTER_API_KEY: "sk-or-bench",
    OPENROUTER_API_URL: `${provider.url}/v1/chat/completions`,
    OPENROUTER_MODELS_API_URL: `${provider.url}/v1/models`
  })
  const browser = await startBrowser()
  try {
    if (wanted.has("rows")) await measureRows(browser, router.url)
    if (wanted.has("live")) await measureLive(browser, router.url)
    if (wanted.has("lighthouse")) measureLighthouse(router.url, folder)
  } finally {
    await browser.close()
    await router.stop()
    provider.stop()
  }
}

await main()
