import { css } from "../element.ts"

export const errorListStyles = css`
  :host {
    display: block;
    padding-bottom: var(--space-2);
  }
  li {
    display: flex;
    align-items: center;
    gap: var(--space-2);
    border-top: 1px solid var(--line);
  }
  .group {
    flex: 1;
    display: grid;
    grid-template-columns: 52px 64px 72px 64px minmax(0, 1fr);
    justify-content: start;
    gap: var(--space-2);
    min-width: 0;
    min-height: 44px;
    margin-left: calc(-1 * var(--space-2));
    text-align: left;
  }
  .times {
    text-align: right;
    font-weight: 600;
  }
  .group svg {
    width: 100%;
    height: 4px;
  }
  rect {
    fill: var(--err);
  }
  .status {
    color: var(--err);
  }
  .what {
    display: grid;
    min-width: 0;
    line-height: 1.35;
  }
  .what .muted {
    font-size: var(--small);
  }
  .group[aria-pressed="true"] {
    color: var(--text);
    background: var(--chosen);
  }
  .newest {
    flex: none;
    color: var(--muted);
    font-size: var(--small);
  }
  @media (max-width: 640px) {
    .group {
      grid-template-columns: 44px 40px minmax(0, 1fr);
    }
    .group svg,
    .source {
      display: none;
    }
  }
`
