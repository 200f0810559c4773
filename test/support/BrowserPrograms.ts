import { spawnSync } from "node:child_process"
import { existsSync } from "node:fs"
import { delimiter, join } from "node:path"

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]

/** A Chromium of this machine. */
export const findChromium = (): string | undefined => {
  const given = process.env["CHROME_PATH"]
  if (given !== undefined && given !== "") return given
  const folders = (process.env["PATH"] ?? "").split(delimiter)
  return NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find((path) => existsSync(path))
}

/** Tests of the page are left out where there is no browser; not so where all tests must run. */
export const hasBrowser = findChromium() !== undefined || process.env["CI"] === "true"

/** Before all tests: installs a browser where that is easy, or says that it is missing. */
export const provideBrowser = (): void => {
  if (findChromium() !== undefined) return
  if (process.getuid?.() === 0 && spawnSync("apt-get", ["--version"]).status === 0) {
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" }
    spawnSync("apt-get", ["update", "-qq"], { env })
    if (spawnSync("apt-get", ["install", "-y", "-qq", "chromium"], { env }).status === 0) return
  }
  console.warn(
    "Tests of the page are left out: there is no Chromium (apt-get install -y chromium, or name one in CHROME_PATH)."
  )
}
