import { Effect } from "effect"
import { createHash } from "node:crypto"
import { readdirSync, readFileSync } from "node:fs"
import { extname, join } from "node:path"
import { fileURLToPath } from "node:url"

/** A file of the page, as it is and compressed. */
export interface PageFile {
  readonly contentType: string
  readonly whole: PageForm
  /** Compressed, the smallest first. */
  readonly forms: ReadonlyArray<PageForm>
}

interface PageForm {
  readonly encoding: "br" | "gzip" | "identity"
  readonly bytes: Uint8Array
  readonly tag: string
}

/**
 * The page as the build left it, by names. It is read once and whole, so that a page and its modules fit together even
 * where another build has taken their place.
 */
export const readPageFiles: Effect.Effect<ReadonlyMap<string, PageFile>> = Effect.sync(() => {
  const read = (path: string): PageFile => ({
    contentType: TYPES[extname(path)] ?? "application/octet-stream",
    whole: form(path, "identity"),
    forms: [form(`${path}.br`, "br"), form(`${path}.gz`, "gzip")]
  })
  const assets = readdirSync(join(FOLDER, "assets")).filter((name) => extname(name) in TYPES)
  return new Map([
    ["index.html", read(join(FOLDER, "index.html"))] as const,
    ...assets.map((name) => [name, read(join(FOLDER, "assets", name))] as const)
  ])
})

/** The form of a file that suits `accept-encoding`. */
export const formFor = ({ forms, whole }: PageFile, accepted = ""): PageForm => {
  const weights = new Map(
    accepted
      .toLowerCase()
      .split(",")
      .map((part) => {
        const [name = "", ...parameters] = part.split(";").map((word) => word.trim())
        const q = parameters.find((parameter) => parameter.startsWith("q="))
        return [name, q === undefined ? 1 : Number(q.slice(2))] as const
      })
  )
  return forms.find(({ encoding }) => (weights.get(encoding) ?? weights.get("*") ?? 0) > 0) ?? whole
}

const form = (path: string, encoding: PageForm["encoding"]): PageForm => {
  const bytes = readFileSync(path)
  return { encoding, bytes, tag: `"${createHash("sha256").update(bytes).digest("base64url").slice(0, 20)}"` }
}

/** Beside the program where it is in one file; else where the build puts it. */
const FOLDER = fileURLToPath(
  new URL(/\/http\/[^/]+$/.test(import.meta.url) ? "../../dist/ui/" : "./ui/", import.meta.url)
)

const TYPES: { readonly [extension: string]: string } = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml"
}
