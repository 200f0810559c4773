import { Duration, Effect, Fiber, FiberSet } from "effect"
import { addressed, aliasOf } from "../../domain/Model.ts"
import type { Model } from "../../domain/Model.ts"
import * as ModelIndex from "../../domain/ModelIndex.ts"
import { AppConfig } from "../AppConfig.ts"
import { Providers } from "./Provider.ts"
import type { Provider } from "./Provider.ts"

/** What models there are, and what they cost. Old lists serve while a provider is down; one never waits for another. */
export class Catalogue extends Effect.Service<Catalogue>()("percept/Catalogue", {
  scoped: Effect.gen(function* () {
    const { catalogueTtl, modelMap } = yield* AppConfig
    const providers = yield* Providers
    const clock = yield* Effect.clock
    const run = yield* FiberSet.makeRuntime<never>()
    const ttl = Duration.toMillis(catalogueTtl)
    const names = new Set(providers.map(({ name }) => name))
    const shelves = providers.map((provider) => new Shelf(provider))
    let index = ModelIndex.of([])
    let staleFrom = Infinity

    const load = Effect.fn("Catalogue.load")(function* (shelf: Shelf) {
      const { models, name } = shelf.provider
      const answer = yield* Effect.either(Effect.timeout(models, LONGEST_LOAD))
      const isThere = answer._tag === "Right"
      shelf.freshUntil = clock.unsafeCurrentTimeMillis() + (isThere ? ttl : Math.min(ttl, RETRY_AFTER))
      const trouble = isThere ? undefined : describe(answer.left)
      const isNews = trouble !== undefined && shelf.trouble !== trouble
      shelf.trouble = trouble
      if (isThere) shelf.models = new Map(answer.right.map((model) => [model.id, model]))
      if (isThere) index = ModelIndex.of(shelves.map(({ models }) => models))
      if (isNews) yield* Effect.logWarning(`The model list of ${name} cannot be had: ${trouble}`)
    })

    /** Has a list fetched, unless it is being fetched. */
    const refresh = (shelf: Shelf): Fiber.Fiber<unknown> => {
      if (shelf.loading !== undefined) return shelf.loading
      const put = Effect.sync(() => {
        shelf.hasTried = true
        shelf.loading = undefined
        staleFrom = Math.min(...shelves.map(staleness))
      })
      shelf.askedAt = clock.unsafeCurrentTimeMillis()
      // It must not be through before it is known to be under way.
      shelf.loading = run(Effect.zipRight(Effect.yieldNow(), Effect.ensuring(load(shelf), put)))
      staleFrom = Math.min(...shelves.map(staleness))
      return shelf.loading
    }

    /** Sees to it that stale lists are being fetched; waits only for who has not had time to answer since the start. */
    const upToDate = (wanted: ReadonlyArray<Shelf>) =>
      Effect.forEach(
        wanted,
        (shelf) => {
          if (shelf.freshUntil > clock.unsafeCurrentTimeMillis()) return Effect.void
          const loading = refresh(shelf)
          if (shelf.hasTried) return Effect.void
          const giveUp = Effect.sync(() => {
            shelf.hasTried = true
          })
          return Effect.zipRight(Effect.timeoutOption(Fiber.await(loading), LONGEST_WAIT), giveUp)
        },
        { concurrency: "unbounded", discard: true }
      )

    /** Every model once, as its first provider has it; the map's names before all. */
    const all = Effect.fn("Catalogue.all")(function* () {
      yield* upToDate(shelves)
      const found = new Map<string, Model>()
      for (const { name, target } of modelMap.aliases) found.set(name, aliasOf(name, lookUp(target)))
      for (const [id, [model]] of index) if (model !== undefined && !found.has(id)) found.set(id, model)
      return Array.from(found.values())
    })

    /** A model by any name a request may give it. */
    const find = Effect.fn("Catalogue.find")(function* (name: string) {
      const renamed = modelMap.find(name)
      const target = renamed?.name ?? name
      if (lookUp(target) === undefined) {
        const { provider } = addressed(target, names)
        missed(provider)
        yield* upToDate(shelvesOf(provider))
      }
      const model = lookUp(target)
      return renamed === undefined ? model : aliasOf(name, model)
    })

    const lookUp = (name: string): Model | undefined => {
      const { model, provider } = addressed(name, names)
      return known(model).find((entry) => provider === undefined || entry.provider === provider)
    }

    /** Every entry of this name, or of one it stands for, that is on the shelves now; without waiting for anything. */
    const known = (id: string): ReadonlyArray<Model> => {
      if (clock.unsafeCurrentTimeMillis() >= staleFrom) refreshStale()
      return ModelIndex.find(index, id)
    }

    const refreshStale = () => {
      const now = clock.unsafeCurrentTimeMillis()
      for (const shelf of shelves) if (now >= staleness(shelf)) refresh(shelf)
    }

    /** Nobody lists a name, or not the one who was asked for it: it may be new there. */
    const missed = (provider?: string): void => {
      const now = clock.unsafeCurrentTimeMillis()
      for (const shelf of shelvesOf(provider)) if (now >= shelf.askedAt + LEAST_PAUSE) refresh(shelf)
    }

    const shelvesOf = (provider: string | undefined): ReadonlyArray<Shelf> =>
      provider === undefined ? shelves : shelves.filter((shelf) => shelf.provider.name === provider)

    /** What one provider lists, in its own order. */
    const listOf = (provider: string): ReadonlyArray<Model> =>
      shelvesOf(provider).flatMap(({ models }) => Array.from(models.values()))

    /** Why lists are missing or old, by provider. */
    const troubles = (): ReadonlyMap<string, string> =>
      new Map(
        shelves.flatMap(({ loading, provider, trouble }): ReadonlyArray<readonly [string, string]> => {
          const reason = trouble ?? (loading === undefined ? undefined : "It has not answered yet.")
          return reason === undefined ? [] : [[provider.name, reason]]
        })
      )

    for (const shelf of shelves) refresh(shelf)
    let looked = false
    const first = yield* Effect.forEach(shelves, awaited, { concurrency: "unbounded", discard: true }).pipe(
      Effect.timeoutOption(FIRST_LOOK),
      Effect.zipRight(
        Effect.sync(() => {
          looked = true
        })
      ),
      Effect.forkScoped
    )

    /** Right after the start: waits a little, until somebody lists this name. */
    const firstLook = (name: string): Effect.Effect<void> =>
      Effect.forEach(
        shelves,
        (shelf) => Effect.filterOrFail(awaited(shelf), () => known(name).length === 0),
        { concurrency: "unbounded", discard: true }
      ).pipe(Effect.ignore, Effect.raceFirst(Fiber.await(first)), Effect.asVoid)

    return { all, find, firstLook, hasLooked: () => looked, known, listOf, missed, troubles }
  })
}) {}

/** One provider's list. */
class Shelf {
  readonly provider: Provider
  models: ReadonlyMap<string, Model> = new Map()
  freshUntil = 0
  askedAt = 0
  loading: Fiber.Fiber<unknown> | undefined
  hasTried = false
  trouble: string | undefined

  constructor(provider: Provider) {
    this.provider = provider
  }
}

const awaited = ({ loading }: Shelf): Effect.Effect<unknown> =>
  loading === undefined ? Effect.void : Fiber.await(loading)

/** From when on a list wants fetching; what is being fetched does not. */
const staleness = ({ freshUntil, loading }: Shelf): number => (loading === undefined ? freshUntil : Infinity)

const describe = ({
  message,
  ...rest
}: {
  readonly message: string
  readonly detail?: string | undefined
}) => (rest.detail === undefined ? message : `${message} (${rest.detail})`)

/** Milliseconds. */
const RETRY_AFTER = 30_000
const LEAST_PAUSE = 30_000

const FIRST_LOOK = Duration.seconds(2)
const LONGEST_WAIT = Duration.seconds(5)
const LONGEST_LOAD = Duration.minutes(1)
