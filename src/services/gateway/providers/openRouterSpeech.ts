import * as Transcription from "../../../domain/dialects/Transcription.ts"
import { heardIn } from "../../../domain/dialects/TranscriptionAnswer.ts"
import type { Reply } from "../../../domain/Reply.ts"
import type { Provider, Speech } from "../Provider.ts"
import type { Client } from "./OpenAiCompatible.ts"
import { asForm, asJson } from "./sentForm.ts"

/** OpenRouter writes down what is said as JSON alone; the forms for the eye are made of that here. */
export const openRouterSpeech =
  ({ transcribe }: Client): NonNullable<Provider["transcribe"]> =>
  (speech, reply, exchange) => {
    const format = PLAIN.find((known) => known === speech.fields["response_format"])
    if (format === undefined) return transcribe(speech, reply, exchange, bodyOf(speech))
    // Not every model there knows of times, and a text needs none.
    const fields = { ...speech.fields, response_format: format === "text" ? "json" : "verbose_json" }
    const asked = { ...speech, fields }
    return transcribe(asked, rendering(reply, format), exchange, bodyOf(asked))
  }

const rendering = (reply: Reply, format: (typeof PLAIN)[number]): Reply => ({
  ...reply,
  whole: (_bytes, _text, answer) => {
    const wanted = { format, language: undefined, temperature: undefined }
    const { body, contentType } = Transcription.answer(heardIn(answer), wanted)
    reply.plain?.(Buffer.from(body), contentType, answer)
  }
})

/** A form as long as OpenRouter takes it. */
export const bodyOf = (speech: Speech) => (speech.file.bytes > LARGEST_FORM ? asJson(speech) : asForm(speech))

const PLAIN = ["text", "srt", "vtt"] as const

/** What OpenRouter takes as a form, less what stands around the file. */
const LARGEST_FORM = 24 * 1024 * 1024
