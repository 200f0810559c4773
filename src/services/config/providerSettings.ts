import * as ModelMap from "../../domain/ModelMap.ts"
import * as Setting from "./Setting.ts"

const { duration, flag, optional, secret, setting, text, url } = Setting

/** Who answers, and under which names. */
export const providerSettings = {
  openRouterKey: optional("OPENROUTER_API_KEY", secret, {
    example: "sk-or-v1-…",
    about: "Turns the provider `openrouter` on."
  }),
  openRouterUrl: setting("OPENROUTER_API_URL", url, {
    fallback: "https://openrouter.ai/api/v1/chat/completions",
    example: "https://openrouter.ai/api/v1/chat/completions",
    about: "OpenRouter's chat address."
  }),
  openRouterModelsUrl: setting("OPENROUTER_MODELS_API_URL", url, {
    fallback: "https://openrouter.ai/api/v1/models",
    example: "https://openrouter.ai/api/v1/models",
    about: "OpenRouter's model catalogue."
  }),
  openRouterReferer: optional("OPENROUTER_REFERER", text, {
    example: "https://chat.example.com",
    about: "Sent as `HTTP-Referer`, which names your app on OpenRouter."
  }),
  openRouterTitle: optional("OPENROUTER_X_TITLE", text, {
    example: "My chat",
    about: "Sent as `X-Title`, your app's name on OpenRouter."
  }),
  openAiKey: optional("OPENAI_API_KEY", secret, {
    example: "sk-…",
    about: "Turns the provider `openai` on."
  }),
  openAiUrl: setting("OPENAI_BASE_URL", url, {
    fallback: "https://api.openai.com/v1",
    example: "https://api.openai.com/v1",
    about: "OpenAI's address, up to and with `/v1`."
  }),
  huggingFaceKey: optional("HUGGINGFACE_API_TOKEN", secret, {
    aliases: ["HF_TOKEN"],
    example: "hf_…",
    about: "Turns the provider `huggingface` on."
  }),
  huggingFaceUrl: setting("HUGGINGFACE_BASE_URL", url, {
    fallback: "https://router.huggingface.co/v1",
    example: "https://router.huggingface.co/v1",
    about: "Hugging Face's router."
  }),
  huggingFaceBillTo: optional("HUGGINGFACE_BILL_TO", text, {
    example: "my-organisation",
    about: "The organisation that pays, sent as `X-HF-Bill-To`."
  }),
  ollamaUrl: optional("OLLAMA_BASE_URL", url, {
    aliases: ["OLLAMA_UPSTREAM_URL"],
    example: "http://localhost:11434",
    about: "Turns the provider `ollama` on."
  }),
  upstreamUrl: optional("UPSTREAM_URL", url, {
    example: "http://localhost:8080",
    about: "Turns the provider `upstream` on: any OpenAI-compatible server, with or without `/v1`."
  }),
  upstreamKey: optional("UPSTREAM_API_KEY", secret, {
    example: "a-key",
    about:
      "Key for `UPSTREAM_URL`. Unset, and with no `API_KEYS` of our own, the client's own key goes there."
  }),
  modelMap: setting("MODEL_MAP", ModelMap.parse, {
    fallback: "{}",
    example: '{"gpt-4":"anthropic/claude-sonnet-4","/gpt-(.*)-turbo/":"qwen/qwen3-$1"}',
    about:
      "Other names for models, as JSON: exact names first, then `/patterns/` in their order, from the start of the name; `$1` or `\\1` in the target is their first group. A name is mapped once, also that of `DEFAULT_TEXT_MODEL` or `VISION_MODEL`."
  }),
  defaultTextModel: optional("DEFAULT_TEXT_MODEL", text, {
    example: "qwen/qwen3-235b-a22b",
    about:
      "Model for requests that name none. Unset: `openrouter/auto` with an OpenRouter key, else the first model of `ollama` or `upstream`; `percept/inspect` where there is no provider."
  }),
  catalogueTtl: setting("CATALOGUE_TTL", duration, {
    fallback: "10 minutes",
    example: "1 hour",
    about: "How long a provider's model list counts as fresh; an older one serves until there is a new one."
  }),
  stripThinking: setting("STRIP_THINKING", flag, {
    fallback: "true",
    example: "false",
    about: "Takes `<think>…</think>` out of answers."
  }),
  disableThinking: setting("DISABLE_THINKING", flag, {
    fallback: "false",
    example: "true",
    about: "Adds `/no_think` to the last user message, which some models obey."
  })
}
