import { existsSync, symlinkSync } from "node:fs"
import { delimiter, join } from "node:path"

/** Before any test changes it. */
const path = (process.env["PATH"] ?? "").split(delimiter)

/** Links programs of this host into a folder, those of them that it has. */
export const linkPrograms = (folder: string, names: ReadonlyArray<string>): void => {
  for (const name of names) {
    const program = path.map((place) => join(place, name)).find(existsSync)
    if (program !== undefined) symlinkSync(program, join(folder, name))
  }
}

/** What programs that read media are locked in with. */
export const LOCKS = ["unshare", "setpriv", "prlimit", "nice"]

/** What the locks cannot do without. */
export const BASICS = ["sh", "env", "true"]
