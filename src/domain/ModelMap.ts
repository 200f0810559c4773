import { Either } from "effect"
import { isObject, parseJson } from "./Json.ts"
import * as NamePattern from "./NamePattern.ts"

/** Other names for models: exact names, then patterns in their order. What they give is not looked up again. */
export class ModelMap {
  private readonly exact: ReadonlyMap<string, Renamed>
  private readonly patterns: ReadonlyArray<Pattern>

  constructor(exact: ReadonlyMap<string, Renamed>, patterns: ReadonlyArray<Pattern>) {
    this.exact = exact
    this.patterns = patterns
  }

  /** The new name, and the entry that gave it; undefined where no entry fits. */
  find(name: string): Renamed | undefined {
    const exact = this.exact.get(name)
    if (exact !== undefined || name.length > LONGEST) return exact
    for (const { entry, rename } of this.patterns) {
      const renamed = rename(name)
      if (renamed !== undefined) return { name: renamed, entry }
    }
    return undefined
  }

  /** The exact names, which are listed beside the models. */
  get aliases(): ReadonlyArray<{ readonly name: string; readonly target: string }> {
    return Array.from(this.exact, ([name, renamed]) => ({ name, target: renamed.name }))
  }
}

export interface Renamed {
  readonly name: string
  readonly entry: string
}

/** Reads `MODEL_MAP`; a left says which entry is wrong, and why. */
export const parse = (text: string): Either.Either<ModelMap, string> =>
  Either.gen(function* () {
    const entries = parseJson(text)
    if (!isObject(entries)) return yield* Either.left(`must be a JSON object, not ${kindOf(entries, text)}`)
    const exact = new Map<string, Renamed>()
    const patterns: Array<Pattern> = []
    for (const [entry, target] of Object.entries(entries)) {
      if (entry === "") return yield* wrong(entry, "a name to look for")
      if (typeof target !== "string") return yield* wrong(entry, "a model's name as its target, a string")
      if (target.trim() === "") return yield* wrong(entry, "a target that is not empty")
      if (!isPattern(entry)) exact.set(entry, { name: target, entry })
      else
        patterns.push({
          entry,
          rename: yield* NamePattern.compile(entry.slice(1, -1), target).pipe(
            Either.orElse((lack) => wrong(entry, lack))
          )
        })
    }
    return new ModelMap(exact, patterns)
  })

interface Pattern {
  readonly entry: string
  readonly rename: NamePattern.Rename
}

const isPattern = (entry: string): boolean => entry.length > 1 && entry.startsWith("/") && entry.endsWith("/")

const wrong = (entry: string, lack: string) => Either.left(`must have in its entry ${quoted(entry)} ${lack}`)

const kindOf = (value: unknown, text: string): string =>
  value === undefined
    ? `what cannot be read as JSON: ${quoted(text)}`
    : Array.isArray(value)
      ? "an array"
      : `${value === null ? "null" : `a ${typeof value}`}`

const quoted = (text: string): string => JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text)

/**
 * Characters. No model has a longer name, and a name that a stranger made for a pattern with several wildcards
 * takes time that grows with their power: with four of them, seconds at twice this length.
 */
const LONGEST = 200
