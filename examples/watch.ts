/**
 * Watches and hears what a link leads to, and prints the evidence: which pictures, which words, when, and what was
 * missed. The second time it is remembered.
 *
 *     node watch.ts https://example.com/clip.mp4
 */
import { Console, Effect, Layer } from "effect"
import { AppConfig, findMedia, media, Observer } from "percept/media"

const watch = (link: string) =>
  Effect.gen(function* () {
    const { mediaSites } = yield* AppConfig
    const { observe } = yield* Observer
    const message = { role: "user", content: link }
    const [ref] = findMedia([message], { roles: ["user"], sites: mediaSites, sniff: true })
    if (ref === undefined) return yield* Effect.fail(new Error(`'${link}' is no link.`))
    const want = { frames: undefined, window: undefined, whole: () => false }
    return yield* observe(ref, want, (line) => console.error(line))
  })

const program = Effect.gen(function* () {
  const { observed, remembered } = yield* watch(process.argv[2] ?? "")
  if (observed.form !== "evidence") return yield* Console.log("It is a picture.")
  yield* Console.log(JSON.stringify({ remembered, ...observed.evidence }, null, 2))
})

await program.pipe(Effect.provide(media.pipe(Layer.provideMerge(AppConfig.layerFromEnv))), Effect.runPromise)
