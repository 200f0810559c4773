import { parseDockerfile } from "./Dockerfile.ts"
import type { Dockerfile, Instruction, Stage } from "./Dockerfile.ts"

/** What is wrong with a Dockerfile, one sentence each: those of hadolint's rules that matter here, and some of ours. */
export const lintDockerfile = (source: string): ReadonlyArray<string> => {
  const file = parseDockerfile(source)
  const final = file.stages.at(-1)
  if (final === undefined) return ["it has no stage"]
  const instructions = file.stages.flatMap((stage) => stage.instructions)
  return [
    ...file.stages.flatMap((stage) => imageOf(stage, file)),
    ...instructions.flatMap((each) => RULES.flatMap((rule) => at(each, rule(each)))),
    ...instructions.flatMap((each) => at(each, sourceStage(each, file))),
    ...finalStage(final)
  ]
}

type Rule = (instruction: Instruction) => string | undefined

const shell = (matches: RegExp, complaint: string, unless?: RegExp): Rule =>
  function rule({ name, text }) {
    return name === "RUN" && matches.test(text) && !(unless?.test(text) ?? false) ? complaint : undefined
  }

const RULES: ReadonlyArray<Rule> = [
  shell(/\bsudo\b/, "uses sudo (DL3004)"),
  shell(/(^|[;&|]\s*)cd\s/, "changes its folder; use WORKDIR (DL3003)"),
  shell(/(^|[;&|]\s*)apt\s/, "uses apt, which is for people; use apt-get (DL3027)"),
  shell(
    /apt-get\s+(\S+\s+)*install/,
    "leaves apt's lists in the image (DL3009)",
    /rm -rf \/var\/lib\/apt\/lists\/\*/
  ),
  shell(/apt-get\s+(\S+\s+)*install/, "installs without a fresh list (DL3009)", /apt-get\s+update/),
  shell(/apt-get\s+(\S+\s+)*install/, "takes what is only recommended (DL3015)", /--no-install-recommends/),
  shell(/apt-get\s+(\S+\s+)*install/, "would ask for a yes (DL3014)", /--yes|-y\b/),
  shell(/\bnpm\s+(install|i|add)\b/, "installs what no lock pins; use npm ci (DL3016)"),
  shell(/\b(curl|wget)\b/, "downloads without a checksum", /sha256sum\s+(-c|--check)/),
  shell(/[^|]\|[^|]/, "hides the failure of a pipe (DL4006)", /pipefail/),
  ({ flags, name, text }) =>
    name === "ADD" && !(text.startsWith("https://") && /^sha256:[0-9a-f]{64}$/.test(flags["checksum"] ?? ""))
      ? "adds what no checksum pins; use COPY for files (DL3020)"
      : undefined,
  ({ name, words }) =>
    ["CMD", "ENTRYPOINT", "HEALTHCHECK"].includes(name) && words === undefined
      ? "runs a shell before its program (DL3025)"
      : undefined,
  ({ name, text }) =>
    name === "WORKDIR" && !text.startsWith("/") ? "has a relative folder (DL3000)" : undefined,
  ({ name, text }) =>
    ["ENV", "ARG"].includes(name) && /\w*(KEY|TOKEN|PASSWORD|SECRET)\w*=\S/.test(text)
      ? "bakes a secret into the image"
      : undefined,
  ({ name, text }) => (name === "MAINTAINER" ? `is no longer an instruction: ${text} (DL4000)` : undefined)
]

const imageOf = ({ image, line }: Stage, { stages }: Dockerfile): ReadonlyArray<string> => {
  if (stages.some(({ name }) => name === image)) return []
  return [
    ...(/:latest\b/.test(image) ? [`line ${line}: ${image} is the latest of something (DL3007)`] : []),
    ...(/^[^@]+:[\w.-]+@/.test(image) ? [] : [`line ${line}: ${image} has no tag (DL3006)`]),
    ...(/@sha256:[0-9a-f]{64}$/.test(image) ? [] : [`line ${line}: ${image} is not pinned by digest`])
  ]
}

const sourceStage = ({ flags, name }: Instruction, { stages }: Dockerfile): string | undefined => {
  const from = flags["from"]
  if (name !== "COPY" || from === undefined || stages.some((stage) => stage.name === from)) return undefined
  return `copies from ${from}, which is no stage (DL3022)`
}

const finalStage = ({ instructions, line }: Stage): ReadonlyArray<string> => {
  const user = instructions.findLast(({ name }) => name === "USER")?.text
  const missing = ["HEALTHCHECK", "ENTRYPOINT"].filter(
    (wanted) => !instructions.some(({ name }) => name === wanted)
  )
  return [
    ...missing.map((name) => `line ${line}: the image has no ${name}`),
    ...(user === undefined || /^(root|0)(:|$)/.test(user)
      ? [`line ${line}: the image runs as root (DL3002)`]
      : [])
  ]
}

const at = ({ line, name }: Instruction, complaint: string | undefined): ReadonlyArray<string> =>
  complaint === undefined ? [] : [`line ${line}: ${name} ${complaint}`]
