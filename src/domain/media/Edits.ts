import type { ContentEdit } from "../chat/Rewrite.ts"
import { arrayField, field, isObject, stringField } from "../Json.ts"
import type { JsonObject } from "../Json.ts"
import type { Item } from "./Choice.ts"
import type { Span } from "./Media.ts"

/** What stands in a message for a medium. */
export interface Shown {
  /** Parts that take the place of the medium's own part. */
  readonly inPlace: ReadonlyArray<JsonObject>
  /** Parts that follow all that the message says itself. */
  readonly after: ReadonlyArray<JsonObject>
}

export interface Presented {
  readonly item: Item
  readonly shown: Shown
}

/** Where everything goes: what came as a part is replaced there, all else follows the user's own words. */
export const editsFor = (
  messages: ReadonlyArray<JsonObject>,
  presented: ReadonlyArray<Presented>
): ReadonlyArray<ContentEdit> => {
  const edits = new Map<number, Edit>()
  const editOf = (message: number): Edit => {
    const edit = edits.get(message) ?? {
      replace: new Map(),
      append: [],
      cuts: new Map(),
      images: new Set()
    }
    edits.set(message, edit)
    return edit
  }
  for (const { item, shown } of presented) {
    for (const ref of item.all) {
      const edit = editOf(ref.message)
      const isAgain = ref.message !== item.ref.message
      if (ref.image !== undefined) {
        edit.images.add(ref.image)
        if (isAgain) edit.append.push(ABOVE)
      } else if (ref.span !== undefined && "data" in ref.source)
        cutsOf(edit, ref.part ?? 0).push({ span: ref.span, label: isAgain ? ABOVE.text : BELOW })
      else if (!ref.inText && ref.part !== undefined) {
        const part = arrayField(messages[ref.message], "content")[ref.part]
        const parts = isAgain && shown.inPlace.length === 0 ? [ABOVE] : shown.inPlace
        if (!isAlready(part, parts)) edit.replace.set(ref.part, inherited(part, parts))
      }
    }
    editOf(item.ref.message).append.push(...shown.after)
  }
  for (const [message, edit] of edits)
    for (const [part, cuts] of edit.cuts) edit.replace.set(part, [textWithout(messages[message], part, cuts)])
  return Array.from(edits, ([message, { append, images, replace }]) => {
    // All or none: an entry that nobody has looked at must not vanish with the others.
    const areAllShown = images.size > 0 && images.size === arrayField(messages[message], "images").length
    return { message, append, replace, without: areAllShown ? ["images"] : [] }
  })
}

interface Edit {
  readonly replace: Map<number, ReadonlyArray<JsonObject>>
  readonly append: Array<JsonObject>
  /** Entries of the message's own `images` that are shown in its content instead. */
  readonly images: Set<number>
  /** Media that were written out in the text itself. */
  readonly cuts: Map<number, Array<Cut>>
}

interface Cut {
  readonly span: Span
  /** What is read in its place. */
  readonly label: string
}

const cutsOf = ({ cuts }: Edit, part: number): Array<Cut> => {
  const known = cuts.get(part) ?? []
  cuts.set(part, known)
  return known
}

/** A picture that needs nothing done to it stays as the client wrote it. */
const isAlready = (part: unknown, parts: ReadonlyArray<JsonObject>): boolean => {
  const [made, ...more] = parts
  const url = pictureIn(made)
  return more.length === 0 && url !== undefined && url === pictureIn(part)
}

const pictureIn = (part: unknown): string | undefined =>
  stringField(part, "type") === "image_url" ? stringField(field(part, "image_url"), "url") : undefined

/** What else a part says, such as a cache mark or how closely to look, holds for what takes its place. */
const inherited = (part: unknown, parts: ReadonlyArray<JsonObject>): ReadonlyArray<JsonObject> => {
  if (!isObject(part)) return parts
  const type = stringField(part, "type") ?? ""
  const own = part[type]
  const manner = without(isObject(own) ? own : {}, "url", "data")
  return parts.map((made, at) => {
    const medium = made[type]
    return {
      ...made,
      ...(isObject(medium) ? { [type]: { ...manner, ...medium } } : {}),
      ...(at === parts.length - 1 ? without(part, type, ...Object.keys(made)) : {})
    }
  })
}

const without = (object: JsonObject, ...keys: ReadonlyArray<string>): JsonObject =>
  Object.fromEntries(Object.entries(object).filter(([key]) => !keys.includes(key)))

/** The text part with what is shown beside it taken out; whatever else it carries stays. */
const textWithout = (message: JsonObject | undefined, at: number, cuts: ReadonlyArray<Cut>): JsonObject => {
  const part = arrayField(message, "content")[at]
  const text = stringField(part, "text") ?? stringField(message, "content") ?? ""
  let rest = ""
  let done = 0
  for (const { label, span } of cuts.toSorted((one, other) => one.span.from - other.span.from)) {
    rest += text.slice(done, span.from) + label
    done = span.to
  }
  return { ...(isObject(part) ? part : { type: "text" }), text: rest + text.slice(done) }
}

const BELOW = "(see below)"

/** What comes once more in a later message has been shown where it came first. */
const ABOVE = { type: "text", text: "(see above)" }
