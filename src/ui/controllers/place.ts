import { draw } from "../drawing.ts"
import { addressOf, changed, isOfPage, parse } from "../model/query.ts"
import type { Query } from "../model/query.ts"

const here = (): Query => parse(location.pathname, location.search)

/** What is shown: it and the address are always the same. */
export let query = here()

/** Shows something else. With `replace` nobody can go back to where the page was, such as to letters of a search. */
export const go = (change: Partial<Query>, replace = false): void => {
  const next = changed(query, change)
  const address = addressOf(next)
  if (address === addressOf(query)) return
  history[replace ? "replaceState" : "pushState"](null, "", address)
  query = next
  draw()
}

/** Follows links of the page within it, unless they are to be opened elsewhere. */
export const followLink = (event: MouseEvent): void => {
  const link = event.target instanceof Element && event.target.closest("a")
  if (!isPlain(event) || event.shiftKey || !link || !isOfPage(link.pathname)) return
  event.preventDefault()
  const { medium, selected, view } = parse(link.pathname, link.search)
  go({ medium, selected, view })
}

export const isPlain = ({
  altKey,
  ctrlKey,
  defaultPrevented,
  metaKey
}: KeyboardEvent | MouseEvent): boolean => !(altKey || ctrlKey || defaultPrevented || metaKey)

addEventListener("popstate", () => {
  query = here()
  draw()
})
