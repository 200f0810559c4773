import { Effect, Exit, Scope } from "effect"
import { afterAll } from "vitest"

/** One for all tests of a suite: made when the first of them asks for it, closed after the last. */
export const shared = <A>(make: Effect.Effect<A, never, Scope.Scope>): Effect.Effect<A> => {
  const scope = Effect.runSync(Scope.make())
  let made: Promise<A> | undefined
  afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))
  return Effect.promise(() => (made ??= Effect.runPromise(Scope.extend(make, scope))))
}
