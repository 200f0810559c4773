import { html, nothing, svg } from "lit/html.js"
import { duration } from "../format/duration.ts"
import type { Bar, Waterfall } from "./waterfall-rows.ts"

/** Where the time went: each step with its length, and its place beside the others as a bar. */
export const waterfallView = ({ bars, rest, total }: Waterfall) =>
  bars.length === 0
    ? nothing
    : html`<section>
        <h3>Time</h3>
        <table class="waterfall">
          ${bars.map((bar) => line(bar, total))}
          <tr>
            <th scope="row">all of it</th>
            <td class="muted">${rest >= 1 ? `${duration(rest)} between the steps` : nothing}</td>
            <td class="number">${duration(total)}</td>
          </tr>
        </table>
      </section>`

const line = ({ at, depth, isOpen, ms, name, note, ok, step }: Bar, total: number) =>
  html`<tr>
    <th scope="row" class=${ok ? "" : "err"}>
      ${"\u2003".repeat(Math.min(depth, 3))}${ok ? "" : "✕ "}${name}
    </th>
    <td>
      <span class="hidden">after ${duration(at)}</span>
      <svg aria-hidden="true">
        ${svg`<rect class=${ok ? step : "bad"} x="${share(at, total)}%" width="${Math.max(share(ms, total), 0.4)}%" height="12" y="3" />`}
      </svg>
      ${note ? html`<bdi class="small ${ok ? "muted" : "err"}">${note}</bdi>` : nothing}
    </td>
    <td class="number">${isOpen ? "not over" : duration(ms)}</td>
  </tr>`

const share = (ms: number, total: number): number => (total > 0 ? Math.round((ms / total) * 10_000) / 100 : 0)
