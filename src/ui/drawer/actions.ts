import { readBody } from "../api/detail.ts"
import type { Detail } from "../api/detail.ts"
import { wish } from "../events.ts"
import { curlOf } from "../format/curl.ts"

/** Puts a text where it can be pasted from, and says so. */
export const copy = async (from: HTMLElement, text: string, notice: string): Promise<void> => {
  try {
    await navigator.clipboard.writeText(text)
  } catch {
    // Away from localhost and without TLS there is no clipboard but this one.
    const field = document.createElement("textarea")
    field.value = text
    document.body.append(field)
    field.select()
    document.execCommand("copy")
    field.remove()
  }
  wish(from, { notice })
}

/** The whole request as a command; one that is shown in part is fetched first. */
export const copyCurl = async (from: HTMLElement, detail: Detail): Promise<void> => {
  const { internal_request_id: id, request } = detail
  if (request === null) return
  const text = request.truncated ? await (await readBody(id, "request")).text() : request.text
  const { caution, command } = curlOf(location.origin, detail, text)
  await copy(from, command, `Copied; it takes the key from API_KEY. ${caution}`)
}
