import { css } from "lit"
import { filterStyles } from "./parts/filters.ts"
import { menuStyles } from "./parts/menu.ts"
import { toolbarStyles } from "./parts/toolbar.ts"
import { topBarStyles } from "./parts/top-bar.ts"
import { shared } from "./styles/shared.ts"

const layout = css`
  .page {
    display: grid;
    grid-template-columns: 208px minmax(0, 1fr);
    align-items: start;
  }
  .open {
    grid-template-columns: 208px minmax(0, 1fr) clamp(440px, 40vw, 760px);
  }
  .media,
  .alone {
    grid-template-columns: minmax(0, 1200px);
    justify-content: center;
  }
  main {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: var(--space-3);
    padding: var(--space-3) var(--space-4) var(--space-5);
    outline: none;
  }
  .drawer {
    position: sticky;
    top: 49px;
    height: calc(100vh - 49px);
    border-left: 1px solid var(--line);
    background: var(--surface);
    overflow: auto;
  }
  .pending {
    min-height: 60vh;
  }
  .pager,
  .banner {
    display: flex;
    align-items: center;
    justify-content: space-between;
    gap: var(--space-3);
    padding: var(--space-2) 0;
  }
  .banner {
    padding: var(--space-2) var(--space-3);
    border: 1px solid var(--err);
    border-radius: var(--radius);
    background: var(--err-bg);
  }
  .banner svg {
    color: var(--err);
  }
  .banner span {
    flex: 1;
    overflow-wrap: anywhere;
  }
  .empty {
    display: grid;
    justify-items: center;
    gap: var(--space-3);
    padding: 9vh var(--space-4);
    border: 1px dashed var(--line-strong);
    border-radius: var(--radius);
    text-align: center;
  }
  dialog {
    width: min(400px, 92vw);
    padding: var(--space-5);
    border: 1px solid var(--line);
    border-radius: var(--radius);
    background: var(--surface);
    color: var(--text);
  }
  dl {
    display: grid;
    grid-template-columns: max-content 1fr;
    gap: 6px var(--space-4);
    padding: var(--space-3) 0;
  }
  kbd {
    padding: 0 5px;
    border: 1px solid var(--line);
    border-radius: 4px;
  }
  .notice {
    position: fixed;
    z-index: 40;
    left: 50%;
    bottom: var(--space-5);
    transform: translateX(-50%);
    padding: var(--space-2) var(--space-4);
    border: 1px solid;
    border-radius: var(--radius);
    background: var(--text);
    color: var(--bg);
  }
  .notice:empty {
    opacity: 0;
  }
  @media (max-width: 1280px) {
    .open {
      grid-template-columns: 208px minmax(0, 1fr);
    }
    .drawer {
      position: fixed;
      z-index: 25;
      right: 0;
      width: min(640px, 100vw);
      box-shadow: var(--shadow);
    }
  }
  @media (max-width: 800px) {
    .page {
      grid-template-columns: minmax(0, 1fr);
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
    .drawer {
      z-index: 35;
      top: 0;
      width: 100%;
      height: 100vh;
      border: 0;
    }
  }
`

/** Bar on top; below it filters, list and drawer side by side, as far as there is room. */
export const appStyles = [shared, topBarStyles, menuStyles, toolbarStyles, filterStyles, layout]
