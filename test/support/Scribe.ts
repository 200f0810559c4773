import { Effect } from "effect"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { temporaryFolder } from "./Router.ts"

/** What the stand-in says of every piece if it is told nothing else. */
export const SAID = "The reading room is open all day."

/** A stand-in for the speech engine. */
export interface Scribe {
  readonly env: { readonly [name: string]: string }
  /** Pieces it was asked about. */
  readonly pieces: () => number
  /** Whether anybody as much as asked whether it is there. */
  readonly wasTouched: () => boolean
  /** Lets pieces that wait go on. */
  readonly go: () => void
}

interface Manner {
  readonly says?: string
  /** Part of the name of the pieces that wait. */
  readonly waits?: string
  readonly fails?: boolean
}

/** A whisper-cli that has an answer ready, keeps count, and waits or fails where it is told to. */
export const scribe = ({ fails = false, says = SAID, waits }: Manner = {}) =>
  Effect.map(temporaryFolder, (folder): Scribe => {
    const [calls, go, weights] = [join(folder, "calls"), join(folder, "go"), join(folder, "weights.bin")]
    writeFileSync(weights, "never read")
    const answer = {
      result: { language: "en" },
      transcription: [{ offsets: { from: 0, to: 6000 }, text: says }]
    }
    const lines = [
      "#!/bin/sh",
      `echo "$*" >> '${calls}'`,
      '[ "$1" = --help ] && exit 0',
      'while [ "$1" != -of ]; do shift; done',
      ...(waits === undefined
        ? []
        : [`case "$2" in */${waits}*) while [ ! -e '${go}' ]; do sleep 0.05; done ;; esac`]),
      ...(fails ? ["echo broken engine >&2", "exit 3"] : [`echo '${JSON.stringify(answer)}' > "$2.json"`])
    ]
    const program = join(folder, "whisper-cli")
    writeFileSync(program, `${lines.join("\n")}\n`, { mode: 0o755 })
    const asked = () => (existsSync(calls) ? readFileSync(calls, "utf8").trimEnd().split("\n") : [])
    return {
      env: { WHISPER_CLI_PATH: program, WHISPER_MODEL_NAME: weights },
      pieces: () => asked().filter((call) => call.includes("-of ")).length,
      wasTouched: () => asked().length > 0,
      go: () => writeFileSync(go, "")
    }
  })
