import type { Query } from "./model/query.ts"

/** Shows something else, as below. */
export type Go = (change: Partial<Query>, replace?: boolean) => void

/** An element asks that the page show something else; the app alone changes the address. */
export class ChangeQuery extends Event {
  static readonly type = "percept-query"
  readonly change: Partial<Query>
  /** Steps that nobody wants to go back to, such as letters of a search, take the place of the last one. */
  readonly replace: boolean

  constructor(change: Partial<Query>, replace = false) {
    super(ChangeQuery.type, { bubbles: true, composed: true })
    this.change = change
    this.replace = replace
  }
}

/** One row up or down, from within the drawer. */
export class StepRow extends Event {
  static readonly type = "percept-step"
  readonly by: 1 | -1

  constructor(by: 1 | -1) {
    super(StepRow.type, { bubbles: true, composed: true })
    this.by = by
  }
}

/** Something worth a short notice, such as what has been copied. */
export class Notice extends Event {
  static readonly type = "percept-notice"
  readonly text: string

  constructor(text: string) {
    super(Notice.type, { bubbles: true, composed: true })
    this.text = text
  }
}

declare global {
  interface HTMLElementEventMap {
    "percept-query": ChangeQuery
    "percept-step": StepRow
    "percept-notice": Notice
  }
}
