import { Data, Effect } from "effect"
import { linkOf } from "../../domain/media/MediaLink.ts"
import type { MediaRef } from "../../domain/media/MediaRef.ts"
import { AppConfig } from "../AppConfig.ts"
import { MediaMemory } from "./MediaMemory.ts"
import { Observer } from "./Observer.ts"

/** Why a medium cannot be looked at again now. */
export class NoSecondLook extends Data.TaggedError("NoSecondLook")<{ readonly message: string }> {
  readonly status = 409
  readonly type = "invalid_request_error"
  readonly code = "cannot_look_again"
  readonly source = "client"
}

/** Looks at a medium as if it had never been seen. */
export class SecondLook extends Effect.Service<SecondLook>()("percept/SecondLook", {
  scoped: Effect.gen(function* () {
    const { mediaSites } = yield* AppConfig
    const memory = yield* MediaMemory
    const observer = yield* Observer
    const scope = yield* Effect.scope
    const underWay = new Set<string>()

    /** While it is being looked at again it is not remembered, and nobody else may begin. */
    const free = Effect.fn("SecondLook.free")(function* (medium: string) {
      if (underWay.has(medium)) return yield* new NoSecondLook({ message: UNDER_WAY })
    })

    /** Forgets it, and begins; nobody waits for the end. */
    const begin = Effect.fn("SecondLook.begin")(function* (medium: string, url: string | undefined) {
      const link = url === undefined ? undefined : linkOf(url, mediaSites)
      if (link === undefined) return yield* new NoSecondLook({ message: NO_LINK })
      yield* free(medium)
      underWay.add(medium)
      const ref: MediaRef = {
        ...{ message: 0, part: undefined, param: "", inText: true },
        ...{ source: { link }, kind: link.kind }
      }
      const done = Effect.sync(() => underWay.delete(medium))
      yield* memory.forget(medium).pipe(
        Effect.tapErrorCause(() => done),
        Effect.zipRight(
          observer
            .observe(ref, USUAL, () => {})
            .pipe(
              Effect.catchAll(({ detail, message }) =>
                Effect.logWarning(`A medium could not be looked at again. ${message} ${detail ?? ""}`)
              ),
              Effect.ensuring(done),
              Effect.interruptible,
              Effect.forkIn(scope)
            )
        ),
        Effect.uninterruptible
      )
    })

    return { begin, free }
  })
}) {}

/** As most requests want their media. */
const USUAL = { frames: undefined, window: undefined, whole: () => false }

const NO_LINK =
  "Nobody has kept where this medium is to be had: it came along with a request, or its link was a secret."

const UNDER_WAY = "It is being looked at again already."
