import { assert, describe, it } from "@effect/vitest"
import { readdirSync, readFileSync } from "node:fs"
import { dirname, join, relative, resolve } from "node:path"
import { root } from "../scripts/fresh.mjs"

const source = join(root, "src")

interface Source {
  /** From `src` on, with slashes. */
  readonly path: string
  /** `domain`, `services`, `http`, `ui`, or `program` for what stands at the top, its commands and its library. */
  readonly room: string
  readonly text: string
  readonly imports: ReadonlyArray<string>
}

/** Whatever a file names in an import, an export from, or a call of import or require. */
const importsIn = (text: string): ReadonlyArray<string> =>
  Array.from(
    text.matchAll(
      /\b(?:import|export)\s(?:[^"'`;]*?\sfrom\s*)?["']([^"']+)["']|\b(?:import|require)\(\s*["'`]([^"'`]+)["'`]/g
    ),
    ([, named = "", called = ""]) => named || called
  )

const roomOf = (path: string): string =>
  path.includes("/") && !/^(?:cli|library)\//.test(path) ? path.slice(0, path.indexOf("/")) : "program"

const sources: ReadonlyArray<Source> = readdirSync(source, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && /\.[cm]?[jt]sx?$/.test(entry.name))
  .map((entry) => {
    const file = join(entry.parentPath, entry.name)
    const path = relative(source, file).replaceAll("\\", "/")
    const text = readFileSync(file, "utf8")
    return { path, room: roomOf(path), text, imports: importsIn(text) }
  })

const isRelative = (name: string) => name.startsWith(".")

/** A file's own files, from `src` on. */
const ownImports = ({ imports, path }: Source): ReadonlyArray<string> =>
  imports
    .filter(isRelative)
    .map((name) => relative(source, resolve(source, dirname(path), name)).replaceAll("\\", "/"))

/** Packages and modules of Node. */
const foreignImports = ({ imports }: Source): ReadonlyArray<string> =>
  imports.filter((name) => !isRelative(name))

const inRoom = (room: string) => sources.filter((source) => source.room === room)

/** Every import that breaks a rule, as a line that says who imports what. */
const breaches = (
  sources: ReadonlyArray<Source>,
  importsOf: (source: Source) => ReadonlyArray<string>,
  isAllowed: (name: string, source: Source) => boolean
): ReadonlyArray<string> =>
  sources.flatMap((source) =>
    importsOf(source)
      .filter((name) => !isAllowed(name, source))
      .map((name) => `${source.path} imports ${name}`)
  )

const startsWithOneOf = (...starts: ReadonlyArray<string>) => {
  return (name: string) => starts.some((start) => name.startsWith(start))
}

describe("the rooms of the house", () => {
  it("are these, and each is lived in", () => {
    const rooms = new Set(sources.map(({ room }) => room))
    for (const room of ["program", "http", "services", "domain"]) assert.isTrue(rooms.has(room), room)
    for (const room of rooms) assert.include(["program", "http", "services", "domain", "ui"], room)
    assert.isAbove(sources.flatMap(ownImports).length, 100)
  })

  it("hold every file that is imported", () => {
    const paths = new Set(sources.map(({ path }) => path))
    assert.deepStrictEqual(
      breaches(sources, ownImports, (name) => paths.has(name)),
      []
    )
  })

  it("domain knows nobody", () => {
    assert.deepStrictEqual(breaches(inRoom("domain"), ownImports, startsWithOneOf("domain/")), [])
    assert.deepStrictEqual(
      breaches(inRoom("domain"), foreignImports, (name) => name === "effect" || name.startsWith("effect/")),
      []
    )
  })

  it("services know the domain and each other", () => {
    assert.deepStrictEqual(
      breaches(inRoom("services"), ownImports, startsWithOneOf("domain/", "services/")),
      []
    )
  })

  it("http knows services and domain, and not the program around it", () => {
    assert.deepStrictEqual(
      breaches(inRoom("http"), ownImports, startsWithOneOf("domain/", "services/", "http/")),
      []
    )
  })

  it("ui knows itself alone: what it asks for it asks over HTTP", () => {
    assert.deepStrictEqual(breaches(inRoom("ui"), ownImports, startsWithOneOf("ui/")), [])
    assert.deepStrictEqual(
      breaches(inRoom("ui"), foreignImports, (name) => name === "lit" || name.startsWith("lit/")),
      []
    )
  })

  it("nobody but the program imports the program", () => {
    const rest = sources.filter(({ room }) => room !== "program")
    assert.deepStrictEqual(
      breaches(rest, ownImports, (name) => roomOf(name) !== "program"),
      []
    )
  })
})

describe("what reaches out of the process", () => {
  /** Types alone reach nowhere. */
  const only = (what: RegExp, ...where: ReadonlyArray<string>) =>
    breaches(
      sources.map(valueImportsOf),
      foreignImports,
      (name, { path }) => !what.test(name) || where.some((start) => path.startsWith(start))
    )

  it("calls others in few places", () => {
    assert.deepStrictEqual(only(/^undici\b/, ...CALLERS), [])
    const others = sources.filter(
      ({ path, text }) => /(?<![\w.])fetch\(/.test(text) && !CALLERS.some((start) => path.startsWith(start))
    )
    assert.deepStrictEqual(
      others.map(({ path }) => path),
      []
    )
  })

  it("touches what a link leads to only under the address guard", () => {
    assert.deepStrictEqual(only(/^(?:node:)?(?:http|https|http2|tls|dgram|dns)\b/, "http/", ...GUARDED), [])
    assert.deepStrictEqual(
      sources
        .filter(
          ({ room, text }) =>
            room !== "http" &&
            /\b(?:createServer|createConnection|connect)\b[^"]*"(?:node:)?net"/.test(
              text.replace(/^import .*\bisIP\b[^,}]*}/gm, "")
            )
        )
        .map(({ path }) => path)
        .filter((path) => !GUARDED.includes(path)),
      []
    )
  })

  it("starts processes in one place", () => {
    assert.deepStrictEqual(only(/^(?:node:)?(?:child_process|cluster)\b/), [])
    assert.deepStrictEqual(only(/^execa\b/, "services/media/Subprocess.ts"), [])
  })

  it("decodes pictures in a process of their own", () => {
    assert.deepStrictEqual(only(/^(?:sharp|@napi-rs\/whisper)\b/, "services/media/workers/"), [])
  })

  it("opens databases in one place, and once more in the worker that only reads", () => {
    assert.deepStrictEqual(
      only(/sqlite|sql-pg|^pg\b/, "services/database/", "services/tracking/workers/readWorker.ts"),
      []
    )
  })

  it("names no function that answers a question: its span would keep what was read", () => {
    const answering = sources.filter(({ path }) => path.startsWith("services/tracking/read/"))
    assert.isAbove(answering.length, 20)
    assert.deepStrictEqual(
      answering.filter(({ text }) => /Effect\.fn\(|withSpan/.test(text)).map(({ path }) => path),
      []
    )
  })

  it("is written against packages that are declared", async () => {
    const { default: manifest } = await import("../package.json", { with: { type: "json" } })
    const { dependencies, optionalDependencies, peerDependencies } = manifest
    const bundled = ["@effect/cli", "lit"]
    const declared = [
      ...Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies }),
      ...bundled.filter((name) => name in manifest.devDependencies)
    ]
    assert.deepStrictEqual(
      breaches(
        sources,
        foreignImports,
        // What the page is made of is in its files by then.
        (name, { room }) =>
          room === "ui" ||
          name.startsWith("node:") ||
          declared.some((known) => name === known || name.startsWith(`${known}/`))
      ),
      []
    )
  })
})

/** Who goes where clients' links lead; every one of them asks the guard first. */
const GUARDED = ["MediaRequest", "NameLookup", "AddressGuard", "EgressProxy"].map(
  (name) => `services/media/${name}.ts`
)

/** Who calls others: providers, the fetcher of media, and what the operator set for speech. */
const CALLERS = [
  "services/SteadySocket.ts",
  "services/gateway/providers/",
  "services/media/MediaRequest.ts",
  "services/media/whisper/ModelDownload.ts",
  "services/media/whisper/WhisperRemote.ts",
  "services/telemetry/Delivery.ts",
  "ui/api/"
]

describe("the page", () => {
  const found = (what: RegExp) =>
    inRoom("ui")
      .filter(({ text }) => what.test(text))
      .map(({ path }) => path)

  it("makes no markup of texts, and no styles within markup", () => {
    // Its policy would refuse most of it, but some only when it is too late.
    for (const [what, example] of [
      [/\b(?:styleMap|unsafeHTML|unsafeSVG|unsafeStatic|unsafeMathML|unsafeCSS)\b/, "unsafeHTML(text)"],
      [
        /\b(?:innerHTML|outerHTML|insertAdjacentHTML|setHTMLUnsafe|srcdoc)\b|document\.write/,
        "a.innerHTML = b"
      ],
      [/\beval\(|new Function\(|createPolicy\(/, "eval(text)"],
      [/\sstyle=|setAttribute\(\s*["'`]style/, 'html`<p style="x">`']
    ] as const) {
      assert.match(example, what)
      assert.deepStrictEqual(found(what), [], String(what))
    }
  })

  it("calls the server in one place", () => {
    assert.deepStrictEqual(found(/(?<![\w.])fetch\(|XMLHttpRequest|EventSource\(|WebSocket\(|sendBeacon/), [
      "ui/api/client.ts"
    ])
  })
})

describe("a file", () => {
  for (const { path, text } of sources)
    it(`${path} can be read in one sitting`, () => assert.isAtMost(text.trimEnd().split("\n").length, 260))

  it("names what it imports with its ending", () => {
    assert.deepStrictEqual(
      breaches(
        sources,
        ({ imports }) => imports.filter(isRelative),
        (name) => name.endsWith(".ts")
      ),
      []
    )
  })

  it("does not import itself in a circle", () => {
    const graph = new Map(sources.map((source) => [source.path, ownImports(valueImportsOf(source))]))
    const circles = Array.from(graph.keys()).filter((path) => reaches(graph, path))
    assert.deepStrictEqual(circles, [])
  })
})

/** The same file without the imports that vanish when it is built. */
const valueImportsOf = (source: Source): Source => ({
  ...source,
  imports: importsIn(source.text.replace(/^(?:import|export) type [^"']*["'][^"']+["']$/gm, ""))
})

/** Whether a file can be come back to by following imports. */
const reaches = (graph: ReadonlyMap<string, ReadonlyArray<string>>, path: string): boolean => {
  const seen = new Set<string>()
  const ahead = [...(graph.get(path) ?? [])]
  for (let next = ahead.pop(); next !== undefined; next = ahead.pop()) {
    if (next === path) return true
    if (seen.has(next)) continue
    seen.add(next)
    ahead.push(...(graph.get(next) ?? []))
  }
  return false
}
