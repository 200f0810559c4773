import { html, nothing } from "lit/html.js"
import { forget, lookAgain, readMedia, readMedium } from "../api/media.ts"
import type { Media, MediumDetail } from "../api/media.ts"
import { Load } from "../controllers/load.ts"
import { say } from "../controllers/page.ts"
import { go, query } from "../controllers/place.ts"
import { draw, drawn } from "../drawing.ts"
import { listView } from "./list.ts"
import { mediumView, question } from "./medium.ts"
import type { Deed } from "./medium.ts"

/** The memory: every medium that is known, and what knowing it has saved. */
export const mediaView = () => {
  const { medium, utc } = query
  const { error } = medium === undefined ? all : one
  return html`<percept-media>
    ${
      medium === undefined
        ? listView({ choose, kind, more }, all.value)
        : html`<p class="row">
              <button @click=${() => go({ medium: undefined })}>← All media</button>
              <span role="status">${outcome}</span>
            </p>
            ${one.value && mediumView(one.value, utc, ask)}`
    }
    ${error && html`<p class="err" role="alert">✕ ${error.message}</p>`}
    ${asking && medium ? question(asking, act, dismiss) : nothing}
  </percept-media>`
}

/** Asks for what is to be shown, when that is something else than before. */
export const followMedium = (): void => {
  const { medium, search, view } = query
  const now = view === "media" ? [medium, search, kind].join("\n") : undefined
  if (now === shown) return
  if (medium !== former) {
    one.forget()
    outcome = ""
    // What had the focus is gone.
    if (now && shown)
      void drawn.then(() => document.querySelector<HTMLElement>("percept-media :is(button, select)")?.focus())
  }
  shown = now
  former = medium
  if (!now) return
  if (medium) void one.run((signal) => readMedium(medium, signal))
  else void all.run((signal) => readMedia(search, kind, null, signal))
}

const more = (known: Media) => () =>
  all.run(async (signal) => {
    const more = await readMedia(query.search, kind, known.next_cursor, signal)
    return { ...more, items: [...known.items, ...more.items] }
  })

const ask = (deed: Deed) => async () => {
  asking = deed
  draw()
  await drawn
  document.querySelector<HTMLDialogElement>("percept-media dialog")?.showModal()
}

const act = async (): Promise<void> => {
  const [deed, medium = ""] = [asking, query.medium]
  dismiss()
  try {
    await (deed === "forget" ? forget(medium) : lookAgain(medium))
    outcome = "It is being looked at again."
    draw()
    if (deed === "again") return
    say("It is forgotten.")
    go({ medium: undefined }, true)
  } catch (cause) {
    outcome = `✕ ${cause instanceof Error ? cause.message : ""}`
    draw()
  }
}

const dismiss = () => {
  asking = undefined
  draw()
}

const choose = ({ target }: Event) => {
  if (target instanceof HTMLSelectElement) kind = target.value
  draw()
}

const all = new Load<Media>()
const one = new Load<MediumDetail>()
let kind = ""
let asking: Deed | undefined
/** What came of the last deed. */
let outcome = ""
/** What is asked for, and the medium that was. */
let shown: string | undefined
let former: string | undefined
