/** A systemd unit: each section's lines, a name given twice having both its values. */
export type UnitFile = ReadonlyMap<string, ReadonlyMap<string, ReadonlyArray<string>>>

/** Reads a unit as far as this project's goes; a line that is none is an error. */
export const parseUnit = (source: string): UnitFile => {
  const unit = new Map<string, Map<string, Array<string>>>()
  let section: Map<string, Array<string>> | undefined
  for (const [at, line] of source.split("\n").entries()) {
    if (/^\s*([#;]|$)/.test(line)) continue
    const [, title] = /^\[(\w+)\]$/.exec(line) ?? []
    const [, name, value = ""] = /^(\w+)=(.*)$/.exec(line) ?? []
    if (title !== undefined) unit.set(title, (section = new Map()))
    else if (name === undefined || section === undefined)
      throw new Error(`line ${at + 1} is none of a unit: ${line}`)
    else section.set(name, [...(section.get(name) ?? []), value])
  }
  return unit
}

/** `45`, `45s`, `2 minutes`. */
export const secondsIn = (text: string): number => {
  const [, amount = "", unit = ""] = /^(\d+)\s*(\w*)$/.exec(text) ?? []
  return amount === "" ? Number.NaN : Number(amount) * (unit.startsWith("m") ? 60 : 1)
}
