import { LitElement, css, html, nothing } from "lit"
import type { ErrorGroups } from "../api/figures.ts"
import { count } from "../format/count.ts"
import type { Filters } from "../model/query.ts"
import { shared } from "../styles/shared.ts"

/** How much goes wrong; what it is comes when somebody wants to see it. */
class ErrorSummary extends LitElement {
  static override properties = {
    groups: { attribute: false },
    filters: { attribute: false },
    utc: { attribute: false },
    isOpen: { state: true }
  }
  declare groups: ErrorGroups | undefined
  declare filters: Filters
  declare utc: boolean
  declare isOpen: boolean

  override render() {
    const { groups } = this
    return html`<details @toggle=${this.toggle}>
      <summary>
        <h2>Errors</h2>
        <span class="muted">${groups === undefined ? "" : summaryOf(groups)}</span>
      </summary>
      ${
        this.isOpen && groups !== undefined
          ? html`<percept-error-list
              .groups=${groups}
              .filters=${this.filters}
              .utc=${this.utc}
            ></percept-error-list>`
          : nothing
      }
    </details>`
  }

  private readonly toggle = ({ target }: Event): void => {
    this.isOpen = target instanceof HTMLDetailsElement && target.open
    if (this.isOpen) void import("../later.ts")
  }

  static override styles = [
    shared,
    css`
      :host {
        display: block;
      }
      details {
        padding: 0 var(--space-3);
        border: 1px solid var(--line);
        border-radius: var(--radius);
        background: var(--surface);
      }
      summary {
        line-height: 36px;
        cursor: pointer;
      }
      h2,
      span {
        display: inline;
        margin-right: var(--space-1);
      }
    `
  ]
}

const summaryOf = ({ total_errors, total_groups }: ErrorGroups): string =>
  total_errors === 0
    ? "none in this range"
    : `${count(total_errors)} in ${count(total_groups)} ${total_groups === 1 ? "kind" : "kinds"}`

customElements.define("percept-error-groups", ErrorSummary)
