import { css } from "../element.ts"

export const mediaStyles = css`
  .card {
    display: grid;
    align-content: start;
    gap: var(--space-1);
    height: 100%;
    padding: var(--space-2);
    border: 1px solid var(--line);
    border-radius: var(--radius);
    background: var(--surface);
    color: var(--text);
    text-decoration: none;
  }
  .none {
    aspect-ratio: 16 / 9;
    padding: var(--space-2);
    background: var(--sunken);
  }
  .row {
    margin: var(--space-2) 0;
  }
  dialog {
    max-width: 440px;
    border: 1px solid var(--line);
    border-radius: var(--radius);
    background: var(--surface);
    color: var(--text);
  }
`
