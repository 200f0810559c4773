import { css } from "lit"

export const chartsStyles = css`
  :host {
    display: block;
  }
  .charts {
    display: grid;
    grid-template-columns: repeat(auto-fit, minmax(min(100%, 300px), 1fr));
    gap: var(--space-3);
  }
  section {
    min-width: 0;
    padding: var(--space-2) var(--space-3) var(--space-1);
    border: 1px solid var(--line);
    border-radius: var(--radius);
    background: var(--surface);
  }
  header {
    display: flex;
    align-items: baseline;
    justify-content: space-between;
    gap: var(--space-3);
    height: 22px;
  }
  header p {
    min-width: 0;
    font-size: var(--small);
  }
  .legend {
    display: flex;
    flex-wrap: wrap;
    gap: 0 var(--space-2);
    height: 48px;
    overflow: hidden;
    font-size: var(--small);
    color: var(--muted);
  }
  .legend li {
    display: flex;
    align-items: center;
    gap: 5px;
    height: 24px;
    max-width: 31%;
    white-space: nowrap;
  }
  .legend.wide li {
    max-width: none;
  }
  .legend button {
    min-width: 0;
    min-height: 24px;
    padding: 0 4px;
    gap: 5px;
    color: var(--muted);
  }
  .legend button[aria-pressed="true"] {
    color: var(--text);
    background: var(--chosen);
  }
  i {
    flex: none;
    width: 9px;
    height: 9px;
    border-radius: 2px;
    background: currentColor;
  }
  i.p50,
  i.p95 {
    width: 14px;
    height: 0;
    border-top: 2px solid;
    background: none;
  }
  i.p95 {
    border-top-style: dashed;
  }
  details {
    margin-top: var(--space-1);
    font-size: var(--small);
  }
  summary {
    width: fit-content;
    min-height: 24px;
    color: var(--muted);
    cursor: pointer;
  }
`
