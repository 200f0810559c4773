import { Scheduler } from "effect"
import { globalValue } from "effect/GlobalValue"

// Whoever runs thousands of short fibers pays more for what Effect keeps of each than for all they do: see
// bench/README.md.

/**
 * Lets Effect no longer list the fibers that nobody waits for. Nobody here asks for that list, and its Set, filled
 * and emptied with every request, keeps dead fibers until a full collection.
 */
export const forgetRoots = (): void => {
  const scope: unknown = globalValue(Symbol.for("effect/FiberScope/Global"), () => undefined)
  if (typeof scope === "object" && scope !== null && "add" in scope) scope.add = () => {}
}

/** One queue for all fibers. By default each has its own, in a map that only a collection empties. */
export const oneQueue: Scheduler.Scheduler = {
  scheduleTask: (task) => {
    tasks.push(task)
    if (!isAwake) next()
  },
  shouldYield: (fiber) => Scheduler.defaultScheduler.shouldYield(fiber)
}

let tasks: Array<Scheduler.Task> = []
let isAwake = false
let rounds = 0

const next = (): void => {
  isAwake = true
  if (rounds++ < MOST_IN_A_ROW) return queueMicrotask(drain)
  rounds = 0
  setTimeout(drain, 0)
}

const drain = (): void => {
  const given = tasks
  tasks = []
  for (const task of given)
    try {
      task()
    } catch (error) {
      // A bug of one is told as any other, and keeps nobody else waiting.
      queueMicrotask(() => {
        throw error
      })
    }
  if (tasks.length > 0) return next()
  isAwake = false
  rounds = 0
}

/** Rounds of the queue after which timers and sockets have their turn. */
const MOST_IN_A_ROW = 2048
