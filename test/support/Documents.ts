import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { root } from "../../scripts/fresh.mjs"

/** A document of the project, by its path from the root. */
export interface Document {
  readonly path: string
  readonly text: string
}

const folders = ["", "docs", "bench", "examples", "deploy"]

/** Every document people read. */
export const documents: ReadonlyArray<Document> = folders
  .filter((folder) => existsSync(join(root, folder)))
  .flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((name) => name.endsWith(".md"))
      .map((name) => join(folder, name))
  )
  .map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }))
