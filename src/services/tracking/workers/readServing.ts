import { readlinkSync } from "node:fs"
import { getPriority, setPriority } from "node:os"
import { parentPort, workerData } from "node:worker_threads"
import { READY } from "./readMessages.ts"
import type { ReadAnswer, ReaderOptions, ReadRequest } from "./readMessages.ts"

/** What every reading thread does with the requests it is sent. */
export const serve = (
  open: (options: ReaderOptions) => (request: ReadRequest) => Promise<ReadAnswer>
): void => {
  yieldToOthers()
  const answered = open(workerData as ReaderOptions)
  parentPort?.on("message", async (request: ReadRequest) => {
    const answer = await answered(request)
    parentPort?.postMessage(answer, "answer" in answer ? [answer.answer.bytes.buffer] : [])
  })
  parentPort?.postMessage(READY, [])
}

/** Where the system can tell threads apart, requests go before reads: this one yields to all others. */
const yieldToOthers = (): void => {
  try {
    const thread = Number(readlinkSync("/proc/thread-self").split("/").at(-1))
    setPriority(thread, Math.min(getPriority() + 10, LOWEST))
  } catch {
    // Then all are alike.
  }
}

const LOWEST = 19
