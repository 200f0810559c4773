import type { JsonObject } from "../Json.ts"

/** A whole native answer, of chat or generate, as a chat completion. */
export const completionOf = (answer: JsonObject, _id: string): JsonObject => answer

/** The lines of a native stream, of chat or generate, as chunks of a chat. */
export const makeChunks =
  (_id: string) =>
  (line: JsonObject): ReadonlyArray<JsonObject> => [line]
