import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { parseJson, stringField } from "../domain/Json.ts"

/** Of this package; the built program lies one folder below its manifest, these sources two. */
const manifest = ["..", join("..", "..")]
  .map((up) => join(import.meta.dirname, up, "package.json"))
  .find(existsSync)

export const version: string =
  (manifest && stringField(parseJson(readFileSync(manifest, "utf8")), "version")) ?? "unknown"
