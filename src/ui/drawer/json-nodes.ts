/** A name and what it stands for; only what is opened is ever listed. */
export type Entry = readonly [name: string, value: unknown]

/** What is in a value, by its own names alone; many things come in groups, and those in groups: no JSON has a map. */
export const entriesOf = (value: unknown): ReadonlyArray<Entry> => {
  const entries: ReadonlyArray<Entry> = value instanceof Map ? Array.from(value) : Object.entries(value ?? {})
  if (entries.length <= AT_ONCE) return entries
  let size = AT_ONCE
  while (size * AT_ONCE < entries.length) size *= AT_ONCE
  return Array.from({ length: Math.ceil(entries.length / size) }, (_, at) => {
    const group = entries.slice(at * size, (at + 1) * size)
    return [`${group[0]?.[0]} … ${group.at(-1)?.[0]}`, new Map(group)]
  })
}

/** How many things are in what can be opened; undefined for what cannot. */
export const sizeOf = (value: unknown): number | undefined =>
  typeof value === "object" && value !== null
    ? (value instanceof Map ? value.size : Object.keys(value).length) || undefined
    : undefined

const AT_ONCE = 100
