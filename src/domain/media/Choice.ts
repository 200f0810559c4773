import type { MediaRef } from "./MediaRef.ts"

/** One medium, however often a request names it. */
export interface Item {
  readonly key: string
  /** Where it is named first; there it is shown. */
  readonly ref: MediaRef
  readonly all: ReadonlyArray<MediaRef>
  /** Its place among the media of its message, from 1: earlier messages never change when a chat goes on. */
  readonly item: number
  readonly of: number
}

export interface Choice {
  readonly items: ReadonlyArray<Item>
  readonly skipped: ReadonlyArray<Item>
}

/**
 * Which media are looked at: the newest ones. Images that came along cost nothing to get, and do not count, as long
 * as there are no more of them than any conversation has.
 */
export const choose = (
  refs: ReadonlyArray<MediaRef>,
  keyOf: (ref: MediaRef) => string,
  limit: number
): Choice => {
  const byKey = new Map<string, Array<MediaRef>>()
  for (const ref of refs) {
    const key = keyOf(ref)
    const known = byKey.get(key)
    if (known === undefined) byKey.set(key, [ref])
    else known.push(ref)
  }
  const found = Array.from(byKey, ([key, all]) => ({ key, all, ref: all[0] })).flatMap(({ ref, ...rest }) =>
    ref === undefined ? [] : [{ ...rest, ref }]
  )
  const newest = found.toSorted((one, other) => latest(other.all) - latest(one.all))
  const along = newest.filter(({ ref }) => cameAlong(ref))
  const counted = newest.filter(({ ref }) => !cameAlong(ref))
  const dropped = new Set([...counted.slice(limit), ...along.slice(MOST_ALONG)])
  const perMessage = new Map<number, number>()
  const places = found.map(({ ref }) => {
    const place = (perMessage.get(ref.message) ?? 0) + 1
    perMessage.set(ref.message, place)
    return place
  })
  const items: Array<Item> = []
  const skipped: Array<Item> = []
  found.forEach((named, at) => {
    const of = perMessage.get(named.ref.message) ?? 1
    const item = { ...named, item: places[at] ?? 1, of }
    if (dropped.has(named)) skipped.push(item)
    else items.push(item)
  })
  return { items, skipped }
}

const cameAlong = ({ kind, source }: MediaRef): boolean => kind === "image" && "data" in source

const latest = (refs: ReadonlyArray<MediaRef>): number => refs.at(-1)?.message ?? 0

const MOST_ALONG = 256
