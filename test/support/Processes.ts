import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import { eventually } from "./Router.ts"

let marks = 0

/** A number of seconds nobody else sleeps: the processes of one test are found by it. */
export const makeMark = (): string => `86400.${process.pid}${String((marks += 1)).padStart(4, "0")}`

/** The command lines of the living that contain a text, zombies left out. */
export const processesWith = (text: string): ReadonlyArray<string> =>
  execFileSync("ps", ["-eo", "stat=,pid=,args="], { encoding: "utf8" })
    .split("\n")
    .filter((line) => line.includes(text) && !line.trimStart().startsWith("Z"))

/** So many processes have come to sleep that long; the shells that start them do not count. */
export const asleep = (mark: string, count: number) =>
  eventually(
    Effect.sync(() => processesWith(mark).filter((line) => /^\s*\S+\s+\d+ \S+ \S+$/.test(line))),
    (found) => found.length === count
  )

export const nobodyWith = (text: string) =>
  eventually(
    Effect.sync(() => processesWith(text)),
    (found) => found.length === 0
  )
