import { HttpApi, HttpApiBuilder, HttpApiSwagger } from "@effect/platform"
import { Effect, Layer } from "effect"

/** `/docs` and `/openapi.json`, written when one of them is first asked for: few are, and every start would wait. */
export const layer = HttpApiBuilder.Router.use((router) =>
  Effect.gen(function* () {
    const api = yield* HttpApi.Api
    const written = HttpApiBuilder.Router.router.pipe(
      Effect.provide(pages.pipe(Layer.provide(Layer.succeed(HttpApi.Api, api))))
    )
    const answer = Effect.flatten(yield* Effect.cached(written))
    yield* router.get("/docs", answer)
    yield* router.get("/openapi.json", answer)
  })
)

const pages = Layer.mergeAll(HttpApiSwagger.layer(), HttpApiBuilder.middlewareOpenApi()).pipe(
  Layer.provideMerge(HttpApiBuilder.Router.Live)
)
