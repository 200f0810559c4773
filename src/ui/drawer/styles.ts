import { css } from "../element.ts"

/** What the drawer and the media view have in common. */
export const panel = css`
  :host {
    display: block;
  }
  h3 {
    margin: var(--space-4) 0 var(--space-2);
  }
  .moment strong {
    grid-column: 1 / -1;
  }
  dl {
    display: grid;
    grid-template-columns: max-content minmax(0, 1fr);
    gap: 3px var(--space-3);
    margin: var(--space-2) 0;
  }
  dt,
  .at {
    color: var(--muted);
  }
  bdi {
    overflow-wrap: anywhere;
  }
  summary {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: var(--space-2);
    min-height: 28px;
    cursor: pointer;
  }
  summary::before {
    content: "▸";
  }
  [open] > summary::before {
    content: "▾";
  }
  summary > .cut {
    flex: 1;
  }
  summary > .text {
    order: -1;
    flex: 0 0 100%;
  }
  [open] > summary > .text {
    display: none;
  }
  .text {
    display: block;
    white-space: pre-wrap;
  }
  table {
    width: 100%;
    border-collapse: collapse;
  }
  th,
  td {
    padding: 3px var(--space-2) 3px 0;
    text-align: start;
    font-weight: inherit;
    vertical-align: top;
  }
  tr,
  .lined {
    border-top: 1px solid var(--line);
  }
  .lined {
    padding: var(--space-2) 0;
  }
  .number {
    text-align: end;
    white-space: nowrap;
  }
  .row {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: var(--space-2);
  }
  .chip {
    display: inline-flex;
    gap: var(--space-1);
    max-width: 100%;
    padding: 0 6px;
    border: 1px solid var(--line);
    border-radius: 99px;
    white-space: nowrap;
  }
  .chip,
  .small,
  .at {
    font-size: var(--small);
  }
  .ok,
  .done {
    color: var(--ok);
  }
  .warn,
  .cancelled {
    color: var(--warn);
  }
  .err,
  .failed,
  .interrupted {
    color: var(--err);
  }
  .running {
    color: var(--running);
  }
  .moment {
    display: grid;
    grid-template-columns: clamp(110px, 30%, 260px) minmax(0, 1fr);
    gap: 2px var(--space-3);
  }
  .said {
    display: grid;
    grid-template-columns: max-content minmax(0, 1fr);
    align-content: start;
    gap: 2px var(--space-2);
  }
  .strip {
    display: block;
    width: 100%;
    height: 18px;
    background: var(--sunken);
    fill: var(--accent);
  }
  .heard {
    fill: var(--ok);
    opacity: 0.5;
  }
  .missed {
    fill: var(--err);
    opacity: 0.5;
  }
  .pictures {
    display: grid;
    grid-template-columns: repeat(auto-fill, minmax(210px, 1fr));
    gap: var(--space-3);
    margin: var(--space-3) 0;
  }
`

export const drawerStyles = css`
  :host {
    padding: 0 var(--space-4) var(--space-5);
  }
  .head {
    position: sticky;
    top: 0;
    z-index: 1;
    display: flex;
    align-items: center;
    padding: var(--space-2) 0;
    background: var(--surface);
  }
  h2 {
    flex: 1;
    min-width: 0;
  }
  h2:focus {
    outline: none;
  }
  .live,
  .error {
    margin-top: var(--space-3);
    padding: var(--space-3);
    border: 1px solid;
    border-radius: var(--radius);
  }
  .error {
    border-color: var(--err);
    background: var(--err-bg);
  }
  .error h3 {
    margin-top: 0;
  }
  section percept-picture {
    max-width: 200px;
  }
  .moment percept-picture {
    max-width: none;
  }
  .reasoning {
    color: var(--muted);
    font-style: italic;
  }
  .tree {
    padding-inline-start: 14px;
    border-inline-start: 1px solid var(--line);
    font: var(--small) / 1.6 var(--mono);
  }
  .tree .text {
    display: inline;
  }
  .name {
    color: var(--accent);
  }
  .waterfall td:nth-child(2) {
    width: 60%;
  }
  .waterfall bdi {
    display: block;
  }
  .waterfall svg {
    display: block;
    width: 100%;
    height: 18px;
    background: var(--sunken);
    fill: var(--accent);
  }
  .away {
    fill: var(--series-2);
  }
  .stream {
    fill: var(--ok);
  }
  .wait {
    fill: var(--line-strong);
  }
  .bad {
    fill: var(--err);
  }
  .d1 {
    padding-inline-start: 14px;
  }
  .d2 {
    padding-inline-start: 28px;
  }
  .d3 {
    padding-inline-start: 42px;
  }
`
