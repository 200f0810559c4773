import { html } from "lit/html.js"
import type { App } from "../app.ts"

/** How many requests are under way; what they are at comes with the first of them. */
export const inFlight = ({ live: { count, ongoing }, query: { selected } }: App) =>
  html`<percept-in-flight
    ><section aria-label="Requests under way">
      <h2>In flight <span class=${count === 0 ? "muted" : "count"}>${count || "nothing under way"}</span></h2>
      <percept-ongoing .requests=${ongoing} .selected=${selected}></percept-ongoing></section
  ></percept-in-flight>`
