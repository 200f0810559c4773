import { endpointKind } from "../../domain/record/EndpointKind.ts"
import type { RequestRecord } from "../../domain/RequestRecord.ts"
import type { AppConfigValues } from "../AppConfig.ts"

/** What a model is asked to do, in the words of the GenAI conventions. */
export const operationOf = ({ endpoint_called, kind }: RequestRecord): string => {
  if (kind === "transcribe") return "transcription"
  if (kind === "describe") return "chat"
  switch (endpointKind(endpoint_called)) {
    case "completions":
      return "text_completion"
    case "embeddings":
    case "ollama_embed":
      return "embeddings"
    case "transcriptions":
      return "transcription"
    default:
      return "chat"
  }
}

/** Where the providers are, by their names. */
export const serversOf = (config: AppConfigValues): ReadonlyMap<string, URL> =>
  new Map(
    Object.entries({
      openrouter: config.openRouterUrl,
      openai: config.openAiUrl,
      huggingface: config.huggingFaceUrl,
      ollama: config.ollamaUrl,
      upstream: config.upstreamUrl
    }).flatMap(([name, url]): ReadonlyArray<readonly [string, URL]> =>
      url === undefined ? [] : [[name, url]]
    )
  )

/** The host and the port a server is called at. */
export const addressOf = (server: URL | undefined) => ({
  "server.address": server?.hostname,
  "server.port":
    server === undefined
      ? undefined
      : server.port !== ""
        ? Number(server.port)
        : server.protocol === "https:"
          ? 443
          : 80
})
