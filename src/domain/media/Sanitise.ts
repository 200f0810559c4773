/**
 * Makes one line of text from outside harmless to stand between our own lines: nothing in it can end the fence,
 * start a line, pose as a turn of the conversation, or hide from the eye. Cleaning twice changes nothing more.
 */
export const sanitise = (
  text: string,
  options: { readonly tag?: string; readonly most?: number } = {}
): string =>
  shortened(disarmed(withoutTag(tidy(visible(text)), options.tag)).replaceAll("\n", " "), options.most)

/** The same for text whose lines mean something: every line is cleaned, empty ones go. */
export const sanitiseLines = (text: string, tag?: string): ReadonlyArray<string> =>
  text
    .split(LINE_END)
    .map((line) => sanitise(line, tag === undefined ? {} : { tag }))
    .filter((line) => line !== "")

/** What a reader would not see goes first, since it may stand inside of what is looked for later. */
const visible = (text: string): string => text.replace(LINE_END, "\n").replace(UNSEEN, "").normalize("NFC")

const tidy = (text: string): string =>
  text
    .replace(/[^\S\n]+/g, " ")
    .replace(/ ?\n[ \n]*/g, "\n")
    .trim()

const withoutTag = (text: string, tag: string | undefined): string =>
  tag === undefined || tag === "" ? text : text.replace(new RegExp(escaped(tag), "gi"), "…")

/** The signs that open markup, turns and our own announcements are exchanged for ones that only look like them. */
const disarmed = (text: string): string =>
  text
    .replace(/<(?=\s*[/|!?]|\p{L})/gu, "‹")
    .replace(/\[(?=\s*\/?\s*(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS))/gi, "［")
    .replace(/#{3,}/g, (signs) => "＃".repeat(signs.length))
    .replace(/\((?=picture \d)/gi, "❨")
    .replace(TURN, (_, before: string, first: string) => before + (LOOK_ALIKE[first.toLowerCase()] ?? first))

const shortened = (text: string, most: number | undefined): string => {
  if (most === undefined || text.length <= most) return text
  const signs = Array.from(text)
  return signs.length <= most
    ? text
    : `${signs
        .slice(0, most - 1)
        .join("")
        .trimEnd()}…`
}

const escaped = (text: string): string => text.replace(/[^A-Za-z0-9]/g, "\\$&")

const LINE_END = /\r\n|[\n\v\f\r\u0085\u2028\u2029]/g

/** Controls, characters that are drawn as nothing or turn the direction, halves of characters, and no characters. */
const UNSEEN =
  // oxlint-disable-next-line no-control-regex
  /[\0-\x08\x0e-\x1f\x7f-\x9f\p{Default_Ignorable_Code_Point}\ufff9-\ufffb\p{Cs}\p{Noncharacter_Code_Point}]/gu

const TURN = /^([^\w\n]{0,6})(?=(?:system|assistant|user|human|developer)\s*:)(\w)/gim

const LOOK_ALIKE: Readonly<Record<string, string>> = { a: "а", d: "ԁ", h: "һ", s: "ѕ", u: "υ" }
