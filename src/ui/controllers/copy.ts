import { say } from "./page.ts"

/** Puts a text where it can be pasted from, and says so. */
export const copy = async (text: string, notice: string): Promise<void> => {
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
  say(notice)
}
