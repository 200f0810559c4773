import { Either } from "effect"

/** Other names for models: exact names, then patterns in their order. */
export interface ModelMap {
  /** The new name, and the entry that gave it; undefined where no entry fits. */
  readonly find: (name: string) => { readonly name: string; readonly entry: string } | undefined
  /** The exact names, which are listed beside the models. */
  readonly aliases: ReadonlyArray<{ readonly name: string; readonly target: string }>
}

/** Reads `MODEL_MAP`; a left says which entry is wrong, and why. */
export const parse = (text: string): Either.Either<ModelMap, string> =>
  text.trim() === "{}" ? Either.right({ find: () => undefined, aliases: [] }) : Either.left("is not read yet")
