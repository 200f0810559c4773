import { css } from "./css.ts"

/** What the list comes to, how it goes, and what is under way: in boxes above it. */
export const figures = css`
  percept-live-pill {
    i {
      width: 8px;
      height: 8px;
      border-radius: 50%;
      background: var(--ok);
    }
    .lost {
      background: var(--warn);
    }
    .off {
      background: none;
      box-shadow: inset 0 0 0 1.5px currentColor;
    }
    [aria-pressed="true"] .live {
      background: var(--surface);
    }
  }
  percept-in-flight,
  percept-error-groups {
    display: block;
    line-height: 28px;
    h2 {
      display: inline;
    }
    h2 span,
    h2 + span {
      margin-left: var(--space-2);
      font-weight: 400;
    }
  }
  .count {
    padding: 2px 8px;
    border-radius: 10px;
    background: var(--sunken);
  }
  percept-summary {
    dl {
      display: flex;
      flex-wrap: wrap;
      gap: 1px;
      padding: 0;
      background: var(--line);
      overflow: hidden;
    }
    div {
      flex: 1 0 92px;
      min-width: 0;
      height: 66px;
      padding: var(--space-2) var(--space-3) 0;
      background: var(--surface);
      white-space: nowrap;
    }
    .value {
      font-size: 1.3rem;
      font-weight: 600;
      line-height: 24px;
    }
    .small {
      line-height: 16px;
      overflow: hidden;
      text-overflow: ellipsis;
    }
  }
  .charts {
    display: grid;
    grid-template-columns: repeat(auto-fit, minmax(min(100%, 300px), 1fr));
    gap: var(--space-3);
    > * {
      min-width: 0;
      padding-top: var(--space-2);
    }
    header,
    li {
      display: flex;
      align-items: center;
      justify-content: space-between;
      gap: 5px;
      height: 24px;
      white-space: nowrap;
    }
    p {
      min-width: 0;
    }
    ul {
      align-content: start;
      gap: 0 var(--space-2);
      height: 48px;
      overflow: hidden;
    }
    li {
      max-width: 31%;
    }
    .wide li {
      max-width: none;
    }
    button {
      min-width: 0;
      min-height: 24px;
      padding: 0 4px;
      color: var(--muted);
    }
    [aria-pressed="true"] {
      color: var(--text);
      background: var(--chosen) !important;
    }
    i {
      flex: none;
      width: 9px;
      height: 9px;
      border-radius: 2px;
      background: currentColor;
    }
    i:is(.p50, .p95) {
      width: 14px;
      height: 0;
      border-top: 2px solid;
      background: none;
    }
    i.p95 {
      border-top-style: dashed;
    }
    /* What is what, in charts and their legends: both take the colour of their text. */
    i,
    path {
      forced-color-adjust: none;
    }
    .all,
    .p50,
    .s0 {
      color: var(--accent);
    }
    .p95,
    .s1 {
      color: var(--series-2);
    }
    .s2 {
      color: var(--series-3);
    }
    .s3 {
      color: var(--series-4);
    }
    .s4 {
      color: var(--series-5);
    }
    .others {
      color: var(--line-strong);
    }
    [role="slider"] {
      display: block;
      height: 112px;
      cursor: crosshair;
      touch-action: pan-y;
      border-radius: var(--radius);
    }
    svg {
      display: block;
      overflow: visible;
    }
    text {
      fill: var(--muted);
      font-size: 10.5px;
      text-anchor: middle;
    }
    .y {
      text-anchor: end;
    }
    line {
      stroke: var(--line);
      shape-rendering: crispEdges;
    }
    path {
      fill: currentColor;
    }
    [data-mark] {
      cursor: pointer;
    }
    path:is(.p50, .p95) {
      fill: none;
      stroke: currentColor;
      stroke-width: 1.5;
    }
    path.p95 {
      stroke-dasharray: 4 3;
    }
    rect {
      pointer-events: none;
      opacity: 0.16;
    }
    .choice {
      fill: var(--accent);
    }
  }
  percept-plot {
    display: block;
  }
  percept-charts {
    container-type: inline-size;
  }
  @container (612px <= width < 924px) {
    .charts > :last-child {
      grid-column: 1 / -1;
    }
  }
  .table summary {
    width: fit-content;
  }
`
