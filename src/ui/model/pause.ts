import { INITIAL } from "./query.ts"
import type { Query } from "./query.ts"

/** Why new rows do not come in by themselves, although they should; undefined while they do. */
export const pauseOf = ({ cursor, order, selected, sort }: Query, isHidden: boolean): string | undefined => {
  if (selected !== undefined) return "paused while a request is open"
  if (cursor !== undefined) return "paused on a later page"
  if (sort !== INITIAL.sort || order !== INITIAL.order) return "paused in another order"
  return isHidden ? "paused while nobody looks" : undefined
}
