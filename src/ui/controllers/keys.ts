import { step } from "../parts/table.ts"
import { help } from "../parts/top-bar.ts"
import { loadAll, rows } from "./data.ts"
import { go, isPlain, query } from "./place.ts"

/** Single keys for the whole page; they are nobody's while somebody types, holds a modifier, or has a dialog open. */
export const press = (event: KeyboardEvent): void => {
  const act = KEYS[event.key]
  if (!act || !isPlain(event) || event.isComposing) return
  if (document.querySelector("dialog[open], :popover-open")) return
  const taken = event.key.startsWith("Arrow") ? `${TEXTS}, ${ARROWS}` : TEXTS
  if (event.target instanceof Element && event.target.closest(taken)) return
  if (act() !== false) event.preventDefault()
}

const turn = (cursor: string | null | undefined) => cursor && go({ cursor })
const down = () => step(1)
const up = () => step(-1)

/** What keys do; where that is false they do what they always do. */
const KEYS: { readonly [key: string]: () => unknown } = {
  j: down,
  k: up,
  ArrowDown: down,
  ArrowUp: up,
  Escape: () => go({ selected: undefined }),
  "/": () => document.querySelector<HTMLInputElement>("search input")?.select(),
  l: () => go({ tail: !query.tail }),
  r: loadAll,
  "[": () => turn(rows.value?.prev_cursor),
  "]": () => turn(rows.value?.next_cursor),
  "?": help
}

const TEXTS = "select, input:not([type=checkbox])"

/** Charts move by arrows themselves, and a drawer scrolls. */
const ARROWS = "[role=slider], percept-drawer"
