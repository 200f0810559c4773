import { html } from "lit/html.js"
import type { ErrorGroups } from "../api/figures.ts"
import { errors } from "../controllers/data.ts"
import { later } from "../soon.ts"
import { fetchMore } from "../controllers/page.ts"
import { count, plural } from "../format/count.ts"

/** How much goes wrong; what it is comes when somebody wants to see it. */
export const errorSummary = () =>
  html`<percept-error-groups class="box">
    <details @toggle=${fetchMore}>
      <summary>
        <h2>Errors</h2>
        <span class="muted">${errors.value && summaryOf(errors.value)}</span>
      </summary>
      ${errors.value && later?.errorList(errors.value)}
    </details></percept-error-groups
  >`

const summaryOf = ({ total_errors, total_groups }: ErrorGroups): string =>
  total_errors === 0 ? "none in this range" : `${count(total_errors)} in ${plural(total_groups, "kind")}`
