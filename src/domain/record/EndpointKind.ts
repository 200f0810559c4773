/** What kind of question a path is for; the same for every path nobody serves. */
export const endpointKind = (path: string): EndpointKind => KINDS.get(path) ?? "other"

export type EndpointKind =
  | "chat"
  | "completions"
  | "embeddings"
  | "transcriptions"
  | "ollama_chat"
  | "ollama_generate"
  | "ollama_embed"
  | "models"
  | "other"

const KINDS: ReadonlyMap<string, EndpointKind> = new Map<string, EndpointKind>([
  ["/v1/chat/completions", "chat"],
  ["/v1/completions", "completions"],
  ["/v1/embeddings", "embeddings"],
  ["/v1/audio/transcriptions", "transcriptions"],
  ["/api/chat", "ollama_chat"],
  ["/api/generate", "ollama_generate"],
  ["/api/embed", "ollama_embed"],
  ["/api/embeddings", "ollama_embed"],
  ["/v1/models", "models"],
  ["/api/tags", "models"],
  ["/api/show", "models"],
  ["/api/ps", "models"]
])
