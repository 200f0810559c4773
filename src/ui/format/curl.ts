/** A request of the record, to be sent once more from a shell. */
export interface Curl {
  readonly command: string
  /** What the text that is kept says less than what was sent. */
  readonly caution: string
}

/** A command for sh, bash or zsh that runs as it is pasted; the key comes from `API_KEY`. */
export const curlOf = (
  origin: string,
  { endpoint_called, is_streaming }: { readonly endpoint_called: string; readonly is_streaming: number },
  body: string
): Curl => {
  const url = quoted(origin + endpoint_called)
  const start = `curl -g${is_streaming === 1 ? "N" : ""} ${url} \\\n  -H "Authorization: Bearer $API_KEY"`
  if (endpoint_called.endsWith("/audio/transcriptions"))
    return { command: start + form(body), caution: CAUTION }
  const text = body.replace(LONE_SURROGATE, escaped)
  const head = `${start} \\\n  -H 'Content-Type: application/json'`
  // The kernel takes no argument of 128 kB; what a shell writes by itself may be longer.
  return {
    command:
      text.length < LONGEST_ARGUMENT
        ? `${head} \\\n  --data-raw ${quoted(text)}`
        : `printf %s ${quoted(text)} |\n${head} \\\n  --data-binary @-`,
    caution: LEFT_OUT.test(body) ? CAUTION : ""
  }
}

/** In single quotes nothing is special to a shell but their end. */
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

/** The fields of an upload; `--form-string` reads no files, whatever a value begins with. */
const form = (body: string): string => {
  const fields: unknown = JSON.parse(body)
  if (typeof fields !== "object" || fields === null) return ""
  const plain = Object.entries(fields).filter(([name, value]) => name !== "file" && typeof value !== "object")
  const lines = plain.map(([name, value]) => `--form-string ${quoted(`${name}=${value}`)}`)
  return [...lines, "-F file=@recording.wav"].map((line) => ` \\\n  ${line}`).join("")
}

const escaped = (surrogate: string): string => `\\u${surrogate.charCodeAt(0).toString(16)}`

/** Half a character has no bytes; within JSON it can be written another way. */
const LONE_SURROGATE = /\p{Surrogate}/gu
/** Characters; each may take three bytes. */
const LONGEST_ARGUMENT = 40_000
/** What the record writes in place of bytes, secrets, and the ends of long texts. */
const LEFT_OUT = /"sha256": ?"[\da-f]{64}"|\[redacted\]|… \[\d+ more characters\]/
const CAUTION = "Bytes, secrets and long texts are not kept whole: put in yours."
