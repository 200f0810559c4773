import { Clock, Duration, Effect, Fiber, FiberMap } from "effect"
import type { Model } from "../../domain/Model.ts"
import { AppConfig } from "../AppConfig.ts"
import { Providers } from "./Provider.ts"
import type { Provider } from "./Provider.ts"

/** What models there are, and what they cost. Old lists serve while a provider is down; one never waits for another. */
export class Catalogue extends Effect.Service<Catalogue>()("percept/Catalogue", {
  scoped: Effect.gen(function* () {
    const { catalogueTtl } = yield* AppConfig
    const providers = yield* Providers
    const shelves = new Map<string, Shelf>(
      providers.map(({ name }) => [name, { models: new Map(), freshUntil: 0 }])
    )
    const refreshing = yield* FiberMap.make<string>()

    const refresh = Effect.fn("Catalogue.refresh")(function* (provider: Provider) {
      const models = yield* provider.models.pipe(Effect.either)
      const now = yield* Clock.currentTimeMillis
      const shelf = shelves.get(provider.name)
      if (shelf === undefined) return
      if (models._tag === "Right") {
        shelf.models = new Map(models.right.map((model) => [model.id, model]))
        shelf.freshUntil = now + Duration.toMillis(catalogueTtl)
        return
      }
      shelf.freshUntil = now + Math.min(Duration.toMillis(catalogueTtl), RETRY_AFTER)
      yield* Effect.logWarning(`The model list of ${provider.name} cannot be had: ${models.left.message}`)
    })

    /** Sees to it that stale lists are being fetched; waits only where there is no list at all. */
    const upToDate = Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      yield* Effect.forEach(
        providers,
        (provider) => {
          const shelf = shelves.get(provider.name)
          if (shelf === undefined || shelf.freshUntil > now) return Effect.void
          const started = FiberMap.run(refreshing, provider.name, refresh(provider), { onlyIfMissing: true })
          if (shelf.models.size > 0) return started
          // `run` hands out an interrupted fiber where one is under way.
          return started.pipe(
            Effect.zipRight(FiberMap.get(refreshing, provider.name)),
            Effect.flatMap((fiber) => Effect.timeout(Fiber.await(fiber), LONGEST_WAIT)),
            Effect.ignore
          )
        },
        { concurrency: "unbounded", discard: true }
      )
    })

    const all = Effect.fn("Catalogue.all")(function* () {
      yield* upToDate
      return Array.from(shelves.values()).flatMap((shelf) => Array.from(shelf.models.values()))
    })

    const find = Effect.fn("Catalogue.find")(function* (id: string) {
      if (known(id).length === 0) yield* upToDate
      return known(id)[0]
    })

    /** Every entry of this name that is on the shelves now, without waiting for anything. */
    const known = (id: string): ReadonlyArray<Model> => {
      const found: Array<Model> = []
      for (const shelf of shelves.values()) {
        const model = shelf.models.get(id)
        if (model !== undefined) found.push(model)
      }
      return found
    }

    let looked = false
    const first = yield* upToDate.pipe(
      Effect.timeout(FIRST_LOOK),
      Effect.ignore,
      Effect.zipRight(
        Effect.sync(() => {
          looked = true
        })
      ),
      Effect.forkScoped
    )

    return { all, find, known, hasLooked: () => looked, firstLook: Effect.asVoid(Fiber.await(first)) }
  })
}) {}

interface Shelf {
  models: ReadonlyMap<string, Model>
  freshUntil: number
}

const RETRY_AFTER = 30_000
const FIRST_LOOK = Duration.seconds(2)
const LONGEST_WAIT = Duration.seconds(5)
