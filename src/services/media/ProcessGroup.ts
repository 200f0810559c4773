import { constants } from "node:os"
import type { Readable, Writable } from "node:stream"
import { setTimeout as delay } from "node:timers/promises"

/** What is needed of a program that leads a process group. */
export interface Leader {
  readonly stdin: Writable | null
  readonly stdout: Readable
  readonly stderr: Readable
  once(event: "exit", listener: (code: number | null, signal: NodeJS.Signals | null) => void): unknown
}

export interface Ending {
  readonly exitCode: number | undefined
  readonly signal: string | undefined
  /** It was ended because its time was over. */
  readonly late: boolean
}

/** A started program with all it started itself: they end together. */
export interface ProcessGroup {
  readonly pid: number
  readonly stdin: Writable | null
  readonly stdout: Readable
  /** What has been kept of its stderr so far. */
  readonly stderr: () => string
  /** To all of it at once; nothing once the program is gone. */
  readonly kill: (signal: NodeJS.Signals) => void
  /** Asks it to end, and after a grace makes it. */
  readonly end: (why?: "late") => Promise<void>
  readonly ended: Promise<Ending>
}

export const processGroup = (pid: number, leader: Leader, alive: Set<ProcessGroup>): ProcessGroup => {
  const { stderr, stdin, stdout } = leader
  const kept = firstAndLast(STDERR_HALF)
  let late = false

  // A pipe that breaks is no news: the program's end is.
  for (const pipe of [stdin, stdout, stderr]) pipe?.on("error", () => {})
  stdout.pause()
  stderr.on("data", kept.add)
  const stderrRead = new Promise<void>((resolve) => stderr.once("close", resolve))

  const exited = new Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>(
    (resolve) => {
      leader.once("exit", (code, signal) => {
        // The last moment the group's number is surely its own, and what the program left behind is still in it.
        group.kill("SIGKILL")
        alive.delete(group)
        resolve({ code, signal })
      })
    }
  )

  const kill = (signal: NodeJS.Signals) => {
    if (!alive.has(group)) return
    try {
      process.kill(-pid, signal)
    } catch {
      // All of it is gone already.
    }
  }

  const end = async (why?: "late") => {
    if (alive.has(group)) {
      late = why === "late"
      kill("SIGTERM")
      await Promise.race([exited, pause(GRACE)])
      kill("SIGKILL")
      await Promise.race([exited, pause(GRACE)])
    }
    // Someone who left the group may still hold the other end.
    if (why === "late" && !stdout.readableEnded) stdout.destroy(new Error("The program's time was over."))
  }

  const ended = exited.then(async ({ code, signal }) => {
    await Promise.race([stderrRead, pause(GRACE)])
    return { exitCode: code ?? undefined, signal: signal ?? signalOf(code), late }
  })

  const group: ProcessGroup = { pid, stdin, stdout, stderr: kept.text, kill, end, ended }
  alive.add(group)
  return group
}

/** A program that ended by a signal within a tree of its own is reported as shells do it. */
const signalOf = (code: number | null): string | undefined =>
  Object.entries(constants.signals).find(([, number]) => number + 128 === code)?.[0]

/** Keeps the beginning and the end of a text of any length. */
const firstAndLast = (half: number) => {
  let first = Buffer.alloc(0)
  let last = Buffer.alloc(0)
  let dropped = 0
  return {
    add: (bytes: Buffer) => {
      const room = half - first.length
      if (room > 0) first = Buffer.concat([first, bytes.subarray(0, room)])
      if (bytes.length <= room) return
      const more = Buffer.concat([last, bytes.subarray(Math.max(0, room))])
      dropped += Math.max(0, more.length - half)
      last = Buffer.from(more.subarray(-half))
    },
    text: () => `${first}${dropped > 0 ? `\n… ${dropped} bytes left out …\n` : ""}${last}`
  }
}

/** In real time, and without keeping a process alive that has nothing else to do. */
const pause = (milliseconds: number) => delay(milliseconds, undefined, { ref: false })

const GRACE = 2000
const STDERR_HALF = 32 * 1024
