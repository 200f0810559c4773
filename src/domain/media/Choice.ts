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

/** Which media are looked at: the newest ones. Images that came along cost nothing to get, and do not count. */
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
  const counted = found.filter(({ ref }) => !cameAlong(ref))
  const newest = counted.toSorted((one, other) => latest(other.all) - latest(one.all))
  const dropped = new Set(newest.slice(limit).map((item) => found.indexOf(item)))
  const isDropped = (at: number) => dropped.has(at)
  const placed = found.map((item) => {
    const { all, key, ref } = item
    const here = found.filter((other) => other.ref.message === ref.message)
    return { key, all, ref, item: here.indexOf(item) + 1, of: here.length }
  })
  return {
    items: placed.filter((_, at) => !isDropped(at)),
    skipped: placed.filter((_, at) => isDropped(at))
  }
}

const cameAlong = ({ kind, source }: MediaRef): boolean => kind === "image" && "data" in source

const latest = (refs: ReadonlyArray<MediaRef>): number => refs.at(-1)?.message ?? 0
