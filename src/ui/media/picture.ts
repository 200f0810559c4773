import { html } from "lit/html.js"
import { readPicture } from "../api/media.ts"
import { Component, css, define } from "../element.ts"
import type { Changes } from "../element.ts"
import { shared } from "../styles/shared.ts"

/** A remembered picture, fetched when it comes into sight: an address alone would not carry the key. */
class Picture extends Component {
  protected override readonly styles = [
    shared,
    css`
      :host {
        display: block;
        aspect-ratio: 16 / 9;
        border-radius: var(--radius);
        background: var(--sunken);
      }
      img {
        display: block;
        width: 100%;
        aspect-ratio: 16 / 9;
        object-fit: contain;
      }
    `
  ]
  declare sha256: string
  /** Without one it is no link to itself. */
  declare alt: string
  declare url: string | undefined
  private ending = new AbortController()
  private readonly sight = new IntersectionObserver(([entry]) => entry?.isIntersecting && this.load())

  override connectedCallback(): void {
    super.connectedCallback()
    this.sight.observe(this)
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.drop()
  }

  protected override willUpdate(changed: Changes): void {
    if (!changed.get("sha256")) return
    this.drop()
    this.sight.observe(this)
  }

  protected override render() {
    const { alt, url } = this
    const image = url && html`<img src=${url} alt=${alt} />`
    return url && alt ? html`<a href=${url} target="_blank">${image}</a>` : (image ?? alt)
  }

  private async load(): Promise<void> {
    this.sight.disconnect()
    const { signal } = (this.ending = new AbortController())
    const picture = await readPicture(this.sha256, signal).catch(() => undefined)
    if (picture && !signal.aborted) this.url = URL.createObjectURL(picture)
  }

  /** A picture that is not shown any more takes no memory. */
  private drop(): void {
    this.sight.disconnect()
    this.ending.abort()
    if (this.url) URL.revokeObjectURL(this.url)
    this.url = undefined
  }
}

define("percept-picture", Picture, "sha256", "alt", "url")
