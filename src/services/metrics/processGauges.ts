import { monitorEventLoopDelay, performance } from "node:perf_hooks"
import type { IntervalHistogram } from "node:perf_hooks"
import { version } from "../version.ts"
import { ASKED } from "./families.ts"
import type { Collected, Family } from "./Registry.ts"

/** What the process says of itself. The event loop is watched from the first question on, since that is not for nothing. */
export const makeProcessGauges = () => {
  let delays: IntervalHistogram | undefined
  let since = 0

  const loopDelays = (): ReadonlyArray<Collected> => {
    if (delays === undefined) {
      delays = monitorEventLoopDelay({ resolution: RESOLUTION })
      delays.enable()
      since = performance.now()
    }
    // What it measures holds its own pause.
    const delayed = (nanos: number) => Math.max(0, nanos / 1e9 - RESOLUTION / 1000) || 0
    const isEmpty = delays.count === 0
    const found = [
      one(ASKED.delayMedian, isEmpty ? 0 : delayed(delays.percentile(50))),
      one(ASKED.delayHigh, isEmpty ? 0 : delayed(delays.percentile(99))),
      one(ASKED.delayMost, isEmpty ? 0 : delayed(delays.max))
    ]
    if (performance.now() - since > WINDOW) {
      delays.reset()
      since = performance.now()
    }
    return found
  }

  const collect = (): ReadonlyArray<Collected> => {
    const { system, user } = process.cpuUsage()
    const { external, heapUsed, rss } = process.memoryUsage()
    return [
      ...loopDelays(),
      one(ASKED.loopBusy, performance.eventLoopUtilization().active / 1000),
      one(ASKED.cpu, (system + user) / 1e6),
      one(ASKED.memory, rss),
      one(ASKED.started, performance.timeOrigin / 1000),
      one(ASKED.heap, heapUsed),
      one(ASKED.external, external),
      { family: ASKED.build, series: [{ labels: [version, process.version], value: 1 }] }
    ]
  }

  return { collect, close: () => delays?.disable() }
}

/** A family of a single number. */
export const one = (family: Family, value: number): Collected => ({ family, series: [{ labels: [], value }] })

/** Milliseconds between two looks at the loop. */
const RESOLUTION = 50

/** Milliseconds after which a question starts a new count; two scrapers may see parts of each other's. */
const WINDOW = 10_000
