import { Effect, Layer } from "effect"
import { AppConfig } from "../AppConfig.ts"
import { MediaTools } from "./MediaTools.ts"
import { Whisper } from "./Whisper.ts"
import type { WhisperEngine } from "./Whisper.ts"
import { makeAddon } from "./whisper/WhisperAddon.ts"
import { makeCli } from "./whisper/WhisperCli.ts"
import { makeRemote } from "./whisper/WhisperRemote.ts"

/** whisper-cli where there is one, which may be installed any time; else the bundled engine. */
const local = Effect.gen(function* () {
  const { whisperCli } = yield* AppConfig
  const tools = yield* MediaTools
  const cli = yield* makeCli
  const addon = yield* makeAddon
  // Who names a program means that one and no other.
  const find = whisperCli === undefined ? tools.find("whisper-cli") : tools.need("whisper-cli")
  const engine: WhisperEngine = {
    seats: cli.seats,
    ready: (options) =>
      Effect.flatMap(find, (tool) => (tool === undefined ? addon.ready(options) : cli.ready(tool)(options)))
  }
  return engine
})

/** What turns speech into words: the address that is set, or what this host has. */
export const layer = Layer.unwrapEffect(
  Effect.map(AppConfig, ({ whisperUrl }) =>
    whisperUrl === undefined ? Layer.effect(Whisper, local) : Layer.scoped(Whisper, makeRemote(whisperUrl))
  )
)
