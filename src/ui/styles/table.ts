import { css } from "../element.ts"

export const tableStyles = css`
  :host {
    display: block;
    min-width: 0;
  }
  .scroll {
    /* Else what is hidden in cells widens the page. */
    position: relative;
    overflow-x: auto;
    border: 1px solid var(--line);
    border-radius: var(--radius);
    background: var(--surface);
  }
  table {
    width: 100%;
    border-collapse: collapse;
    transition: opacity var(--motion);
  }
  [aria-busy="true"] table {
    opacity: 0.6;
  }
  th,
  td {
    height: 32px;
    padding: 0 10px;
    text-align: left;
    font-weight: 400;
    white-space: nowrap;
    border-bottom: 1px solid var(--line);
  }
  .dense th,
  .dense td {
    height: 26px;
    padding: 0 8px;
  }
  tbody tr:last-child > * {
    border-bottom: 0;
  }
  thead th {
    padding: 0 4px;
    background: var(--sunken);
    color: var(--muted);
    font-size: var(--small);
  }
  thead span {
    padding: 0 6px;
  }
  thead button {
    min-height: 24px;
    padding: 0 6px;
    gap: 3px;
    color: inherit;
  }
  thead svg.icon {
    width: 11px;
    height: 11px;
  }
  [aria-sort="ascending"] button,
  [aria-sort="descending"] button {
    color: var(--text);
    font-weight: 600;
  }
  .number {
    text-align: right;
  }
  thead .number button {
    flex-direction: row-reverse;
  }
  tbody tr {
    cursor: pointer;
  }
  tbody tr:hover,
  tbody tr:focus-within {
    background: var(--hover);
  }
  tbody tr.selected {
    background: var(--chosen);
    box-shadow: inset 3px 0 var(--accent);
  }
  tbody a {
    color: var(--text);
    text-decoration: none;
  }
  tbody a:hover {
    text-decoration: underline;
  }
  .cut {
    display: block;
    max-width: 22ch;
  }
  .c-model .cut {
    max-width: 34ch;
  }
  .c-id .cut {
    max-width: 40ch;
  }
  .c-prompt {
    width: 99%;
    max-width: 0;
    min-width: 220px;
  }
  .c-prompt .cut {
    max-width: none;
    min-width: 200px;
  }
  .status {
    display: inline-flex;
    align-items: center;
    gap: 5px;
    vertical-align: middle;
  }
  .status.done {
    color: var(--ok);
  }
  .status.failed,
  .status.interrupted,
  .error {
    color: var(--err);
  }
  .status.cancelled {
    color: var(--warn);
  }
  .status.running {
    color: var(--running);
  }
  .medium {
    display: inline-flex;
    margin-right: 4px;
    color: var(--muted);
    vertical-align: middle;
  }
  @media (forced-colors: active) {
    tbody tr.selected {
      outline: 2px solid Highlight;
      outline-offset: -2px;
    }
  }
`
