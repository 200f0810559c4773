/** Writes what the settings say of themselves into `.env.example` and the README's table; a test holds them to it. */
import { build } from "esbuild"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { root } from "./fresh.mjs"

const entry = `
  export { envExample, settingsTable } from "./test/support/Docs.ts"
  export { settings } from "./src/services/config/settings.ts"
`
const { outputFiles } = await build({
  stdin: { contents: entry, resolveDir: root, loader: "ts" },
  bundle: true,
  write: false,
  platform: "node",
  format: "esm"
})
const { envExample, settings, settingsTable } = await import(
  `data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`
)

writeFileSync(join(root, ".env.example"), envExample(settings))
const readme = join(root, "README.md")
const between = /(<!-- settings -->\n)[^]*(\n<!-- \/settings -->)/
writeFileSync(
  readme,
  readFileSync(readme, "utf8").replace(between, (_, open, close) => open + settingsTable(settings) + close)
)
