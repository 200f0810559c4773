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

const runner = new Scheduler.SchedulerRunner((depth, drain) => {
  if (depth < MOST_IN_A_ROW) queueMicrotask(() => drain(depth + 1))
  else setTimeout(() => drain(0), 0)
})

/** One queue for all fibers. By default each has its own, in a map that only a collection empties. */
export const oneQueue: Scheduler.Scheduler = {
  scheduleTask: (task, priority) => runner.scheduleTask(task, priority),
  shouldYield: (fiber) => Scheduler.defaultScheduler.shouldYield(fiber)
}

/** Rounds of the queue after which timers and sockets have their turn. */
const MOST_IN_A_ROW = 2048
