import { render } from "lit/html.js"

/** Something that lives as long as its element is on the page. */
export interface Controller {
  hostConnected?(): void
  hostDisconnected?(): void
  hostUpdated?(): void
}

export interface Host {
  requestUpdate(): void
  addController(controller: Controller): void
}

/** The properties that have changed, with what they were. */
export type Changes = ReadonlyMap<string, unknown>

/**
 * An element that draws itself anew, once for all changes of a moment. The templates are Lit's; its own base class
 * does much more than this page asks for, and would weigh more than all of this page's controllers.
 */
export abstract class Component extends HTMLElement implements Host {
  /** What was given to it before it was defined hides the accessors of its properties. */
  private readonly early: ReadonlyArray<readonly [string, unknown]> = Object.entries(this)
  private readonly controllers: Array<Controller> = []
  private changes = new Map<string, unknown>()
  private isDue = false
  protected readonly styles: Array<CSSStyleSheet> = []
  readonly renderRoot = this.attachShadow({ mode: "open" })
  updateComplete = Promise.resolve()

  constructor() {
    super()
    for (const [name, value] of this.early) {
      Reflect.deleteProperty(this, name)
      Reflect.set(this, name, value)
    }
  }

  connectedCallback(): void {
    this.renderRoot.adoptedStyleSheets = this.styles
    for (const controller of this.controllers) controller.hostConnected?.()
    this.requestUpdate()
  }

  disconnectedCallback(): void {
    for (const controller of this.controllers) controller.hostDisconnected?.()
  }

  addController(controller: Controller): void {
    this.controllers.push(controller)
  }

  requestUpdate(name?: string, former?: unknown): void {
    if (name !== undefined && !this.changes.has(name)) this.changes.set(name, former)
    if (this.isDue) return
    this.isDue = true
    this.updateComplete = Promise.resolve()
      .then(() => this.isConnected && this.update())
      .then(() => {})
  }

  /** What follows from the changes, before it is drawn. */
  protected willUpdate?(changes: Changes): void
  protected updated?(changes: Changes): void
  protected abstract render(): unknown

  protected update(): void {
    const { changes } = this
    this.willUpdate?.(changes)
    this.changes = new Map()
    this.isDue = false
    render(this.render(), this.renderRoot, { host: this })
    for (const controller of this.controllers) controller.hostUpdated?.()
    this.updated?.(changes)
  }
}

/** Defines an element; it is drawn anew when one of these properties changes. */
export const define = (
  name: string,
  type: new () => Component,
  ...properties: ReadonlyArray<string>
): void => {
  for (const property of properties) {
    const values = new WeakMap<Component, unknown>()
    Object.defineProperty(type.prototype, property, {
      get(this: Component) {
        return values.get(this)
      },
      set(this: Component, value: unknown) {
        const former = values.get(this)
        if (Object.is(value, former)) return
        values.set(this, value)
        this.requestUpdate(property, former)
      }
    })
  }
  customElements.define(name, type)
}

export const css = ([text = ""]: TemplateStringsArray): CSSStyleSheet => {
  const sheet = new CSSStyleSheet()
  sheet.replaceSync(text)
  return sheet
}
