import { css, html } from "lit"
import type { TemplateResult } from "lit"

/** A button with a small panel under it; the browser closes it when it is done with. */
export const menu = (id: string, label: string | TemplateResult, content: TemplateResult) =>
  html`<button popovertarget=${id}>${label}</button>
    <div class="menu" popover id=${id} @beforetoggle=${place}>${content}</div>`

const place = ({ currentTarget: panel }: Event) => {
  if (!(panel instanceof HTMLElement)) return
  const button = panel.previousElementSibling?.getBoundingClientRect()
  panel.style.top = `${(button?.bottom ?? 0) + 4}px`
  panel.style.right = `${document.documentElement.clientWidth - (button?.right ?? 0)}px`
}

export const menuStyles = css`
  .menu {
    inset: auto;
    margin: 0;
    padding: var(--space-3);
    border: 1px solid var(--line);
    border-radius: var(--radius);
    background: var(--surface);
    color: var(--text);
    box-shadow: var(--shadow);
  }
  .menu form {
    display: grid;
    gap: var(--space-2);
  }
  .menu label {
    display: flex;
    align-items: center;
    gap: 6px;
    min-height: 24px;
  }
  .menu .fields label {
    display: grid;
  }
  .menu ul {
    padding-bottom: var(--space-2);
  }
  .menu .columns {
    display: grid;
    grid-template-columns: 1fr 1fr;
    column-gap: var(--space-4);
  }
  .menu .line {
    display: flex;
    align-items: center;
    justify-content: space-between;
    gap: var(--space-2);
  }
  @media (max-width: 800px) {
    .menu {
      left: 8px;
      right: 8px !important;
    }
  }
`
