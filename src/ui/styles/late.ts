import { css } from "./css.ts"

/** What of the page is seen only on demand: panels, dialogs, a request beside the list. */
export const late = css`
  .beside {
    grid-template-columns: 208px minmax(0, 1fr) clamp(440px, 40vw, 760px);
  }
  .media,
  .alone {
    grid-template-columns: minmax(0, 1200px);
    justify-content: center;
  }
  .drawer {
    border-left: 1px solid var(--line);
    background: var(--surface);
  }
  .empty {
    display: grid;
    justify-items: center;
    gap: var(--space-3);
    padding: 9vh var(--space-4);
    text-align: center;
  }
  dialog,
  .menu {
    color: var(--text);
    box-shadow: var(--shadow);
  }
  dialog {
    width: min(400px, 92vw);
    margin: auto;
    padding: var(--space-5);
    dl {
      display: grid;
      grid-template-columns: max-content 1fr;
      gap: 6px var(--space-4);
    }
    > * + * {
      margin-top: var(--space-3);
    }
    kbd {
      padding: 0 5px;
      border: 1px solid var(--line);
      border-radius: 4px;
    }
  }
  .menu {
    inset: auto;
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
    background: var(--text);
    color: var(--bg);
  }
  .notice:empty {
    opacity: 0;
  }
  @media (max-width: 1280px) {
    .beside {
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
