import { css } from "../element.ts"

export const ongoingStyles = css`
  ul.open {
    max-height: 336px;
    overflow-y: auto;
    overscroll-behavior: contain;
  }
  .room {
    height: 28px;
  }
  .line {
    display: grid;
    grid-template-columns: 16px minmax(80px, 260px) 132px minmax(0, 1fr) 64px;
    justify-content: start;
    width: calc(100% + 2 * var(--space-2));
    height: 28px;
    margin: 0 calc(-1 * var(--space-2));
    text-align: left;
  }
  .line > :first-child {
    line-height: 0;
  }
  .line[aria-current="true"] {
    background: var(--chosen);
  }
  .words,
  .more {
    color: var(--muted);
  }
  .time {
    text-align: right;
  }
  .stalled :is(.words, .time, b) {
    color: var(--warn);
  }
  b {
    font-weight: 600;
  }
  .track {
    width: 100%;
    height: 14px;
  }
  .bed {
    fill: var(--line);
  }
  .bed.now {
    fill: var(--running);
    opacity: 0.4;
  }
  .fill.now {
    fill: var(--running);
  }
  .fill.done {
    fill: var(--ok);
  }
  .stalled .now {
    fill: var(--warn);
  }
  @media (max-width: 640px) {
    .line {
      grid-template-columns: 16px minmax(0, 1fr) 84px 56px;
    }
    .words {
      display: none;
    }
  }
`
