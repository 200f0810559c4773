import { html, nothing } from "lit/html.js"
import type { Row } from "../api/rows.ts"
import { count } from "../format/count.ts"
import { duration } from "../format/duration.ts"
import { money } from "../format/money.ts"
import { full } from "../format/time.ts"
import { advice } from "./advice.ts"
import { requestLink } from "./link.ts"
import { statusOf } from "../parts/row.ts"
import { table } from "./table.ts"
import { textView } from "./text.ts"

/** What matters of a request, up front. */
export const overview = (row: Row, utc: boolean) => {
  const { model_requested_by_client: asked, model_routed_to_openrouter: routed } = row
  const facts: ReadonlyArray<readonly [name: string, value: unknown]> = [
    ["Status", standing(row)],
    ["Model", joined(" → ", asked ?? "none", routed !== asked && routed)],
    ["Route", joined(" · ", row.route_rule && `rule ${row.route_rule}`, row.provider)],
    [
      "Took",
      joined(
        " · ",
        duration(row.processing_duration_ms),
        row.openrouter_latency_ms !== null && `provider ${duration(row.openrouter_latency_ms)}`,
        row.time_to_first_token_ms !== null && `first token after ${duration(row.time_to_first_token_ms)}`
      )
    ],
    ["Tokens", tokensOf(row)],
    ["Cost", costOf(row)],
    ["Came", full(row.timestamp, utc)],
    ["To", joined(" · ", row.endpoint_called, row.is_streaming === 1 && "streamed")],
    ["From", joined(" · ", row.client_ip, row.key_id && `key ${row.key_id}`)],
    ["Id", row.internal_request_id],
    ["Provider's id", row.openrouter_request_id],
    ["Trace", row.trace_id],
    ["Made for", row.parent_request_id && requestLink(row.parent_request_id, row.parent_request_id)]
  ]
  return html`<dl>
    ${facts.map(([name, value]) =>
      value
        ? html`<dt>${name}</dt>
            <dd><bdi>${value}</bdi></dd>`
        : nothing
    )}
  </dl>`
}

/** What went wrong, whose fault it is, and what to do about it. */
export const errorCard = (row: Row) => {
  const { error_message: message, error_source: source, status_code_returned_to_client: status } = row
  return row.state === "running" || row.state === "done"
    ? nothing
    : html`<section class="error box">
        <h3 class="err">
          ${standing(row)}${source && `, by the ${source === "upstream" ? "provider" : source}`}
        </h3>
        ${message && textView(message)}
        <p class="muted">${advice(source, status)}</p>
      </section>`
}

/** Calls that were made for a request, and what they cost on top of it. */
export const sideCalls = (calls: ReadonlyArray<Row>) =>
  calls.length === 0
    ? nothing
    : html`<section>
        <h3>
          Side calls
          <span class="muted">${money(calls.reduce((sum, { cost_usd }) => sum + (cost_usd ?? 0), 0))}</span>
        </h3>
        ${table(
          ["Call", "Status", "Model", "Tokens", "Took", "Cost"],
          calls.map((call) => [
            requestLink(call.internal_request_id, call.kind),
            standing(call),
            html`<bdi>${call.model_routed_to_openrouter}</bdi>`,
            count(call.total_tokens),
            duration(call.processing_duration_ms),
            costOf(call)
          ]),
          3
        )}
      </section>`

const standing = (row: Row) => {
  const { state, status_code_returned_to_client: status } = row
  return statusOf(row, joined(" ", state !== "running" && String(status ?? ""), state))
}

const tokensOf = (row: Row) => {
  const part = (value: number | null, name: string) => (value === null ? "" : ` (${count(value)} ${name})`)
  if (row.prompt_tokens === null && row.completion_tokens === null) return unknown(row)
  return `${count(row.prompt_tokens) || "?"} in${part(row.cached_tokens, "cached")} · ${count(row.completion_tokens) || "?"} out${part(row.reasoning_tokens, "reasoning")}`
}

const costOf = (row: Row) => {
  if (row.cost === null) return unknown(row)
  return `$${row.cost} ${row.cost_source === "estimated" ? "estimated" : "as the provider says"}`
}

const unknown = ({ state }: Row) => (state === "running" ? "" : html`<span class="warn">unknown</span>`)

const joined = (between: string, ...parts: ReadonlyArray<string | false | null>): string =>
  parts.filter(Boolean).join(between)
