import { Schema } from "effect"

/** A struct that keeps whatever else the other side says. */
const open = <Fields extends Schema.Struct.Fields>(fields: Fields) =>
  Schema.Struct(fields, { key: Schema.String, value: Schema.Unknown })

export const ContentPart = open({ type: Schema.String })

/** One message of a conversation; `content` may be absent or null beside tool calls. */
export const Message = open({
  role: Schema.String,
  content: Schema.optional(Schema.NullOr(Schema.Union(Schema.String, Schema.Array(ContentPart))))
})
export type Message = typeof Message.Type

/** A chat request, as OpenAI and OpenRouter take it. Only what the router reads is named. */
export const ChatRequestBody = open({
  model: Schema.optional(Schema.NullOr(Schema.String)),
  messages: Schema.NonEmptyArray(Message),
  stream: Schema.optional(Schema.NullOr(Schema.Boolean)),
  stream_options: Schema.optional(Schema.Unknown)
}).annotations({ identifier: "ChatRequest" })
export type ChatRequestBody = typeof ChatRequestBody.Type

export const Usage = open({
  prompt_tokens: Schema.optional(Schema.Number),
  completion_tokens: Schema.optional(Schema.Number),
  total_tokens: Schema.optional(Schema.Number),
  cost: Schema.optional(Schema.NullOr(Schema.Number))
})

/** A whole answer. */
export const ChatCompletion = open({
  id: Schema.optional(Schema.String),
  model: Schema.optional(Schema.String),
  choices: Schema.Array(
    open({
      index: Schema.optional(Schema.Number),
      message: Schema.optional(Message),
      finish_reason: Schema.optional(Schema.NullOr(Schema.String))
    })
  ),
  usage: Schema.optional(Schema.NullOr(Usage))
}).annotations({ identifier: "ChatCompletion" })

/** One event of a streamed answer. */
export const ChatChunk = open({
  id: Schema.optional(Schema.String),
  model: Schema.optional(Schema.String),
  choices: Schema.Array(open({ delta: Schema.optional(open({})) })),
  usage: Schema.optional(Schema.NullOr(Usage))
}).annotations({ identifier: "ChatChunk" })
