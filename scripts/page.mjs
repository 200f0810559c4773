/** Builds the page: modules, styles and one document, each also compressed, all with their hash in their name. */
import { build, transform } from "esbuild"
import { readFileSync } from "node:fs"
import { basename, join } from "node:path"
import { brotliCompressSync, gzipSync } from "node:zlib"

/** Bytes of documents, styles and modules, gzipped: of all there are, and of what comes before the first drawer. */
export const MOST = { all: 43_300, first: 22_400 }

/** The oldest ones that know `light-dark()`. */
const BROWSERS = ["chrome123", "firefox128", "safari17.5"]

/** The files of the page, with where they belong; throws when it has grown too large. */
export const buildPage = async (root, folder) => {
  const { metafile, outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: [
      { in: "src/ui/app.ts", out: "app" },
      { in: "src/ui/theme.ts", out: "theme" },
      { in: "src/ui/styles/tokens.css", out: "tokens" },
      { in: "src/ui/icon.svg", out: "icon" }
    ],
    outdir: join(folder, "assets"),
    entryNames: "[name]-[hash]",
    chunkNames: "app-[name]-[hash]",
    write: false,
    bundle: true,
    splitting: true,
    format: "esm",
    minify: true,
    charset: "utf8",
    target: BROWSERS,
    loader: { ".svg": "copy" },
    plugins: [slim],
    metafile: true,
    legalComments: "none",
    logLevel: "warning"
  })
  const all = Object.entries(metafile.outputs).map(([path, output]) => Object.assign(output, { path }))
  // The app is what all other modules share: what is named after it only hands that on.
  const outputs = all.filter(({ entryPoint }) => entryPoint !== "src/ui/app.ts")
  const files = [
    { path: join(folder, "index.html"), contents: Buffer.from(documentOf(root, outputs)) },
    ...outputFiles
      .filter(({ path }) => outputs.some((output) => path.endsWith(basename(output.path))))
      .map(({ contents, path }) => ({ path, contents: Buffer.from(contents) }))
  ].map((file) => Object.assign(file, { gzip: gzipSync(file.contents, { level: 9, memLevel: 9 }) }))
  refuseExcess(files, outputOf(outputs, "src/ui/later.ts"))
  return files.flatMap(({ contents, gzip, path }) => [
    { path, contents },
    { path: `${path}.gz`, contents: gzip },
    { path: `${path}.br`, contents: brotliCompressSync(contents) }
  ])
}

/** The document names the files it begins with. */
const documentOf = (root, outputs) =>
  readFileSync(join(root, "src/ui/index.html"), "utf8")
    .replaceAll(/\{\{(src\/.+?)\}\}/g, (_, source) => address(outputOf(outputs, source)))
    .replaceAll(/\n\s*/g, "")

const address = ({ path }) => `/ui/assets/${basename(path)}`

const outputOf = (outputs, source) =>
  outputs.find(({ entryPoint }) => entryPoint === source) ?? outputs.find(({ inputs }) => source in inputs)

const refuseExcess = (files, later) => {
  const sizeOf = (some) => some.reduce((sum, { gzip }) => sum + gzip.length, 0)
  const counted = files.filter(({ path }) => !path.endsWith(".svg"))
  const size = {
    all: sizeOf(counted),
    first: sizeOf(counted.filter(({ path }) => basename(path) !== basename(later.path)))
  }
  if (size.all <= MOST.all && size.first <= MOST.first) return
  const lines = files.map(({ gzip, path }) => `${String(gzip.length).padStart(8)} ${basename(path)}`)
  throw new Error(
    `The page has grown too large: ${size.first} of ${MOST.first} bytes at first, ${size.all} of ${MOST.all} in all.\n${lines.join("\n")}`
  )
}

/** No bundler minifies what stands in templates: styles are written shorter, and nothing is indented. */
export const slim = {
  name: "slim",
  setup: ({ onLoad }) =>
    onLoad({ filter: /\/src\/ui\/.*\.ts$/ }, async ({ path }) => {
      const pieces = readFileSync(path, "utf8").split(/(css`[^`$\\]*`)/)
      const slimmer = await Promise.all(
        pieces.map(async (piece, at) =>
          at % 2 === 0 ? piece.replaceAll(/^[ \t]+/gm, "") : `css\`${await minified(piece.slice(4, -1))}\``
        )
      )
      // What comes later comes to an app that is there: all they share stays in one file with it, which is smaller.
      if (path.endsWith("/later.ts")) slimmer.push('import "./app.ts"')
      return { contents: slimmer.join(""), loader: "ts" }
    })
}

const minified = async (styles) => {
  const { code } = await transform(styles, {
    loader: "css",
    minify: true,
    charset: "utf8",
    target: BROWSERS
  })
  return code.trim()
}
