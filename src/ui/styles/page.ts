import { css } from "./css.ts"

/** Bar on top; below it filters, list and drawer side by side, as far as there is room. */
export const page = css`
  .page {
    display: grid;
    grid-template-columns: 208px minmax(0, 1fr);
    align-items: start;
  }
  main {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: var(--space-3);
    padding: var(--space-3) var(--space-4) var(--space-5);
    outline: none;
  }
  .bar {
    position: sticky;
    z-index: 30;
    top: 0;
    min-height: 49px;
    padding: var(--space-2) var(--space-4);
    border-bottom: 1px solid var(--line);
    background: var(--surface);
    > * {
      flex-wrap: nowrap;
    }
  }
  .skip:not(:focus) {
    position: absolute;
    top: -60px;
  }
  h1 {
    font-size: 1.15rem;
    .icon {
      width: 22px;
      height: 22px;
      color: var(--accent);
      stroke-width: 2.2;
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
  .ranges {
    gap: 0;
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
      top: 9px;
      right: 9px;
      color: var(--muted);
      pointer-events: none;
    }
    svg {
      left: 9px;
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
  @keyframes turn {
    to {
      rotate: 1turn;
    }
  }
  .side,
  .drawer {
    position: sticky;
    top: 49px;
    height: calc(100vh - 49px);
    overflow: auto;
  }
  .side {
    padding: var(--space-3) var(--space-3) var(--space-5) var(--space-4);
    border-right: 1px solid var(--line);
    details {
      border-bottom: 1px solid var(--line);
    }
    summary {
      padding: 7px 0;
      font-weight: 600;
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
    }
    label:hover {
      background: var(--hover);
    }
    .cut {
      flex: 1;
    }
    .none {
      font-style: italic;
    }
  }
  [type="checkbox"] {
    flex: none;
  }
  .pending {
    min-height: 60vh;
  }
  .pager {
    justify-content: space-between;
    padding: var(--space-2) 0;
  }
  .banner {
    padding: var(--space-2) var(--space-3);
    border-color: var(--err);
    background: var(--err-bg);
    .icon {
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
  @media (prefers-reduced-motion: no-preference) {
    .busy svg {
      animation: turn 0.9s linear infinite;
    }
  }
`
