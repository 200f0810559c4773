import { html, render } from "lit/html.js"
import { readPicture } from "../api/media.ts"

/** A remembered picture, fetched when it comes into sight: an address alone would not carry the key. */
class Picture extends HTMLElement {
  /** Without one it is no link to itself. */
  declare alt: string
  #sha256 = ""
  #url = ""
  readonly #sight = new IntersectionObserver(async ([entry]) => {
    if (!entry?.isIntersecting) return
    this.#sight.disconnect()
    const sha256 = this.#sha256
    const picture = await readPicture(sha256).catch(() => undefined)
    if (picture && this.isConnected && sha256 === this.#sha256) this.#show(URL.createObjectURL(picture))
  })

  set sha256(sha256: string) {
    this.#sha256 = sha256
    this.connectedCallback()
  }

  connectedCallback(): void {
    this.#show("")
    this.#sight.observe(this)
  }

  disconnectedCallback(): void {
    this.#show("")
    this.#sight.disconnect()
  }

  /** A picture that is not shown any more takes no memory. */
  #show(url: string): void {
    const { alt } = this
    URL.revokeObjectURL(this.#url)
    this.#url = url
    const image = url ? html`<img src=${url} alt=${alt} />` : alt
    render(url && alt ? html`<a href=${url} target="_blank">${image}</a>` : image, this)
  }
}

export const picture = (sha256: string, alt: string) =>
  html`<percept-picture .alt=${alt} .sha256=${sha256}></percept-picture>`

customElements.define("percept-picture", Picture)
