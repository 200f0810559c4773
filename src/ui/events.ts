import type { Query } from "./model/query.ts"

/** Shows something else, as below. */
export type Go = (change: Partial<Query>, replace?: boolean) => void

/** What an element asks of the page. */
export interface Wish {
  /** To show something else; the app alone changes the address. */
  readonly change?: Partial<Query>
  /** Steps that nobody wants to go back to, such as letters of a search, take the place of the last one. */
  readonly replace?: boolean
  /** One row up or down, from within the drawer. */
  readonly step?: 1 | -1
  /** Something worth a short notice, such as what has been copied. */
  readonly notice?: string
}

export const wish = (from: EventTarget, detail: Wish): void => {
  from.dispatchEvent(new CustomEvent("percept-wish", { detail, bubbles: true, composed: true }))
}
