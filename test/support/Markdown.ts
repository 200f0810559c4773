/** A fenced block of a document. */
export interface Block {
  readonly language: string
  readonly line: number
  readonly text: string
}

/** Where a document points to. */
export interface Link {
  readonly line: number
  readonly target: string
}

export const blocksOf = (markdown: string): ReadonlyArray<Block> => {
  const blocks: Array<Block> = []
  let open: { language: string; line: number; text: Array<string> } | undefined
  markdown.split("\n").forEach((text, at) => {
    const [, language] = /^```(\S*)\s*$/.exec(text) ?? []
    if (language === undefined) open?.text.push(text)
    else if (open === undefined) open = { language, line: at + 1, text: [] }
    else {
      blocks.push({ ...open, text: open.text.join("\n") })
      open = undefined
    }
  })
  if (open !== undefined) throw new Error(`the block of line ${open.line} has no end`)
  return blocks
}

/** What is not in a block, its lines where they were. */
export const proseOf = (markdown: string): string => {
  let inside = false
  return markdown
    .split("\n")
    .map((text) => {
      const isFence = text.startsWith("```")
      const shown = inside || isFence ? "" : text
      if (isFence) inside = !inside
      return shown
    })
    .join("\n")
}

export const linksOf = (markdown: string): ReadonlyArray<Link> =>
  proseOf(markdown)
    .split("\n")
    .flatMap((text, at) =>
      Array.from(text.replace(/`[^`]*`/g, "code").matchAll(/\]\(([^)\s]+)\)/g), ([, target = ""]) => ({
        line: at + 1,
        target
      }))
    )

/** The anchors that a page of GitHub has for its headings. */
export const anchorsOf = (markdown: string): ReadonlySet<string> => {
  const seen = new Map<string, number>()
  const anchors = Array.from(proseOf(markdown).matchAll(/^#{1,6} +(.+)$/gm), ([, heading = ""]) => {
    const plain = heading.replace(/[`*]|\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase()
    const slug = plain.replace(/[^\p{L}\p{N}\s_-]/gu, "").replaceAll(" ", "-")
    const before = seen.get(slug) ?? 0
    seen.set(slug, before + 1)
    return before === 0 ? slug : `${slug}-${before}`
  })
  return new Set(anchors)
}

/** The words between single backticks. */
export const codeOf = (markdown: string): ReadonlyArray<string> =>
  Array.from(proseOf(markdown).matchAll(/`([^`\n]+)`/g), ([, code = ""]) => code)

/** A block of a shell as its commands: continued lines and open quotes belong together, comments are gone. */
export const commandsOf = (block: string): ReadonlyArray<string> => {
  const commands: Array<string> = []
  let pending = ""
  for (const line of block.split("\n")) {
    pending = pending === "" ? line : `${pending}\n${line}`
    if (line.endsWith("\\") || isQuoted(pending)) continue
    const bare = pending.replace(/(^|\s)#\s.*$/, "").trim()
    if (bare !== "") commands.push(bare)
    pending = ""
  }
  if (pending !== "") commands.push(pending)
  return commands
}

const isQuoted = (text: string): boolean => {
  let quote = ""
  for (const character of text)
    if (quote === "" && (character === "'" || character === '"')) quote = character
    else if (character === quote) quote = ""
  return quote !== ""
}
