/**
 * Percept as a part of another program: it starts with the program's scope, is asked like any OpenAI server, and goes
 * down with it, having written all it has to write.
 *
 *     node embedded.ts "What happens in https://example.com/clip.mp4?"
 */
import { Console, Effect, Layer } from "effect"
import { AppConfig, HttpServer, router } from "percept"
import { arrayField, field, stringField } from "percept/domain/Json"

/** The settings are variables, as the command has them, from wherever this program has them. */
const settings = AppConfig.layer({
  ...process.env,
  LISTEN_PORT: "0",
  LOG_LEVEL: "none"
})

const ask = (content: string) =>
  Effect.gen(function* () {
    const { url } = yield* HttpServer
    const model = process.env["DEFAULT_TEXT_MODEL"] ?? "percept/inspect"
    const answer: unknown = yield* Effect.promise(() =>
      fetch(`${url}/v1/chat/completions`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ model, messages: [{ role: "user", content }] })
      }).then((response) => response.json())
    )
    return stringField(field(arrayField(answer, "choices")[0], "message"), "content") ?? ""
  })

const program = Effect.gen(function* () {
  yield* Console.log(yield* ask(process.argv[2] ?? "Hello!"))
})

await program.pipe(Effect.provide(router.pipe(Layer.provide(settings))), Effect.runPromise)
