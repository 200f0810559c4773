/**
 * What the thinking filter costs a stream that has nothing to take out: the stream's own work in one process, with
 * the filter and without; then two whole routers, one with `STRIP_THINKING=false`, under the same load by turns.
 */
import { build } from "esbuild"
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import path from "node:path"
import { parseArgs } from "node:util"
import { load } from "../gateway/load.mjs"
import {
  freePort,
  hasCpuClock,
  loadCore,
  pinThisProcess,
  settledCpuMicros,
  start,
  stop,
  targetCore,
  untilReady
} from "../gateway/process.mjs"
import { clientKey, targets } from "../gateway/targets.mjs"

const goal = 1.1
const model = "bench/d0-c50-g0"
const root = path.join(import.meta.dirname, "..", "..")
const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "7" },
    seconds: { type: "string", default: "2" },
    routers: { type: "boolean", default: true }
  },
  allowNegative: true
})
const rounds = Math.min(50, Math.max(1, Number(values.rounds)))
const seconds = Math.min(60, Math.max(0.5, Number(values.seconds)))

const median = (numbers) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1]

const report = (name, found, unit, digits) => {
  const of = (way) => median(found.map((row) => row[way])).toFixed(digits)
  const ratios = found.map(({ off, on }) => on / off)
  const [least, most] = [Math.min(...ratios), Math.max(...ratios)].map((ratio) => ratio.toFixed(2))
  const ratio = median(ratios)
  console.log(
    `${name}: off ${of("off")}, on ${of("on")} ${unit} of CPU a chunk: ${ratio.toFixed(3)}x (${least}-${most}), ` +
      `goal ${goal.toFixed(2)}x ${ratio <= goal ? "met" : "MISSED"}`
  )
}

const inOneProcess = async (folder) => {
  const outfile = path.join(folder, "streams.mjs")
  await build({
    absWorkingDir: root,
    entryPoints: ["bench/thinking/streams.ts"],
    outfile,
    bundle: true,
    platform: "node",
    target: "node20",
    format: "esm",
    logLevel: "error"
  })
  for (const [name, batches, each] of [
    ["one chunk a read", 400, 1],
    ["eight chunks a read", 100, 8]
  ]) {
    const { status, stderr, stdout } = spawnSync(
      process.execPath,
      [outfile, batches, each, rounds * 5].map(String),
      {
        encoding: "utf8"
      }
    )
    if (status !== 0) throw new Error(stderr.slice(-800))
    report(`relay and record, ${name}`, JSON.parse(stdout), "ns", 0)
  }
}

const startRouter = async (folder, upstream, settings) => {
  const port = await freePort()
  const { command, env } = targets.percept.start({ port, upstream, folder })
  const child = start(command, { core: targetCore, env: { ...env, ...settings }, cwd: folder })
  await untilReady(child, port)
  return { child, port }
}

/** CPU microseconds a chunk of whole streams takes. */
const cpuPerChunk = async ({ child, port }, seconds) => {
  const before = await settledCpuMicros(child.pid)
  const { broken, chunks, errors } = await load({
    ...{ port, key: clientKey, model, connections: 32, seconds, stream: true }
  })
  if (chunks === 0 || broken + errors > 0) throw new Error(`${broken + errors} answers were bad`)
  return ((await settledCpuMicros(child.pid)) - before) / chunks
}

const wholeRouters = async (folder) => {
  pinThisProcess()
  const children = []
  try {
    const port = await freePort()
    const upstream = start([process.execPath, path.join(root, "bench/gateway/upstream.mjs")], {
      core: loadCore,
      env: { PATH: process.env.PATH, PORT: String(port), MODELS: model }
    })
    children.push(upstream)
    await untilReady(upstream, port)
    const routers = {}
    for (const [way, flag] of [
      ["on", "true"],
      ["off", "false"]
    ]) {
      const own = mkdtempSync(path.join(folder, `${way}-`))
      routers[way] = await startRouter(own, `http://127.0.0.1:${port}`, { STRIP_THINKING: flag })
      children.push(routers[way].child)
      await cpuPerChunk(routers[way], 4)
    }
    const found = []
    for (let round = 0; round < rounds; round++) {
      const row = {}
      for (const way of round % 2 === 0 ? ["on", "off"] : ["off", "on"])
        row[way] = await cpuPerChunk(routers[way], seconds)
      found.push(row)
    }
    report("whole router", found, "us", 2)
  } finally {
    await Promise.all(children.map(stop))
  }
}

const folder = mkdtempSync(path.join(tmpdir(), "percept-bench-"))
process.on("exit", () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }))
process.on("SIGINT", () => process.exit(130))
process.on("SIGTERM", () => process.exit(143))

await inOneProcess(folder)
if (!values.routers) process.exit(0)
if (hasCpuClock) await wholeRouters(folder)
else
  console.log(
    "whole routers are left out: their CPU is read from /proc/<pid>/task/*/schedstat, so it needs Linux"
  )
