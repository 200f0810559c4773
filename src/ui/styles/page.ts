import { css } from "../element.ts"

/** Bar on top; below it filters, list and drawer side by side, as far as there is room. */
export const page = css`
  .page {
    display: grid;
    grid-template-columns: 208px minmax(0, 1fr);
    align-items: start;
  }
  main,
  percept-charts,
  percept-table {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: var(--space-3);
    outline: none;
  }
  main {
    padding: var(--space-3) var(--space-4) var(--space-5);
  }
  .bar,
  .bar > *,
  .tools,
  .end,
  .pager,
  .banner,
  percept-live-pill,
  .side label {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: var(--space-2);
  }
  .bar {
    position: sticky;
    z-index: 30;
    top: 0;
    min-height: 49px;
    padding: var(--space-2) var(--space-4);
    border-bottom: 1px solid var(--line);
    background: var(--surface);
  }
  .skip:not(:focus) {
    position: absolute;
    top: -60px;
  }
  h1 {
    font-size: 1.15rem;
    svg {
      width: 22px;
      fill: none;
      stroke: var(--accent);
      stroke-width: 2.2;
      stroke-linecap: round;
    }
  }
  .bar nav {
    gap: 2px;
    margin-right: auto;
    a {
      padding: 4px 10px;
      border-radius: var(--radius);
      color: var(--muted);
      text-decoration: none;
    }
    a:hover {
      background: var(--hover);
    }
    [aria-current] {
      background: var(--chosen);
      color: var(--accent);
      font-weight: 600;
    }
  }
  .bar > * {
    flex-wrap: nowrap;
  }
  .ranges {
    gap: 0 !important;
    > button {
      min-width: 36px;
      margin-left: -1px;
      border-radius: 0;
    }
    > :first-child {
      border-radius: var(--radius) 0 0 var(--radius);
    }
    > :last-of-type {
      border-radius: 0 var(--radius) var(--radius) 0;
    }
    > :focus-visible {
      z-index: 1;
    }
  }
  .end {
    margin-left: auto;
  }
  search {
    position: relative;
    flex: 1 1 260px;
    max-width: 560px;
    > * {
      position: absolute;
      top: 8px;
      right: 9px;
      color: var(--muted);
      pointer-events: none;
    }
    svg {
      left: 9px;
      top: 9px !important;
    }
    input {
      position: static;
      width: 100%;
      min-height: 32px !important;
      padding: 0 30px !important;
      color: var(--text);
      pointer-events: auto;
    }
    :not(:placeholder-shown) ~ kbd,
    :focus ~ kbd {
      display: none;
    }
  }
  .busy svg {
    animation: turn 0.9s linear infinite;
  }
  @keyframes turn {
    to {
      rotate: 1turn;
    }
  }
  .side {
    position: sticky;
    top: 49px;
    height: calc(100vh - 49px);
    overflow-y: auto;
    padding: var(--space-3) var(--space-3) var(--space-5) var(--space-4);
    border-right: 1px solid var(--line);
    details {
      border-bottom: 1px solid var(--line);
    }
    summary {
      padding: 7px 0;
      font-weight: 600;
      cursor: pointer;
      list-style: none;
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
    b {
      padding: 0 6px;
      border-radius: 9px;
      background: var(--chosen);
      color: var(--accent);
    }
    ul {
      padding-bottom: var(--space-2);
    }
    .more {
      border: 0;
      summary {
        padding-top: 0;
        font-weight: 400;
        color: var(--accent);
      }
    }
    label {
      flex-wrap: nowrap;
      gap: 6px;
      min-height: 24px;
      border-radius: 4px;
    }
    label:hover {
      background: var(--hover);
    }
    .cut {
      flex: 1;
    }
  }
  [type="checkbox"] {
    flex: none;
    margin: 0;
  }
  .none {
    font-style: italic;
  }
  .pending {
    min-height: 60vh;
  }
  .pager,
  .banner {
    justify-content: space-between;
    padding: var(--space-2) 0;
  }
  .banner {
    padding: var(--space-2) var(--space-3);
    border: 1px solid var(--err);
    border-radius: var(--radius);
    background: var(--err-bg);
    svg {
      color: var(--err);
    }
    span {
      flex: 1;
      overflow-wrap: anywhere;
    }
  }
  @media (max-width: 800px) {
    .page {
      grid-template-columns: minmax(0, 1fr) !important;
    }
    main {
      padding: var(--space-3);
    }
    .side {
      position: static;
      order: 2;
      height: auto;
      border: 0;
    }
    .bar {
      position: static;
      padding: var(--space-2) var(--space-3);
    }
    h1 span {
      position: absolute;
      clip-path: inset(50%);
    }
    .ranges {
      order: 1;
      > button {
        min-width: 0;
        padding: 0 7px;
      }
    }
  }
  @media (prefers-reduced-motion) {
    .busy svg {
      animation: none;
    }
  }
`
