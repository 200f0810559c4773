import { css } from "lit"

/** What is what, in charts and their legends: both take the colour of their text. */
export const colours = css`
  i,
  path {
    forced-color-adjust: none;
  }
  .all,
  .p50,
  .s0 {
    color: var(--series-1);
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
    color: var(--series-other);
  }
  .errors {
    color: var(--err);
  }
`
