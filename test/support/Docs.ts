import type { Setting } from "../../src/services/config/Setting.ts"

type Settings = { readonly [key: string]: Setting<unknown> }

/** The text of `.env.example`: every setting once, switched off, with what it is for. */
export const envExample = (settings: Settings): string =>
  [
    "# Every setting of Percept. Copy this file to .env, take the # off the lines you want, and change them.",
    "# Shown is what holds where a line is left out, or an example where nothing does.",
    ...Object.values(settings).map((setting) => `\n${paragraph(described(setting))}\n${lineOf(setting)}`),
    ""
  ].join("\n")

/** The table of settings in the README. */
export const settingsTable = (settings: Settings): string =>
  [
    "| Variable | Default | What it does |",
    "| --- | --- | --- |",
    ...Object.values(settings).map(
      (setting) => `| \`${setting.name}\` | ${defaultOf(setting)} | ${escaped(described(setting))} |`
    )
  ].join("\n")

const lineOf = ({ example, fallback, name }: Setting<unknown>): string =>
  `# ${name}=${fallback === "" ? example : fallback}`

const described = ({ about, aliases }: Setting<unknown>): string =>
  aliases.length === 0
    ? about
    : `${about} Also understood: ${aliases.map((name) => `\`${name}\``).join(", ")}.`

const defaultOf = ({ fallback }: Setting<unknown>): string => (fallback === "" ? "" : `\`${fallback}\``)

const escaped = (text: string): string => text.replaceAll("|", "\\|")

/** Comment lines no longer than a terminal is wide. */
const paragraph = (text: string): string => {
  const lines: Array<string> = []
  let line = "#"
  for (const word of text.split(" ")) {
    if (line.length + word.length + 1 > WIDTH) {
      lines.push(line)
      line = "#"
    }
    line += ` ${word}`
  }
  return [...lines, line].join("\n")
}

const WIDTH = 100
