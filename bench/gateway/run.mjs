/** Compares Percept passing requests through with a raw Node proxy: CPU per request and per chunk. */
import { appendFileSync, closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs"
import os from "node:os"
import path from "node:path"
import { load } from "./load.mjs"
import { allCells, fail, readOptions } from "./options.mjs"
import {
  canPin,
  freePort,
  hasCpuClock,
  loadCore,
  pinThisProcess,
  rssMb,
  settledCpuMicros,
  start,
  stop,
  targetCore,
  untilReady
} from "./process.mjs"
import { report } from "./report.mjs"
import { clientKey, recordedAnswers, targets } from "./targets.mjs"

const warmUpSeconds = 4

const startUpstream = async () => {
  const port = await freePort()
  const models = [...new Set(allCells.map((cell) => cell.model))].join()
  const child = start([process.execPath, path.join(import.meta.dirname, "upstream.mjs")], {
    core: loadCore,
    env: { PATH: process.env.PATH, PORT: String(port), MODELS: models }
  })
  await untilReady(child, port)
  return { child, url: `http://127.0.0.1:${port}` }
}

const warmUp = async (port, cells) => {
  const kinds = [cells.find((cell) => !cell.stream), cells.find((cell) => cell.stream)].filter(Boolean)
  let complete = 0
  for (const { stream } of kinds) {
    const model = stream ? "bench/d0-c50-g0" : "bench/d0"
    const warm = { port, key: clientKey, connections: 32, seconds: warmUpSeconds }
    complete += (await load({ ...warm, model, stream })).complete
  }
  return complete
}

const measure = async (child, port, cell, seconds) => {
  const before = await settledCpuMicros(child.pid)
  const result = await load({ port, key: clientKey, seconds, ...cell })
  const cpu = (await settledCpuMicros(child.pid)) - before
  const units = cell.stream ? result.chunks : result.complete
  return {
    ...result,
    cpuMicros: cpu,
    cpuPerRequest: cpu / result.complete,
    cpuPerUnit: cpu / units,
    rssMb: rssMb(child.pid)
  }
}

/** Takes a fresh process of a target through all cells; writes a row for each and one for the process. */
const runTarget = async (name, round, { cells, seconds }, upstream, write) => {
  const folder = mkdtempSync(path.join(os.tmpdir(), "percept-bench-"))
  const outputFile = path.join(folder, "output.log")
  const output = openSync(outputFile, "a")
  const removeFolder = () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  process.on("exit", removeFolder)
  let child
  try {
    const port = await freePort()
    const { command, env } = targets[name].start({ port, upstream, folder })
    child = start(command, { core: targetCore, env, cwd: folder, output })
    const readyMs = await untilReady(child, port)
    let complete = await warmUp(port, cells)
    for (const cell of cells) {
      const row = await measure(child, port, cell, seconds)
      complete += row.complete
      write({ target: name, round, cell: cell.name, ...row })
    }
    const rss = rssMb(child.pid)
    await stop(child)
    const { recordFile } = targets[name]
    const recorded = recordFile ? await recordedAnswers(path.join(folder, recordFile)) : undefined
    write({ target: name, round, cell: "process", readyMs, rssMb: rss, complete, recorded })
    if (recorded !== undefined)
      console.log(
        `round ${round}: ${name}: ${complete} complete answers, ${recorded} recorded as done:` +
          ` ${recorded === complete ? "equal" : "NOT EQUAL"}`
      )
  } catch (error) {
    throw new Error(`${error.message}\n${readFileSync(outputFile, "utf8").slice(-2000)}`, { cause: error })
  } finally {
    if (child !== undefined) await stop(child)
    closeSync(output)
    removeFolder()
    process.off("exit", removeFolder)
  }
}

const resultsFile = (now) => {
  const folder = path.join(import.meta.dirname, "../results")
  mkdirSync(folder, { recursive: true })
  return path.join(folder, `${now.slice(0, 10)}.jsonl`)
}

const main = async () => {
  const options = readOptions()
  if (!hasCpuClock) fail("this bench reads CPU time from /proc/<pid>/task/*/schedstat, so it needs Linux")
  process.on("SIGINT", () => process.exit(130))
  process.on("SIGTERM", () => process.exit(143))

  pinThisProcess()
  const run = new Date().toISOString()
  const file = resultsFile(run)
  const rows = []
  const write = (row) => {
    rows.push(row)
    appendFileSync(file, JSON.stringify({ bench: "gateway", run, node: process.version, ...row }) + "\n")
  }

  const { targetNames, cells, rounds } = options
  const failed = []
  const upstream = await startUpstream()
  try {
    for (let round = 1; round <= rounds; round++) {
      const order = round % 2 === 1 ? targetNames : targetNames.toReversed()
      for (const name of order) {
        console.log(`round ${round} of ${rounds}: ${name}`)
        await runTarget(name, round, options, upstream.url, write).catch((error) => {
          failed.push(name)
          console.error(`round ${round}: ${name}: ${error.message}`)
        })
      }
    }
  } finally {
    await stop(upstream.child)
  }

  const pinning = canPin
    ? `target on core ${targetCore}, load and upstream on core ${loadCore}`
    : "not pinned"
  console.log(`\nNode ${process.version}, ${os.cpus()[0]?.model ?? "unknown CPU"}, ${pinning}\n`)
  console.log(report(rows, cells, targetNames))

  const faulty = rows.some((row) => row.errors > 0 || row.broken > 0)
  const unrecorded = rows.some((row) => row.recorded !== undefined && row.recorded !== row.complete)
  process.exitCode = faulty || unrecorded || failed.length > 0 ? 1 : 0
}

await main()
