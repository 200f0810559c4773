import { html } from "lit/html.js"

const CIRCLE = "M13 8a5 5 0 1 1-10 0 5 5 0 0 1 10 0"

/** Drawn on a grid of sixteen; never the only sign of anything. */
const SHAPES = {
  check: "M3 8l4 4 6-7",
  cross: "M4 4l8 8M12 4l-8 8",
  stop: `${CIRCLE}M4 4l8 8`,
  dots: `${CIRCLE}M8 5v3l2 2`,
  alert: "M8 2l6 11H2zM8 6v4M8 11v1",
  search: "M11 7a4 4 0 1 1-8 0 4 4 0 0 1 8 0M10 10l4 4",
  down: "M4 6l4 4 4-4",
  up: "M4 10l4-4 4 4",
  left: "M10 4l-4 4 4 4",
  right: "M6 4l4 4-4 4",
  sun: "M11 8a3 3 0 1 1-6 0 3 3 0 0 1 6 0M8 1v2M8 13v2M1 8h2M13 8h2M3 3l1 1M12 12l1 1M13 3l-1 1M4 12l-1 1",
  moon: "M13 10A6 6 0 0 1 6 3a6 6 0 1 0 7 7z",
  auto: `${CIRCLE}M8 3v10M10 4v8M12 5v6`,
  copy: "M6 6h8v8H6zM10 6V2H2v8h4",
  save: "M8 2v8M4 6l4 4 4-4M3 14h10",
  refresh: "M13 8A5 5 0 1 1 12 4M13 2v3h-3",
  image: "M2 3h12v10H2zM2 11l4-4 4 4 1-1 3 3",
  video: "M2 4h8v8H2zM10 7l4-2v6l-4-2z",
  audio: "M2 6v4M5 4v8M8 2v12M11 5v6M14 6v4"
}

export type IconName = keyof typeof SHAPES

export const icon = (name: IconName) =>
  html`<svg class="icon" viewBox="0 0 16 16" aria-hidden="true"><path d=${SHAPES[name]} /></svg>`
