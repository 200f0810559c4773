import { isOfPage } from "../model/query.ts"

/** The link of the page that is followed, unless it is to be opened elsewhere; the browser leaves it to the page. */
export const pageLinkOf = (event: MouseEvent): HTMLAnchorElement | undefined => {
  const link = event.composedPath().find((node) => node instanceof HTMLAnchorElement)
  if (!isPlain(event) || event.shiftKey || !link || link.download || !isOfPage(link.pathname)) return
  event.preventDefault()
  return link
}

export const isPlain = ({
  altKey,
  ctrlKey,
  defaultPrevented,
  metaKey
}: KeyboardEvent | MouseEvent): boolean => !(altKey || ctrlKey || defaultPrevented || metaKey)
