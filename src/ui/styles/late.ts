import { css } from "../element.ts"

/** What of the page is seen only on demand: panels, dialogs, a request beside the list. */
export const late = css`
  .open {
    grid-template-columns: 208px minmax(0, 1fr) clamp(440px, 40vw, 760px);
  }
  .media,
  .alone {
    grid-template-columns: minmax(0, 1200px);
    justify-content: center;
  }
  .drawer {
    position: sticky;
    top: 49px;
    height: calc(100vh - 49px);
    border-left: 1px solid var(--line);
    background: var(--surface);
    overflow: auto;
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
  dialog,
  .menu {
    border: 1px solid var(--line);
    border-radius: var(--radius);
    background: var(--surface);
    color: var(--text);
    box-shadow: var(--shadow);
  }
  dialog {
    width: min(400px, 92vw);
    padding: var(--space-5);
    dl {
      display: grid;
      grid-template-columns: max-content 1fr;
      gap: 6px var(--space-4);
      padding: var(--space-3) 0;
    }
  }
  dialog kbd {
    padding: 0 5px;
    border: 1px solid var(--line);
    border-radius: 4px;
  }
  .menu {
    inset: auto;
    margin: 0;
    padding: var(--space-3);
    form {
      display: grid;
      gap: var(--space-2);
    }
    label,
    .line {
      display: flex;
      align-items: center;
      gap: 6px;
      min-height: 24px;
    }
    .line {
      justify-content: space-between;
    }
    .fields label {
      display: grid;
    }
    ul {
      padding-bottom: var(--space-2);
    }
    .columns {
      display: grid;
      grid-template-columns: 1fr 1fr;
      column-gap: var(--space-4);
    }
  }
  .notice {
    position: fixed;
    z-index: 40;
    left: 50%;
    bottom: var(--space-5);
    translate: -50%;
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
    .drawer {
      z-index: 35;
      top: 0;
      width: 100%;
      height: 100vh;
      border: 0;
    }
    .menu {
      left: 8px;
      right: 8px !important;
    }
  }
`
