/** Another bucket is looked at, or none. */
export class MoveCursor extends Event {
  static readonly type = "percept-cursor"
  readonly at: number | undefined

  constructor(at: number | undefined) {
    super(MoveCursor.type, { bubbles: true, composed: true })
    this.at = at
  }
}

/** A mark of a chart is clicked, such as the failed part of a bar. */
export class PickMark extends Event {
  static readonly type = "percept-mark"
  readonly mark: string

  constructor(mark: string) {
    super(PickMark.type, { bubbles: true, composed: true })
    this.mark = mark
  }
}
