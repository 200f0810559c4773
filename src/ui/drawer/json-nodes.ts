/** A name and what it stands for; only what is opened is ever listed. */
export type Entry = readonly [name: string, value: unknown]

/** Neighbours in a list that is too long to be shown as one. */
export class Group {
  readonly entries: ReadonlyArray<Entry>

  constructor(entries: ReadonlyArray<Entry>) {
    this.entries = entries
  }
}

/** What is in a value, by its own names alone; many things come in groups, and those in groups. */
export const entriesOf = (value: unknown): ReadonlyArray<Entry> => {
  const entries = value instanceof Group ? value.entries : Object.entries(value ?? {})
  if (entries.length <= AT_ONCE) return entries
  let size = AT_ONCE
  while (size * AT_ONCE < entries.length) size *= AT_ONCE
  return Array.from({ length: Math.ceil(entries.length / size) }, (_, at) => {
    const group = entries.slice(at * size, (at + 1) * size)
    return [`${group[0]?.[0]} … ${group.at(-1)?.[0]}`, new Group(group)]
  })
}

/** How many things are in what can be opened; undefined for what cannot. */
export const sizeOf = (value: unknown): number | undefined =>
  typeof value === "object" && value !== null
    ? (value instanceof Group ? value.entries : Object.keys(value)).length || undefined
    : undefined

export { parsed } from "../api/client.ts"

const AT_ONCE = 100
