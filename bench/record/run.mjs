/** Asks a record of a million rows what its page asks, and looks whether chats wait while it does. */
import { appendFileSync, closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs"
import os from "node:os"
import path from "node:path"
import { parseArgs } from "node:util"
import {
  cpuMicros,
  freePort,
  loadCore,
  pinThisProcess,
  start,
  stop,
  targetCore,
  untilReady
} from "../gateway/process.mjs"
import { clientKey, targets } from "../gateway/targets.mjs"
import { ask, askForEver, pace, percentile } from "./ask.mjs"
import { kinds } from "./questions.mjs"
import { seed } from "./seed.mjs"

const upstreamFile = path.join(import.meta.dirname, "../gateway/upstream.mjs")
const chat = { key: clientKey, model: "bench/d0", perSecond: 100 }
const latencyGoal = 1.5

/** A record that is never tidied up while it is measured. */
const settings = { MAX_LOG_AGE_DAYS: "36500", ROLLUP_MAX_AGE_DAYS: "36500", DB_MAX_MB: "0" }

const readOptions = () => {
  const { values } = parseArgs({
    options: {
      rows: { type: "string", default: "1000000" },
      rounds: { type: "string", default: "10" },
      seconds: { type: "string", default: "8" },
      pairs: { type: "string", default: "5" },
      folder: { type: "string" }
    }
  })
  const { folder, ...numbers } = values
  return { folder, ...inNumbers(numbers) }
}

const inNumbers = (values) =>
  Object.fromEntries(
    Object.entries(values).map(([name, text]) => {
      const number = Number(text)
      if (Number.isInteger(number) && number > 0 && number <= 10_000_000) return [name, number]
      console.error(`--${name}: a whole number, not ${text}`)
      process.exit(2)
    })
  )

const startPercept = async (folder, upstream, output) => {
  const port = await freePort()
  const { command, env } = targets.percept.start({ port, upstream, folder })
  const child = start(command, { core: targetCore, env: { ...env, ...settings }, cwd: folder, output })
  await untilReady(child, port)
  return { child, port }
}

const startUpstream = async () => {
  const port = await freePort()
  const env = { PATH: process.env.PATH, PORT: String(port), MODELS: chat.model }
  const child = start([process.execPath, upstreamFile], { core: loadCore, env })
  await untilReady(child, port)
  return { child, url: `http://127.0.0.1:${port}` }
}

const word = (isMet) => (isMet ? "met" : "MISSED")
const shown = (millis) => millis.toFixed(1).padStart(7)

/** One kind of question after the other, alone on the machine; the first answer of each is shown apart. */
const measureQuestions = async ({ child, port }, rounds, write) => {
  console.log("\nquestion                 first ms  p50 ms  p95 ms  max ms  CPU ms  goal p95")
  const missing = []
  for (const { goal, name, paths } of kinds) {
    const first = await ask({ key: clientKey, paths, port, rounds: 1 })
    const before = cpuMicros(child.pid)
    const { failures, slowest, times } = await ask({ key: clientKey, paths, port, rounds })
    const cpu = (cpuMicros(child.pid) - before) / 1000 / times.length
    const [p50, p95, most] = [0.5, 0.95, 1].map((share) => percentile(times, share))
    write({ cell: name, first: percentile(first.times, 0.5), p50, p95, max: most, cpu, goal, slowest })
    console.log(
      `${name.padEnd(24)}  ${[percentile(first.times, 0.5), p50, p95, most, cpu].map(shown).join(" ")}` +
        `  ${goal} ${word(p95 <= goal)}${p95 <= goal ? "" : ` (slowest: ${slowest.path})`}`
    )
    missing.push(...failures.values())
  }
  for (const message of missing) console.log(`not answered: ${message}`)
  if (missing.length > 0) process.exitCode = 1
}

/** Chats without and with questions beside them, by turns. */
const measureChats = async (port, { pairs, seconds }, write) => {
  await pace({ ...chat, port, seconds: 5 })
  const ratios = []
  console.log(`\n${chat.perSecond} chats a second, ms      p50     p99     p50     p99   x p99   answers`)
  for (let pair = 1; pair <= pairs; pair++) {
    const run = async (isAsked) => {
      const finish = isAsked ? askForEver({ key: clientKey, kinds, port }) : async () => 0
      const times = await pace({ ...chat, port, seconds })
      return { p50: percentile(times, 0.5), p99: percentile(times, 0.99), answers: await finish() }
    }
    const first = await run(pair % 2 === 0)
    const second = await run(pair % 2 === 1)
    const [alone, beside] = pair % 2 === 0 ? [second, first] : [first, second]
    ratios.push(beside.p99 / alone.p99)
    write({ cell: "chats", pair, alone, beside })
    console.log(
      `alone, then beside        ${shown(alone.p50)} ${shown(alone.p99)} ${shown(beside.p50)} ${shown(beside.p99)}` +
        ` ${shown(beside.p99 / alone.p99)}   ${beside.answers}`
    )
  }
  const ratio = percentile(ratios, 0.5)
  console.log(
    `p99 beside questions: ${ratio.toFixed(2)}x of alone (median of ${pairs}), goal ${latencyGoal} ${word(ratio <= latencyGoal)}`
  )
}

const main = async () => {
  const options = readOptions()
  process.on("SIGINT", () => process.exit(130))
  process.on("SIGTERM", () => process.exit(143))
  pinThisProcess()

  const folder = path.resolve(options.folder ?? mkdtempSync(path.join(os.tmpdir(), "percept-bench-")))
  const removeFolder = () => {
    if (options.folder === undefined) rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  }
  process.on("exit", removeFolder)
  const run = new Date().toISOString()
  const results = path.join(import.meta.dirname, "../results")
  mkdirSync(results, { recursive: true })
  const write = (row) =>
    appendFileSync(
      path.join(results, `${run.slice(0, 10)}.jsonl`),
      JSON.stringify({ bench: "record", run, node: process.version, rows: options.rows, ...row }) + "\n"
    )
  const outputFile = path.join(folder, "output.log")
  const output = openSync(outputFile, "a")
  const upstream = await startUpstream()
  let percept
  try {
    if (options.folder === undefined) {
      percept = await startPercept(folder, upstream.url, output)
      await stop(percept.child)
      const log = (text) => console.log(`seeding, ${text}`)
      seed(path.join(folder, "percept.db"), { rows: options.rows, log })
    }
    percept = await startPercept(folder, upstream.url, output)
    await measureQuestions(percept, options.rounds, write)
    await measureChats(percept.port, options, write)
  } catch (error) {
    console.error(`${error.message}\n${readFileSync(outputFile, "utf8").slice(-2000)}`)
    process.exitCode = 1
  } finally {
    if (percept !== undefined) await stop(percept.child)
    await stop(upstream.child)
    closeSync(output)
    removeFolder()
  }
}

await main()
