/** Starts and stops the processes of a run, each pinned to a core, and reads from /proc what they used. */
import { spawn, spawnSync } from "node:child_process"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import http from "node:http"
import net from "node:net"
import os from "node:os"
import { setTimeout as sleep } from "node:timers/promises"

export const loadCore = 0
export const targetCore = 1

const startLimitMs = 30_000
const stopLimitMs = 15_000
const sampleMs = 200
const quietSamples = 6
const quietShare = 0.01
const settleLimitMs = 20_000

export const canPin = os.availableParallelism() > 1 && spawnSync("taskset", ["--version"]).error === undefined

const running = new Set()
process.on("exit", () => running.forEach((child) => child.kill("SIGKILL")))

export const pinThisProcess = () => {
  if (canPin) spawnSync("taskset", ["-a", "-c", "-p", String(loadCore), String(process.pid)])
}

/** taskset replaces itself with the command, so the pid of the child is the pid of the command. */
export const start = (command, { core, env, cwd, output = "ignore" }) => {
  const [file, ...args] = canPin ? ["taskset", "-c", String(core), ...command] : command
  const child = spawn(file, args, { cwd, env, stdio: ["ignore", output, output] })
  running.add(child)
  child.on("error", () => {})
  child.once("exit", () => running.delete(child))
  return child
}

const hasExited = (child) => child.exitCode !== null || child.signalCode !== null

/** Asks the process to end; ends it the hard way when it does not within the limit. */
export const stop = async (child) => {
  if (child.pid === undefined || hasExited(child)) return
  const exit = new Promise((resolve) => child.once("exit", resolve))
  child.kill("SIGTERM")
  const impatient = setTimeout(() => child.kill("SIGKILL"), stopLimitMs)
  await exit
  clearTimeout(impatient)
}

export const freePort = () =>
  new Promise((resolve, reject) => {
    const server = net.createServer()
    server.once("error", reject)
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })

const answers200 = (port) =>
  new Promise((resolve) => {
    const request = http.get({ port, host: "127.0.0.1", path: "/healthz", agent: false, timeout: 2000 })
    request.on("timeout", () => request.destroy())
    request.on("error", () => resolve(false))
    request.on("response", (response) => {
      response.resume()
      resolve(response.statusCode === 200)
    })
  })

/** Milliseconds from now until GET /healthz first answers 200. */
export const untilReady = async (child, port) => {
  const began = performance.now()
  while (performance.now() - began < startLimitMs && !hasExited(child) && child.pid !== undefined) {
    if (await answers200(port)) return performance.now() - began
    await sleep(5)
  }
  throw new Error("it did not become ready")
}

const readProc = (path) => {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return ""
  }
}

/** `/proc/<pid>/schedstat` counts the main thread alone, so every thread is read. */
export const hasCpuClock = existsSync("/proc/self/schedstat")
/** CPU time that all threads of a process have used. */
export const cpuMicros = (pid) =>
  readdirSync(`/proc/${pid}/task`)
    .map((thread) => Number(readProc(`/proc/${pid}/task/${thread}/schedstat`).split(" ", 1)[0]) / 1000)
    .reduce((sum, micros) => sum + micros, 0)

/**
 * CPU time the process has used, in microseconds, read once it has stood still for a while: what it put off
 * until after the last answer, such as writing its record in batches, is then part of the reading.
 */
export const settledCpuMicros = async (pid) => {
  const deadline = performance.now() + settleLimitMs
  let last = cpuMicros(pid)
  let quiet = 0
  while (quiet < quietSamples && performance.now() < deadline) {
    await sleep(sampleMs)
    const now = cpuMicros(pid)
    quiet = now - last < sampleMs * 1000 * quietShare ? quiet + 1 : 0
    last = now
  }
  return last
}

export const rssMb = (pid) => Number(/VmRSS:\s+(\d+)/.exec(readProc(`/proc/${pid}/status`))?.[1] ?? 0) / 1024
