import { globalValue } from "effect/GlobalValue"

/**
 * Lets Effect no longer list the fibers that nobody waits for. Nobody here asks for that list, and its Set, filled
 * and emptied with every request, keeps dead fibers until a full collection: see bench/README.md.
 */
export const forgetRoots = (): void => {
  const scope: unknown = globalValue(Symbol.for("effect/FiberScope/Global"), () => undefined)
  if (typeof scope === "object" && scope !== null && "add" in scope) scope.add = () => {}
}
