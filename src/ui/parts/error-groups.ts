import { html } from "lit/html.js"
import type { ErrorGroups } from "../api/figures.ts"
import type { App } from "../app.ts"
import { count } from "../format/count.ts"

/** How much goes wrong; what it is comes when somebody wants to see it. */
export const errorSummary = ({ data: { errors }, fetch, query: { filters, utc } }: App) =>
  html`<percept-error-groups
    ><details @toggle=${fetch}>
      <summary>
        <h2>Errors</h2>
        <span class="muted">${errors.value && summaryOf(errors.value)}</span>
      </summary>
      <percept-error-list
        .groups=${errors.value}
        .filters=${filters}
        .utc=${utc}
      ></percept-error-list></details
  ></percept-error-groups>`

const summaryOf = ({ total_errors, total_groups }: ErrorGroups): string =>
  total_errors === 0
    ? "none in this range"
    : `${count(total_errors)} in ${count(total_groups)} ${total_groups === 1 ? "kind" : "kinds"}`
