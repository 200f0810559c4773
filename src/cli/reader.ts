import * as CliConfig from "@effect/cli/CliConfig"
import * as Command from "@effect/cli/Command"
import * as CommandDescriptor from "@effect/cli/CommandDescriptor"
import * as HelpDoc from "@effect/cli/HelpDoc"
import * as ValidationError from "@effect/cli/ValidationError"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { Console, Effect, HashMap, Logger } from "effect"
import { stripVTControlCharacters } from "node:util"
import { bashCompletions, helpText } from "./helpText.ts"
import { version } from "./version.ts"
import { Misused } from "./words.ts"

/** Reads words and does what they say; what is wrong with them is one line. */
export const reader = <E, A>(
  percept: Command.Command<"percept", never, E, A>,
  commands: ReadonlyArray<CommandDescriptor.Command<unknown>>,
  help: string
) => {
  const known = namesOf(commands)

  const obey = (words: ReadonlyArray<string>): Effect.Effect<void, unknown> => {
    const [first, ...rest] = words
    if (first === "help") return obey([...rest, "--help"])
    if (words.length === 1 && (first === "--help" || first === "-h")) return Console.log(help)
    const path = pathIn(known, words)
    const next = words[path.length]
    if (next !== undefined && !next.startsWith("-") && hasCommands(known, path))
      return misused(path, `There is no command '${[...path, next].join(" ")}'.`)
    return Effect.consoleWith((console) => {
      const read = Command.run(
        Command.transformHandler(percept, (work) => Effect.withConsole(work, console)),
        { name: "percept", version, executable: "percept" }
      )
      return read(["node", "percept", ...words]).pipe(
        Effect.withConsole({
          ...console,
          log: (text) => console.log(written(stripVTControlCharacters(String(text)), words, path)),
          // What is wrong with the words is told at the end, and once.
          error: () => Effect.void
        }),
        Effect.catchIf(ValidationError.isValidationError, ({ error }) => misused(path, sentence(error))),
        Effect.provide([
          NodeContext.layer,
          CliConfig.layer({ showBuiltIns: false, showTypes: false }),
          toTheOperator
        ])
      )
    })
  }
  return obey
}

/** The names of commands, each with those of its own. */
type Names = ReadonlyMap<string, ReadonlySet<string>>

const namesOf = (commands: ReadonlyArray<CommandDescriptor.Command<unknown>>): Names =>
  new Map(
    commands.map((command): readonly [string, ReadonlySet<string>] => {
      const [name = ""] = CommandDescriptor.getNames(command)
      const below = HashMap.keys(CommandDescriptor.getSubcommands(command))
      // A command that has none is told as its own.
      return [name, new Set(Array.from(below).filter((other) => other !== name))]
    })
  )

/** The words that lead to a command there is. */
const pathIn = (known: Names, [first = "", second = ""]: ReadonlyArray<string>): ReadonlyArray<string> =>
  !known.has(first) ? [] : known.get(first)?.has(second) === true ? [first, second] : [first]

/** Whether the next word has to be a command. */
const hasCommands = (known: Names, [first, second]: ReadonlyArray<string>): boolean =>
  first === undefined || (second === undefined && known.get(first)?.size !== 0)

const misused = (path: ReadonlyArray<string>, problem: string) =>
  new Misused({ message: `${problem} See: ${["percept", ...path, "--help"].join(" ")}` })

/** What the library writes, made fit for who reads it. */
const written = (text: string, words: ReadonlyArray<string>, path: ReadonlyArray<string>): string => {
  if (words.some((word) => word === "--help" || word === "-h")) return helpText(text, path)
  return text.startsWith("function _percept_bash_completions") ? bashCompletions(text) : text.trimEnd()
}

const sentence = (help: HelpDoc.HelpDoc): string =>
  stripVTControlCharacters(HelpDoc.toAnsiText(help))
    .replace(/\s+/g, " ")
    .trim()
    .replace(/[.:]?$/, ".")

/** What a command has to say besides its answer. */
const toTheOperator = Logger.replace(Logger.defaultLogger, Logger.withConsoleError(Logger.logfmtLogger))
