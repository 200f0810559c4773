/** Writes shorter what no bundler does: what stands in templates, and the names of styles' own properties. */
import { parseSync } from "rolldown/utils"

/** The oldest ones that know `light-dark()`. */
const BROWSERS = ["chrome123", "firefox128", "safari17.5"]

/** Space beside these is never seen, nor are edges of what is in a button. */
const BLOCKS =
  "aside|caption|dd|details|dialog|div|dl|dt|form|h[1-4]|header|li|main|nav|ol|p|path|percept-[a-z-]+|pre|rect|search|section|summary|svg|table|tbody|td|th|thead|tr|ul"

/** `tokens` are the styles that give properties their names. */
export const slim = (tokens, transform) => {
  const names = new Map(tokens.match(/--[\w-]+(?=:)/g).map((name, at) => [name, `--${at.toString(36)}`]))

  const slimStyles = async (styles) => {
    const { code } = await transform(styles, {
      loader: "css",
      minify: true,
      charset: "utf8",
      target: BROWSERS
    })
    return code.trim().replaceAll(/--[\w-]+/g, (name) => names.get(name) ?? name)
  }

  const slimTemplates = async (path, code) => {
    const edits = []
    for (const { start, tag, quasi } of templatesOf(parseSync(path, code).program)) {
      const pieces = quasi.quasis.map(({ value }) => value.raw)
      if (tag.name === "css") edits.push([start, quasi.end, `\`${await slimStyles(pieces[0])}\``])
      else if (tag.name === "html" || tag.name === "svg")
        slimMarkup(pieces, tag.name).forEach((piece, at) => {
          // What begins and ends a piece counts as its own.
          const start = quasi.quasis[at].start + 1
          edits.push([start, start + pieces[at].length, piece])
        })
    }
    let slimmer = code
    for (const [start, end, text] of edits.toSorted(([one], [other]) => other - one))
      slimmer = slimmer.slice(0, start) + text + slimmer.slice(end)
    return slimmer
  }

  return { slimStyles, slimTemplates }
}

/** All tagged templates in a part of a program, those in others too. */
const templatesOf = (node) => {
  if (typeof node !== "object" || node === null) return []
  const inner = Object.values(node).flatMap(templatesOf)
  return node.type === "TaggedTemplateExpression" ? [node, ...inner] : inner
}

export const slimMarkup = (pieces, kind) => {
  const slimmer = pieces
    .join(HOLE)
    .replaceAll(/\s+/g, " ")
    .replaceAll(/<[^>]*>/g, (tag) => tag.replace(/ (?=\/?>$)/, "").replaceAll(/="([\w-]+)"(?=[ >])/g, "=$1"))
    .replaceAll(/(<(?:img|input|link|meta)\b[^>]*)\/>/g, "$1>")
    .replaceAll(new RegExp(` ?(</?(?:${BLOCKS})\\b[^>]*>) ?`, "g"), "$1")
    // What follows ends these as well.
    .replaceAll(
      /<\/(?:dd|dt|li|p|td|th|tr)>(?=$|<\/(?:dialog|div|dl|form|main|ol|section|table|tbody|thead|tr|ul)>|<(?:dd|div|dl|dt|li|ol|p|td|th|tr|ul)\b)/g,
      ""
    )
    .replaceAll(/(<(?:button|label)\b[^>]*>) /g, "$1")
    .replaceAll(/ (<\/(?:button|label)>)/g, "$1")
  return (kind === "svg" ? slimmer.replaceAll(/ ?(<[^>]*>) ?/g, "$1") : slimmer).split(HOLE)
}

/** Stands for what a template takes in. */
const HOLE = "\u0001"
