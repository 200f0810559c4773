/** One instruction of a Dockerfile, with its continued lines put together. */
export interface Instruction {
  readonly line: number
  readonly name: string
  readonly flags: Readonly<Record<string, string>>
  /** What follows the flags. */
  readonly text: string
  /** The words of the exec form; absent where it is not one. */
  readonly words?: ReadonlyArray<string>
}

/** A `FROM` and what follows it. */
export interface Stage {
  readonly image: string
  readonly name: string | undefined
  readonly line: number
  readonly instructions: ReadonlyArray<Instruction>
}

export interface Dockerfile {
  /** The `ARG`s before the first stage. */
  readonly args: Readonly<Record<string, string>>
  readonly stages: ReadonlyArray<Stage>
}

/** Reads a Dockerfile as far as this project's goes: no heredocs, no escapes but the backslash. */
export const parseDockerfile = (source: string): Dockerfile => {
  const args: Record<string, string> = {}
  const stages: Array<Stage & { readonly instructions: Array<Instruction> }> = []
  for (const instruction of instructionsOf(source)) {
    const current = stages.at(-1)
    if (instruction.name === "FROM") {
      const [image = "", , name] = instruction.text.split(/\s+/)
      const { line } = instruction
      stages.push({ image: expanded(image, args), name, line, instructions: [] })
    } else if (current !== undefined) current.instructions.push(instruction)
    else if (instruction.name === "ARG") {
      const [, name = "", value = ""] = /^(\w+)(?:=(.*))?$/.exec(instruction.text) ?? []
      args[name] = value
    }
  }
  return { args, stages }
}

const instructionsOf = (source: string): ReadonlyArray<Instruction> => {
  const found: Array<Instruction> = []
  let pending = ""
  let line = 0
  source.split("\n").forEach((text, at) => {
    if (/^\s*(#|$)/.test(text)) return
    if (pending === "") line = at + 1
    pending += text.replace(/\\\s*$/, " ")
    if (/\\\s*$/.test(text)) return
    found.push(instruction(pending.trim(), line))
    pending = ""
  })
  return found
}

const instruction = (text: string, line: number): Instruction => {
  const [, name = "", rest = ""] = /^(\w+)\s+([^]*)$/.exec(text) ?? []
  const flags: Record<string, string> = {}
  let left = rest
  for (;;) {
    const [all, flag, value = ""] = /^--([\w-]+)(?:=(\S*))?\s+/.exec(left) ?? []
    if (all === undefined || flag === undefined) break
    flags[flag] = value
    left = left.slice(all.length)
  }
  // A health check's command has its own keyword before it.
  const words = execForm(left.replace(/^CMD\s+/, ""))
  return {
    line,
    name: name.toUpperCase(),
    flags,
    text: left.trim(),
    ...(words === undefined ? {} : { words })
  }
}

const execForm = (text: string): ReadonlyArray<string> | undefined => {
  if (!text.startsWith("[")) return undefined
  try {
    const words: unknown = JSON.parse(text)
    return Array.isArray(words) ? words.map(String) : undefined
  } catch {
    return undefined
  }
}

const expanded = (text: string, args: Readonly<Record<string, string>>): string =>
  text.replace(/\$\{?(\w+)\}?/g, (all, name: string) => args[name] ?? all)
