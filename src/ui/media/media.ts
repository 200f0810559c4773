import { html, nothing } from "lit/html.js"
import { forget, lookAgain, readMedia, readMedium } from "../api/media.ts"
import type { Media, MediumDetail } from "../api/media.ts"
import { Load } from "../controllers/load.ts"
import { panel } from "../drawer/styles.ts"
import { Component, define } from "../element.ts"
import type { Changes } from "../element.ts"
import { wish } from "../events.ts"
import type { Query } from "../model/query.ts"
import { shared } from "../styles/shared.ts"
import { listView } from "./list.ts"
import { mediumView, question } from "./medium.ts"
import type { Deed } from "./medium.ts"
import { mediaStyles } from "./styles.ts"

/** The memory: every medium that is known, and what knowing it has saved. */
class MediaView extends Component {
  declare medium: string | undefined
  declare search: string
  declare utc: boolean
  declare kind: string
  declare asking: Deed | undefined
  /** What came of the last deed. */
  declare outcome: string
  protected override readonly styles = [shared, panel, mediaStyles]
  private readonly all = new Load<Media>(this)
  private readonly one = new Load<MediumDetail>(this)
  private pause: ReturnType<typeof setTimeout> | undefined

  constructor() {
    super()
    this.kind = ""
  }

  protected override willUpdate(changed: Changes): void {
    const { medium } = this
    if (changed.has("medium")) {
      this.one.set(undefined)
      this.outcome = ""
      // What had the focus is gone.
      if (this.renderRoot.firstChild)
        void this.updateComplete.then(() =>
          this.renderRoot.querySelector<HTMLElement>("button, select")?.focus()
        )
    }
    const isOther = changed.has("medium") || changed.has("search") || changed.has("kind")
    if (medium === undefined && isOther) void this.all.run((signal) => this.read(signal, null))
    else if (medium !== undefined && changed.has("medium"))
      void this.one.run((signal) => readMedium(medium, signal))
  }

  protected override render() {
    const { asking, medium } = this
    const { error } = medium === undefined ? this.all : this.one
    return html`${medium === undefined ? listView(this, this.all.value) : this.detail()}
    ${error && html`<p class="err" role="alert">✕ ${error.message}</p>`}
    ${asking && medium ? question(asking, () => this.act(asking, medium), this.dismiss) : nothing}`
  }

  private detail() {
    const { value } = this.one
    return html`<p class="row">
        <button @click=${() => this.change({ medium: undefined })}>← All media</button>
        <span role="status">${this.outcome}</span>
      </p>
      ${value && mediumView(value, this.utc, (deed) => this.ask(deed))}`
  }

  private read(signal: AbortSignal, cursor: string | null): Promise<Media> {
    return readMedia(this.search, this.kind, cursor, signal)
  }

  readonly more = (known: Media) =>
    this.all.run(async (signal) => {
      const more = await this.read(signal, known.next_cursor)
      return { ...more, items: [...known.items, ...more.items] }
    })

  private async ask(deed: Deed): Promise<void> {
    this.asking = deed
    await this.updateComplete
    this.renderRoot.querySelector("dialog")?.showModal()
  }

  private async act(deed: Deed, medium: string): Promise<void> {
    this.dismiss()
    try {
      await (deed === "forget" ? forget(medium) : lookAgain(medium))
      this.outcome = "It is being looked at again; that may take a while."
      if (deed === "again") return
      wish(this, { notice: "It is forgotten." })
      this.change({ medium: undefined }, true)
    } catch (cause) {
      this.outcome = `✕ ${cause instanceof Error ? cause.message : ""}`
    }
  }

  private change(change: Partial<Query>, replace = false): void {
    wish(this, { change, replace })
  }

  private readonly dismiss = () => {
    this.asking = undefined
  }

  readonly choose = ({ target }: Event) => {
    if (target instanceof HTMLSelectElement) this.kind = target.value
  }

  readonly seek = ({ target }: Event) => {
    clearTimeout(this.pause)
    if (target instanceof HTMLInputElement)
      this.pause = setTimeout(() => this.change({ search: target.value }, true), 250)
  }
}

define("percept-media", MediaView, "medium", "search", "utc", "kind", "asking", "outcome")
