/** Builds the page: modules, styles and one document, each also compressed, all with their hash in their name. */
import { transform } from "esbuild"
import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import { basename, join } from "node:path"
import { brotliCompressSync } from "node:zlib"
import { rolldown } from "rolldown"
import { minifySync } from "rolldown/utils"
import { slimLit } from "./page/lit.mjs"
import { slim, slimMarkup } from "./page/slim.mjs"
import { gzipBest } from "./page/gzip.mjs"
import { inlined } from "./page/inline.mjs"

/** Bytes of documents, styles and modules, gzipped: of all there are, and of what comes before the first drawer. */
export const MOST = { all: 35_000, first: 19_600 }

/** The files of the page, with where they belong; throws when it has grown too large. */
export const buildPage = async (root, folder) => {
  const source = (file) => readFileSync(join(root, "src/ui", file), "utf8")
  const { slimStyles, slimTemplates } = slim(source("styles/tokens.css"), transform)
  const bundle = await rolldown({
    cwd: root,
    tsconfig: false,
    input: { app: "src/ui/app.ts", theme: "src/ui/theme.ts" },
    plugins: [
      {
        name: "page",
        async buildStart() {
          this.emitFile({
            type: "asset",
            name: "tokens.css",
            source: await slimStyles(source("styles/tokens.css"))
          })
          this.emitFile({ type: "asset", name: "icon.svg", source: source("icon.svg") })
        },
        transform: {
          filter: { id: [/\/src\/ui\/.*\.ts$/, /\/lit-html\.js$/] },
          handler: (code, path) => (path.endsWith(".ts") ? slimTemplates(path, code) : slimLit(code))
        },
        generateBundle: (_, files) => shareNames(Object.values(files)),
        // Twice is smaller than once, and so is one word for all that is declared.
        renderChunk: (code, { fileName }) =>
          minifySync(fileName, inlined(code), { module: true }).code.replaceAll(
            /(?<=^|[;}])const (?=[\w$])/g,
            "let "
          )
      }
    ]
  })
  const { output } = await bundle.generate({
    minify: true,
    comments: false,
    entryFileNames: `[name]-${HASH}.js`,
    chunkFileNames: `app-[name]-${HASH}.js`,
    assetFileNames: `[name]-${HASH}[extname]`
  })
  const stamp = stampOf(output)
  const later = output.find(({ isDynamicEntry }) => isDynamicEntry)
  const files = [
    {
      path: join(folder, "index.html"),
      contents: Buffer.from(stamp(slimMarkup([documentOf(source("index.html"), output)])[0]))
    },
    ...output.map(({ code, fileName, source }) => ({
      path: join(folder, "assets", stamp(fileName)),
      contents: Buffer.from(stamp(String(code ?? source)))
    }))
  ].map((file) => Object.assign(file, { gzip: gzipBest(file.contents) }))
  refuseExcess(files, stamp(later.fileName))
  return files.flatMap(({ contents, gzip, path }) => [
    { path, contents },
    { path: `${path}.gz`, contents: gzip },
    { path: `${path}.br`, contents: brotliCompressSync(contents) }
  ])
}

/** Puts the hash of all files in place of what stands for it: modules name each other, so that all of them bear one. */
const stampOf = (output) => {
  const digest = createHash("sha256")
  for (const { code, source } of output) digest.update(code ?? source)
  const hash = digest.digest("hex").slice(0, HASH.length)
  return (text) => text.replaceAll(HASH, hash)
}

const HASH = "00000000"

/** The document names the files it begins with. */
const documentOf = (html, output) =>
  html
    .replaceAll(/\{\{(.+?)\}\}/g, (_, name) => {
      const { fileName } = output.find(({ name: own, names = [own] }) => names.includes(name))
      return `/ui/assets/${fileName}`
    })
    .replaceAll(/\n\s*/g, "")

/** What modules share is called in the one as it is in the other, so that no list has to say both. */
const shareNames = (files) => {
  const app = files.find(({ name }) => name === "app")
  const later = files.find(({ isDynamicEntry }) => isDynamicEntry)
  const taken = renamed(later, /(?<=^import\{)[^}]*/, ([theirs, own = theirs]) => [own, theirs, own])
  renamed(app, /(?<=export\{)[^}]*(?=\};?\s*$)/, ([own, theirs = own]) => {
    const name = taken.get(theirs)
    return [own === name ? own : `${own} as ${name}`]
  })
  const given = renamed(later, /(?<=export\{)[^}]*(?=\};?\s*$)/, ([own, theirs = own]) => [own, theirs, own])
  for (const [name, own] of given) {
    const [before, after, ...more] = app.code.split(new RegExp(`(?<=\\.)${name}(?=\\()`))
    if (after === undefined || more.length > 0)
      throw new Error(`${name} is not asked for once, as it should be`)
    app.code = before + own + after
  }
}

/** Writes a list of names anew; `rename` says how each is written, and which name stands for which. */
const renamed = (file, list, rename) => {
  const names = new Map()
  file.code = file.code.replace(list, (entries) =>
    entries
      .split(",")
      .map((entry) => {
        const [text, name, own] = rename(entry.split(" as "))
        names.set(name, own)
        return text
      })
      .toSorted()
      .join()
  )
  return names
}

const refuseExcess = (files, later) => {
  const sizeOf = (some) => some.reduce((sum, { gzip }) => sum + gzip.length, 0)
  const counted = files.filter(({ path }) => !path.endsWith(".svg"))
  const size = { all: sizeOf(counted), first: sizeOf(counted.filter(({ path }) => basename(path) !== later)) }
  if (size.all <= MOST.all && size.first <= MOST.first) return
  const lines = files.map(({ gzip, path }) => `${String(gzip.length).padStart(8)} ${basename(path)}`)
  throw new Error(
    `The page has grown too large: ${size.first} of ${MOST.first} bytes at first, ${size.all} of ${MOST.all} in all.\n${lines.join("\n")}`
  )
}
