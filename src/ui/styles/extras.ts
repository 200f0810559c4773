import { css } from "./css.ts"

/** What is under way, what went wrong, and numbers; how to begin, and how to come in. */
export const extras = css`
  percept-ongoing .line,
  .group {
    display: grid;
    justify-content: start;
    margin: 0 calc(-1 * var(--space-2));
    text-align: left;
  }
  percept-ongoing {
    .all {
      max-height: 336px;
      overflow-y: auto;
      overscroll-behavior: contain;
    }
    .room,
    .line {
      height: 28px;
    }
    .line {
      grid-template-columns: 16px minmax(80px, 260px) 132px minmax(0, 1fr) 64px;
      width: calc(100% + 2 * var(--space-2));
      > :first-child {
        line-height: 0;
      }
      > :last-child {
        text-align: right;
      }
    }
    [aria-current="true"] {
      background: var(--chosen);
    }
    .stalled :is(.muted, b, :last-child) {
      color: var(--warn);
    }
    .track {
      width: 100%;
      height: 14px;
      fill: var(--running);
    }
    .bed {
      fill: var(--line);
    }
    .bed.now {
      fill: inherit;
      opacity: 0.4;
    }
    .fill.done {
      fill: var(--ok);
    }
    .stalled .track {
      fill: var(--warn);
    }
  }
  percept-error-list {
    li {
      display: flex;
      align-items: center;
      gap: var(--space-2);
      border-top: 1px solid var(--line);
    }
    .group {
      flex: 1;
      grid-template-columns: 52px 64px 72px 64px minmax(0, 1fr);
      gap: var(--space-2);
      min-width: 0;
      min-height: 44px;
      line-height: 1.35;
      svg {
        width: 100%;
        height: 4px;
        fill: var(--err);
      }
      &[aria-pressed="true"] {
        color: var(--text);
        background: var(--chosen) !important;
      }
    }
    .times {
      text-align: right;
      font-weight: 600;
    }
    .what {
      display: grid;
      min-width: 0;
    }
    summary {
      color: var(--accent);
    }
  }
  @media (max-width: 640px) {
    percept-ongoing {
      .line {
        grid-template-columns: 16px minmax(0, 1fr) 84px 56px;
      }
      .words {
        display: none;
      }
    }
    percept-error-list {
      .group {
        grid-template-columns: 44px 40px minmax(0, 1fr);
      }
      svg,
      .source {
        display: none;
      }
    }
  }
  percept-data-table {
    display: block;
    max-height: 260px;
    padding: 0;
    overflow: auto;
    th,
    td {
      padding: 3px var(--space-3);
      white-space: nowrap;
    }
    thead th {
      position: sticky;
      top: 0;
      background: var(--sunken);
      color: var(--muted);
    }
  }
  percept-first-run,
  percept-sign-in form {
    display: grid;
    gap: var(--space-3);
    padding: var(--space-5);
  }
  percept-first-run {
    width: min(760px, 100%);
    margin: 4vh auto;
    pre {
      padding: var(--space-4);
      overflow-x: auto;
      border-radius: var(--radius);
      background: var(--sunken);
    }
  }
  percept-sign-in form {
    width: min(360px, 100%);
    margin: 12vh auto 0;
    label {
      display: grid;
      gap: var(--space-1);
    }
    input,
    button {
      min-height: 34px !important;
    }
  }
`
