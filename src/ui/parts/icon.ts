import { html, svg } from "lit"

/** Drawn on a grid of sixteen; never the only sign of anything. */
const SHAPES = {
  check: svg`<path d="M3 8.5 6.5 12 13 4.5" />`,
  cross: svg`<path d="m4 4 8 8M12 4l-8 8" />`,
  stop: svg`<circle cx="8" cy="8" r="5.5" /><path d="m4.2 4.2 7.6 7.6" />`,
  dots: svg`<circle cx="8" cy="8" r="5.5" /><path d="M8 4.8V8l2.2 1.6" />`,
  alert: svg`<path d="M8 2.2 14.2 13H1.8zM8 6.5v3M8 11.4v.1" />`,
  search: svg`<circle cx="7" cy="7" r="4.2" /><path d="m10.2 10.2 3.6 3.6" />`,
  down: svg`<path d="m4 6 4 4 4-4" />`,
  up: svg`<path d="m4 10 4-4 4 4" />`,
  left: svg`<path d="M10 3.5 5.5 8l4.5 4.5" />`,
  right: svg`<path d="M6 3.5 10.5 8 6 12.5" />`,
  sun: svg`<circle cx="8" cy="8" r="3" /><path d="M8 1v1.6M8 13.4V15M1 8h1.6M13.4 8H15M3 3l1.2 1.2M11.8 11.8 13 13M13 3l-1.2 1.2M4.2 11.8 3 13" />`,
  moon: svg`<path d="M13 9.8A5.6 5.6 0 0 1 6.2 3a5.6 5.6 0 1 0 6.8 6.8z" />`,
  auto: svg`<circle cx="8" cy="8" r="5.5" /><path d="M8 2.5a5.5 5.5 0 0 1 0 11z" fill="currentColor" />`,
  copy: svg`<path d="M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3" />`,
  save: svg`<path d="M8 2v8.5M4.5 7 8 10.5 11.5 7M2.5 13.5h11" />`,
  refresh: svg`<path d="M13.4 8A5.4 5.4 0 1 1 11.6 4M13.5 1.8V5h-3.2" />`,
  image: svg`<path d="M2 3h12v10H2zM2 11l3.5-3.5L9 11l2-2 3 3" /><circle cx="10.5" cy="6" r="1" />`,
  video: svg`<path d="M2 4h8.5v8H2zM10.5 7 14 5v6l-3.5-2z" />`,
  audio: svg`<path d="M2.5 6v4M5.2 4v8M8 2v12M10.8 5v6M13.5 6.5v3" />`
}

export type IconName = keyof typeof SHAPES

export const icon = (name: IconName) =>
  html`<svg class="icon" viewBox="0 0 16 16" aria-hidden="true">${SHAPES[name]}</svg>`
