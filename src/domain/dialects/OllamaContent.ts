import { field, stringField } from "../Json.ts"
import type { JsonObject } from "../Json.ts"
import type { MediaType } from "../media/Media.ts"
import { sniff } from "../media/MagicBytes.ts"

/** The words of a message and its `images` as the content of a chat message. */
export const contentOf = (text: string, images: unknown): string | ReadonlyArray<JsonObject> => {
  const all = Array.isArray(images) ? images.filter((image) => typeof image === "string") : []
  if (all.length === 0) return text
  return [...(text === "" ? [] : [{ type: "text", text }]), ...all.map(partOf)]
}

/** The words of a content, whatever its form. */
export const textOf = (content: unknown): string => {
  if (typeof content === "string") return content
  if (!Array.isArray(content)) return ""
  return content
    .flatMap((part: unknown) => (field(part, "type") === "text" ? [stringField(part, "text") ?? ""] : []))
    .join("\n")
}

/** The media of a content as Ollama has them: base64 and nothing before it. */
export const imagesOf = (content: unknown): ReadonlyArray<string> =>
  Array.isArray(content)
    ? content.flatMap((part: unknown) => {
        const data = dataOf(part)
        return data === undefined || data === "" ? [] : [bare(data)]
      })
    : []

/** An entry of `images` by what its bytes say it is: Ollama's clients put sound in there too. */
const partOf = (image: string): JsonObject => {
  if (/^\s*(?:https?:|data:(?![^,]{0,255};base64,))/i.test(image)) return picture(image.trim())
  const said = hasSpace(image) ? image.replace(/\s+/g, "") : image
  const data = bare(said)
  const type = sniff(Buffer.from(data.slice(0, HEAD), "base64"))
  switch (type?.kind) {
    case undefined:
      return picture(data === said ? `data:image/png;base64,${data}` : said)
    case "image":
      return picture(`data:${type.mime};base64,${data}`)
    case "video":
      return { type: "video_url", video_url: { url: `data:${type.mime};base64,${data}` } }
    case "audio":
      return { type: "input_audio", input_audio: { data, format: formatOf(type) } }
  }
}

/** What chats call a kind of sound; one that lives in a film's container has a name of its own. */
const formatOf = ({ container, mime }: MediaType): string => (mime === "audio/mp4" ? "m4a" : container)

const picture = (url: string): JsonObject => ({ type: "image_url", image_url: { url } })

/** Base64 is wrapped all over or not at all. */
const hasSpace = (image: string): boolean => /\s/.test(image.slice(0, HEAD)) || /\s$/.test(image.slice(-8))

const dataOf = (part: unknown): string | undefined => {
  const type = stringField(part, "type")
  if (type === undefined || !MEDIA.has(type)) return undefined
  const said = field(part, type)
  if (typeof said === "string") return said
  return stringField(said, "url") ?? stringField(said, "data") ?? stringField(said, "file_data")
}

/** Without the head of a data URL, where there is one. */
const bare = (data: string): string => data.slice(/^data:[^,]{0,255};base64,/i.exec(data)?.[0].length ?? 0)

/** Kept beside the body, where what is seen and heard would only stand a second time. */
export const withoutImages = (message: JsonObject): JsonObject =>
  Array.isArray(message["images"]) ? { ...message, images: [] } : message

/** What the client said, with the words and media that are in the content by now. */
export const restored = (kept: JsonObject, content: unknown, key: "content" | "prompt"): JsonObject => {
  const text = textOf(content)
  const images = imagesOf(content)
  return {
    ...kept,
    ...(text === (kept[key] ?? "") ? {} : { [key]: text }),
    ...(images.length === 0 ? {} : { images })
  }
}

/** The words of an answer, or of a piece of one; a refusal says why there are none. */
export const saidIn = (message: unknown): string =>
  textOf(field(message, "content") ?? field(message, "refusal"))

const MEDIA = new Set(["image_url", "video_url", "audio_url", "input_audio", "input_video", "file"])

/** Letters of base64 that hold the first 4 kB of a file. */
const HEAD = 5464
