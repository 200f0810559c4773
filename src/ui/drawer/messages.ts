import { html, nothing } from "lit/html.js"
import { bytes } from "../format/bytes.ts"
import { picture } from "../media/picture.ts"
import type { Message, Part } from "./conversation.ts"
import type { Known } from "./known.ts"
import { textView } from "./text.ts"

/** A conversation as it is read: who said what, with what. Of a long one, its end. */
export const messagesView = (title: string, messages: ReadonlyArray<Message>, known: Known) =>
  messages.length === 0
    ? nothing
    : html`<section>
        <h3>${title}</h3>
        ${rest(messages.length - MOST, "earlier messages")}
        <ol>
          ${messages.slice(-MOST).map(
            ({ parts, role }) =>
              html`<li class="lined">
                <bdi class="muted small">${role.slice(0, 40)}</bdi>
                ${parts.slice(0, MOST).map((part) => partView(part, known))}
                ${rest(parts.length - MOST, "more parts")}
              </li>`
          )}
        </ol>
      </section>`

const partView = (part: Part, known: Known) => {
  if (part.type === "call")
    return html`<p class="chip">calls <bdi>${part.name.slice(0, LONGEST)}</bdi></p>
      ${textView(part.text, "mono")}`
  if (part.type !== "file") return textView(part.text, part.type)
  const cover = known.get(part.place)?.cover
  return html`${cover ? picture(cover, `Remembered ${part.kind}`) : nothing}
    <p class="chip">
      ${part.kind} <bdi class="cut">${part.label.slice(0, LONGEST)}</bdi>
      ${part.sha256 ? html`${bytes(part.bytes)} <code>${part.sha256.slice(0, 12)}…</code>` : nothing}
    </p>`
}

const rest = (left: number, what: string) =>
  left > 0 ? html`<p class="muted">${left} ${what} are in the raw text below.</p>` : nothing

const MOST = 60
const LONGEST = 300
