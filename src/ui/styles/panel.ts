import { css } from "./css.ts"

/** What the drawer and the media view show. */
export const panel = css`
  percept-drawer,
  percept-media {
    display: block;
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
    dt {
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
      > .cut {
        flex: 1;
      }
      > .text {
        order: -1;
        flex: 0 0 100%;
      }
    }
    [open] > summary > .text {
      display: none;
    }
    .text {
      display: block;
      white-space: pre-wrap;
    }
    th,
    td {
      padding: 3px var(--space-2) 3px 0;
      vertical-align: top;
    }
    tr,
    .lined {
      border-top: 1px solid var(--line);
    }
    .lined {
      padding: var(--space-2) 0;
    }
    .chip {
      display: inline-flex;
      gap: var(--space-1);
      max-width: 100%;
      padding: 0 6px;
      border: 1px solid var(--line);
      border-radius: 99px;
      font-size: var(--small);
      white-space: nowrap;
    }
    .moment,
    .said {
      display: grid;
      grid-template-columns: max-content minmax(0, 1fr);
      align-content: start;
      gap: 2px var(--space-2);
    }
    .moment {
      grid-template-columns: clamp(110px, 30%, 260px) minmax(0, 1fr);
    }
    .strip,
    td > svg {
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
  }
  percept-drawer {
    padding: 0 var(--space-4) var(--space-5);
    .head {
      position: sticky;
      top: 0;
      z-index: 1;
      gap: 0;
      flex-wrap: nowrap;
      padding: var(--space-2) 0;
      background: var(--surface);
    }
    h2 {
      flex: 1;
    }
    h2:focus {
      outline: none;
    }
    .live,
    .error {
      margin-top: var(--space-3);
      padding: var(--space-3);
      border: 1px solid;
    }
    .error {
      border-color: var(--err);
      background: var(--err-bg);
      h3 {
        margin-top: 0;
      }
    }
    li > percept-picture {
      max-width: 200px;
    }
    .reasoning {
      font-style: italic;
    }
    .tree {
      padding-inline-start: 14px;
      border-inline-start: 1px solid var(--line);
      font: var(--small) / 1.6 var(--mono);
      .text {
        display: inline;
      }
    }
    .name {
      color: var(--accent);
    }
    .waterfall {
      td:nth-child(2) {
        width: 60%;
      }
      bdi {
        display: block;
      }
    }
    .away {
      fill: var(--series-2);
    }
    .stream {
      fill: var(--ok);
    }
    .bad {
      fill: var(--err);
    }
  }
  percept-media .row {
    margin: var(--space-2) 0;
  }
  .card {
    display: grid;
    align-content: start;
    gap: var(--space-1);
    height: 100%;
    padding: var(--space-2);
    color: var(--text);
    text-decoration: none;
    .none {
      padding: var(--space-2);
    }
  }
  percept-picture {
    display: block;
    border-radius: var(--radius);
  }
  percept-picture,
  .card .none,
  img {
    width: 100%;
    aspect-ratio: 16 / 9;
    background: var(--sunken);
    object-fit: contain;
  }
  img {
    display: block;
  }
`
