import type { LitElement, ReactiveController } from "lit"
import type { Go } from "../events.ts"

/** The field for words: the list follows what is typed, and the field what others change. */
export class SearchField implements ReactiveController {
  private readonly host: LitElement
  private readonly go: Go
  private readonly current: () => string
  /** What the field says, as far as anybody was told. */
  private told = ""
  private timer: ReturnType<typeof setTimeout> | undefined

  constructor(host: LitElement, current: () => string, go: Go) {
    this.host = host
    this.current = current
    this.go = go
    host.addController(this)
  }

  get input(): HTMLInputElement | null {
    return this.host.renderRoot.querySelector("search input")
  }

  hostUpdated(): void {
    const text = this.current()
    if (this.input === null) this.told = ""
    else if (text !== this.told) this.input.value = this.told = text
  }

  /** Letters follow each other: the list follows when there are no more for a moment. */
  readonly type = (): void => {
    clearTimeout(this.timer)
    this.timer = setTimeout(this.tell, 250)
  }

  readonly press = (event: KeyboardEvent): void => {
    if (event.key === "Enter") this.tell()
    if (event.key !== "Escape") return
    event.preventDefault()
    this.input?.blur()
  }

  private readonly tell = (): void => {
    clearTimeout(this.timer)
    const former = this.told
    this.told = this.input?.value ?? ""
    this.go({ search: this.told }, former !== "")
  }
}
