import { Effect, Redacted } from "effect"
import { createHash } from "node:crypto"
import { isObject } from "../../domain/Json.ts"
import { AppConfig } from "../AppConfig.ts"
import type { AppConfigValues } from "../AppConfig.ts"

/** Makes texts fit to be kept: no secret, no payload, no more than the limit. */
export class Redaction extends Effect.Service<Redaction>()("percept/Redaction", {
  effect: Effect.gen(function* () {
    const config = yield* AppConfig
    const { logBodyKb } = config
    const secrets = secretsOf(config).filter((secret) => secret.length >= 4)
    const inJson = secrets.map((secret) => JSON.stringify(secret).slice(1, -1))
    const limit = logBodyKb * 1024

    const scrub = (text: string): string => {
      let clean = text
      for (const secret of secrets) if (clean.includes(secret)) clean = clean.replaceAll(secret, REDACTED)
      if (clean.includes("://")) clean = clean.replace(USERINFO, `$1${REDACTED}@`)
      if (clean.includes("=")) clean = clean.replace(SECRET_PARAMETER, `$1${REDACTED}`)
      if (KEY_HINT.test(clean)) clean = clean.replace(KEY, REDACTED)
      return clean
    }

    /** Whether only the strings themselves, read, can be searched: a slash or a sign may be escaped. */
    const mayHide = (text: string): boolean =>
      text.includes("\\u") || text.includes("\\/") || inJson.some((secret) => text.includes(secret))

    const shortened = (value: unknown, key: string, longest: number, depth: number): unknown => {
      if (typeof value === "string") return shortenedText(value, key, longest)
      if (typeof value !== "object" || value === null) return value
      if (depth > DEEPEST) return "[nested too deeply to keep]"
      if (Array.isArray(value)) return value.map((item) => shortened(item, key, longest, depth + 1))
      if (!isObject(value)) return value
      return Object.fromEntries(
        Object.entries(value).map(([name, item]) => [scrub(name), shortened(item, name, longest, depth + 1)])
      )
    }

    const shortenedText = (value: string, key: string, longest: number): unknown => {
      const url = DATA_URL.exec(value)
      if (url !== null) return payload(url[1] ?? "", value.slice(url[0].length))
      if (PAYLOAD_KEYS.has(key) && BASE64.test(value)) return payload("", value)
      const text = scrub(withoutPayloads(value, LONG))
      return text.length <= longest
        ? text
        : `${text.slice(0, longest)}… [${text.length - longest} more characters]`
    }

    /** A JSON text without payloads and secrets; long strings are shortened until it fits. */
    const json = (text: string): string => {
      if (text.length <= limit && !mayHoldPayload(text) && !mayHide(text)) return oneLine(scrub(text))
      const parsed: unknown = JSON.parse(text)
      for (const longest of [limit, limit >> 4, limit >> 8]) {
        const short = JSON.stringify(shortened(parsed, "", longest, 0))
        if (short.length <= limit + SLACK) return short
      }
      return JSON.stringify({ characters: text.length, left_out: "longer than LOG_BODY_KB" })
    }

    /** A text of unknown nature as a JSON string; what looks like bytes at all is taken for bytes. */
    const text = (text: string): string =>
      JSON.stringify(withoutPayloads(scrub(text), 24).slice(0, Math.min(limit, 4096)))

    return { scrub, json, text }
  })
}) {}

const withoutPayloads = (text: string, longest: number): string =>
  text
    .replace(INNER_DATA_URL, (_, mime: string, data: string) => JSON.stringify(payload(mime, data)))
    .replace(BASE64_RUN, (data) => (data.length < longest ? data : JSON.stringify(payload("", data))))

/** What stands for bytes in the record. */
const payload = (mime: string, base64: string) => {
  const bytes = Buffer.from(base64, "base64")
  return {
    mime: mime === "" ? "application/octet-stream" : mime,
    bytes: bytes.length,
    sha256: createHash("sha256").update(bytes).digest("hex")
  }
}

const mayHoldPayload = (text: string): boolean => PAYLOAD_HINT.test(text) || hasLongRun(text)

/** Whether `LONG` characters of base64 stand in a row; looks at one character in `LONG` where none do. */
const hasLongRun = (text: string): boolean => {
  let end = LONG - 1
  while (end < text.length) {
    let at = end
    while (at > end - LONG && isBase64(text.charCodeAt(at))) at--
    if (at === end - LONG) return true
    end = at + LONG
  }
  return false
}

const isBase64 = (code: number): boolean =>
  (code >= 97 && code <= 122) ||
  (code >= 65 && code <= 90) ||
  (code >= 47 && code <= 57) ||
  code === 43 ||
  code === 45 ||
  code === 95

/** In JSON a raw line break stands between tokens only. */
const oneLine = (text: string): string =>
  text.includes("\n") || text.includes("\r") ? text.replace(/[\r\n]+/g, " ") : text

const REDACTED = "[redacted]"
const SLACK = 1024
/** Whatever the operator set that is not to be shown, and the password within an address. */
const secretsOf = (config: AppConfigValues): ReadonlyArray<string> =>
  Object.values<unknown>({ ...config })
    .flat()
    .filter(Redacted.isRedacted)
    .map((secret) => String(Redacted.value(secret)))
    .flatMap((secret) => (URL.canParse(secret) ? [secret, new URL(secret).password] : [secret]))

const DEEPEST = 64
const LONG = 512

// Every repetition below is bounded or ends a match, so that no text makes a search quadratic.
const USERINFO = /\b([a-z][a-z0-9+.-]{0,20}:\/\/)[^\s/?#"'<>\\]+@/gi
const SECRET_PARAMETER =
  /([?&#;][\w.-]{0,64}?(?:key|token|sig|signature|secret|passw(?:or)?d|pwd|auth|credential)[\w.-]{0,64}=)[^&\s"'\\<>#]+/gi
const KEY_HINT = /sk-|pk-percept-|hf_|gsk_|xai-|AIza|eyJ|earer |asic /
const KEY =
  /\b(?:sk-|pk-percept-|hf_|gsk_|xai-|AIza)[\w-]{12,}|\beyJ[\w-]{8,400}\.[\w-]{8,}\.[\w-]*|\b(?:[Bb]earer|[Bb]asic) (?=[\w.~+/=-]*(?:\d|=|[a-z][A-Z]))[\w.~+/=-]{8,}/g
const PAYLOAD_KEYS = new Set(["data", "file_data", "b64_json", "images", "image", "audio"])
const PAYLOAD_HINT = /;base64,|;BASE64,|"(?:data|file_data|b64_json|images|image|audio)"\s*:/
const BASE64 = /^[A-Za-z0-9+/_\r\n-]{16,}={0,2}[\r\n]*$/
const DATA_URL = /^data:([\w.+-]+\/[\w.+-]+)?(?:;[\w=.+%-]+)*;base64,(?=[A-Za-z0-9+/_=\s-]*$)/i
const INNER_DATA_URL = /data:([\w.+-]+\/[\w.+-]+)?(?:;[\w=.+%-]+)*;base64,([A-Za-z0-9+/_=-]+)/gi
const BASE64_RUN = /[A-Za-z0-9+/_-]+={0,2}/g
