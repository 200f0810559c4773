import { css } from "./css.ts"

/** How things look everywhere. */
export const shared = css`
  * {
    box-sizing: border-box;
    margin: 0;
    padding: 0;
    list-style: none;
  }
  h2,
  h3 {
    font-size: 1rem;
    font-weight: 600;
  }
  button,
  select,
  input {
    font: inherit;
    color: inherit;
    letter-spacing: inherit;
  }
  button,
  select,
  input:not([type="checkbox"]),
  .button {
    min-height: 28px;
    padding: 0 var(--space-2);
    border: 1px solid var(--line);
    border-radius: var(--radius);
    background: var(--surface);
    transition: background-color var(--motion);
  }
  input:not([type="checkbox"]) {
    border-color: var(--line-strong);
  }
  button,
  .button {
    display: inline-flex;
    align-items: center;
    justify-content: center;
    gap: 6px;
    white-space: nowrap;
    cursor: pointer;
    text-decoration: none;
    color: var(--text);
  }
  button:hover,
  .button:hover {
    background: var(--hover);
    border-color: var(--line-strong);
  }
  .plain {
    border-color: #0000 !important;
    background: none;
  }
  [aria-pressed="true"],
  .primary {
    background: var(--accent) !important;
    border-color: var(--accent);
    color: var(--surface);
  }
  :disabled {
    color: var(--muted);
    opacity: 0.55;
    pointer-events: none;
  }
  a {
    color: var(--accent);
  }
  :focus-visible {
    outline: 2px solid var(--accent);
    outline-offset: 1px;
  }
  .icon {
    width: 14px;
    height: 14px;
    flex: none;
    fill: none;
    stroke: currentColor;
    stroke-width: 1.6;
    stroke-linecap: round;
    stroke-linejoin: round;
  }
  code,
  kbd,
  pre,
  .mono {
    font-family: var(--mono);
    font-size: 0.923em;
  }
  summary {
    cursor: pointer;
  }
  summary::before {
    content: "";
    display: inline-block;
    width: 5px;
    height: 5px;
    margin: 0 8px 2px 2px;
    border: solid var(--muted);
    border-width: 0 1.5px 1.5px 0;
    rotate: -45deg;
  }
  [open] > summary::before {
    rotate: 45deg;
  }
  table {
    width: 100%;
    border-collapse: collapse;
  }
  th {
    font-weight: inherit;
    text-align: left;
  }
  .number {
    text-align: right;
    white-space: nowrap;
  }
  :where(.box) {
    padding: var(--space-1) var(--space-3);
    border: 1px solid var(--line);
    border-radius: var(--radius);
    background: var(--surface);
  }
  .row {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: var(--space-2);
  }
  .small {
    font-size: var(--small);
  }
  .muted {
    color: var(--muted);
  }
  .ok,
  span.done {
    color: var(--ok);
  }
  .warn,
  span.cancelled {
    color: var(--warn);
  }
  .err,
  span:is(.failed, .interrupted, .error) {
    color: var(--err);
  }
  :is(span, p).running {
    color: var(--running);
  }
  .hidden {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  .cut {
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  @media (forced-colors: active) {
    [aria-pressed="true"] {
      forced-color-adjust: none;
      background: Highlight !important;
      color: HighlightText;
    }
    .selected,
    :focus-visible {
      outline: 2px solid Highlight;
    }
  }
`
