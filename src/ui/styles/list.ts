import { css } from "./css.ts"

/** The list of requests. */
export const list = css`
  .status,
  .medium {
    display: inline-flex;
    align-items: center;
    gap: 5px;
    vertical-align: middle;
  }
  percept-table {
    /* Else what is hidden in cells widens the page. */
    position: relative;
    display: block;
    overflow-x: auto;
    padding: 0;
    table {
      transition: opacity var(--motion);
    }
    &[aria-busy="true"] table {
      opacity: 0.6;
    }
    th,
    td {
      height: 32px;
      padding: 0 10px;
      white-space: nowrap;
    }
    &.dense :is(th, td) {
      height: 26px;
      padding: 0 8px;
    }
    td,
    th[scope="row"] {
      border-top: 1px solid var(--line);
    }
    thead th {
      padding: 0 4px !important;
      background: var(--sunken);
      color: var(--muted);
      font-size: var(--small);
    }
    thead :is(span, button) {
      padding: 0 6px;
    }
    thead button {
      min-height: 24px;
      color: inherit;
    }
    [aria-sort] button {
      color: var(--text);
      font-weight: 600;
    }
    .number button {
      flex-direction: row-reverse;
    }
    tbody tr {
      cursor: pointer;
    }
    tbody tr:hover,
    tbody tr:focus-within {
      background: var(--hover);
    }
    .selected {
      background: var(--chosen) !important;
      box-shadow: inset 3px 0 var(--accent);
      outline-offset: -2px;
    }
    a {
      color: var(--text);
      text-decoration: none;
    }
    a:hover {
      text-decoration: underline;
    }
    .cut {
      display: block;
      max-width: 22ch;
    }
    :is(.c-model, .c-id) .cut {
      max-width: 40ch;
    }
    .c-prompt {
      width: 99%;
      max-width: 0;
      min-width: 220px;
    }
    .c-prompt .cut {
      max-width: none;
    }
    .medium {
      margin-right: 4px;
    }
  }
`
