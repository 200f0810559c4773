import { html, nothing, svg } from "lit/html.js"
import type { Evidence, Frame, Heard, MediumDetail, Nothing, Picture, Seen } from "../api/media.ts"
import { textView } from "../drawer/text.ts"
import { plural } from "../format/count.ts"
import { stretch, timecode } from "../format/timecode.ts"
import { aligned } from "./aligned.ts"
import type { Moment } from "./aligned.ts"
import { picture } from "./picture.ts"

/** All that is known of a medium: pictures beside what was said at their time, and what was not covered. */
export const evidenceView = ({ coverage: covered, descriptions, evidence, pictures }: MediumDetail) => {
  const words: Words = new Map(descriptions.map(({ sha256, text }) => [sha256, text]))
  if (!evidence)
    return html`<p>${covered}</p>
      <ul class="pictures">
        ${pictures.map((picture, at) => html`<li>${pictureView(picture, `Picture ${at + 1}`, words)}</li>`)}
      </ul>`
  const seen = halfOf(evidence.seen)
  const heard = halfOf(evidence.heard)
  const said = heard ? [...heard.segments, ...heard.sounds] : []
  return html`${strip(evidence.duration, seen, heard)}${coverage(evidence)}
    <ol>
      ${aligned(seen?.frames ?? [], said, evidence.chapters).map((moment) => momentView(moment, words))}
    </ol>`
}

const momentView = ({ chapters, from, picture, said }: Moment<Frame>, words: Words) =>
  html`<li class="moment lined">
    ${chapters.map((title) => html`<strong><bdi>${title}</bdi></strong>`)}
    <div>${picture && pictureView(picture, `Picture at ${timecode(from)}`, words)}</div>
    <div class="said">
      ${said.map(({ from, text }) => html`<span class="small muted">${timecode(from)}</span><bdi>${text}</bdi>`)}
    </div>
  </li>`

const pictureView = ({ sha256 }: Picture, name: string, words: Words) =>
  html`${picture(sha256, name)}
    <span class="small muted">${name}</span> ${textView(words.get(sha256) ?? "", "small")}`

/** The whole length at a glance: pictures above, words below; the text under it says the same. */
const strip = (duration: number | undefined, seen: Seen | undefined, heard: Heard | undefined) => {
  if (!duration) return nothing
  const bars = (look: string, y: number, spans: ReadonlyArray<Span> = []) =>
    spans.map(
      ({ from, to }) =>
        svg`<rect class=${look} x=${(from / duration) * 1000} y=${y} width=${Math.max(((to - from) / duration) * 1000, 4)} height="8" />`
    )
  return html`<svg class="strip" viewBox="0 0 1000 18" preserveAspectRatio="none" aria-hidden="true">
    ${bars("missed", 0, seen?.unseen)}
    ${bars(
      "",
      0,
      seen?.frames.map(({ time }) => ({ from: time, to: time }))
    )}
    ${bars("heard", 10, heard?.segments)} ${bars("missed", 10, heard?.missed)}
  </svg>`
}

const coverage = ({ heard, kind, seen, window }: Evidence) =>
  html`<dl>
    ${
      window &&
      html`<dt>Asked for</dt>
        <dd>${stretch(window)}</dd>`
    }
    ${
      kind === "audio"
        ? nothing
        : html`<dt>Seen</dt>
            <dd>${"nothing" in seen ? why(seen) : seenText(seen)}</dd>`
    }
    <dt>Heard</dt>
    <dd>${"nothing" in heard ? why(heard) : heardText(heard)}</dd>
  </dl>`

const seenText = ({ frames, longestGap, shots, shotsShown, unseen }: Seen) =>
  html`${plural(frames.length, "picture")}, ${shotsShown} of about ${plural(shots, "shot")}; longest stretch
  without ${stretch(longestGap)} ${missed(unseen)}`

const heardText = ({ duration, heard, language, missed: unheard, model, segments, source }: Heard) =>
  html`${timecode(heard)} of ${timecode(duration)},
  ${segments.length === 0 ? "no words in it" : [source, model, language].filter(Boolean).join(", ")}
  ${missed(unheard)}`

const missed = (spans: Seen["unseen"]) =>
  spans.map((span) => html`<p class="warn">not ${stretch(span)}: <bdi>${span.why}</bdi></p>`)

const why = (half: Nothing) => html`<bdi class="warn">nothing: ${half.nothing}</bdi>`

const halfOf = <Half extends object>(half: Half | Nothing): Half | undefined =>
  "nothing" in half ? undefined : half

type Span = Parameters<typeof stretch>[0]
type Words = ReadonlyMap<string | undefined, string>
