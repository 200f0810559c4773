import * as Command from "@effect/cli/Command"
import { Console } from "effect"
import { db } from "./cli/database.ts"
import { doctor } from "./cli/doctor.ts"
import { inspect } from "./cli/inspect.ts"
import { keys } from "./cli/keys.ts"
import { models } from "./cli/models.ts"
import { openapi } from "./cli/openapi.ts"
import { reader } from "./cli/reader.ts"
import { serve } from "./cli/serve.ts"

const HELP = `percept [command]

  serve      take requests (what happens without a command)
  doctor     say what there is, what is missing, and how to get it
  inspect    show what a model would be given of a file or a link
  models     list models, say where a name goes, fetch speech models, build the speech engine
  keys       make, list and revoke keys with budgets and limits
  db         say what the record holds, make room in it, or export it
  openapi    print the API's OpenAPI document
  help       print this, or more of one command: percept help inspect

  --version                      print the version
  --completions bash|zsh|fish    print what a shell needs to complete commands

Settings are environment variables; .env.example lists them all.`

const commands = [
  Command.make("serve", {}, () => serve).pipe(
    Command.withDescription("Takes requests, as percept alone does.")
  ),
  doctor,
  inspect,
  models,
  keys,
  db,
  openapi
] as const

const percept = Command.make("percept", {}, () => Console.log(HELP)).pipe(Command.withSubcommands(commands))

/** Does what the words after `percept` say. */
export const obey = reader(
  percept,
  commands.map(({ descriptor }) => descriptor),
  HELP
)
