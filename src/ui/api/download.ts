import { call, isSignedIn } from "./client.ts"

/** Saves a file of the server. A link cannot carry a key, so where one is needed the page fetches the file itself. */
export const download = async (path: string, name: string): Promise<void> => {
  if (!isSignedIn()) return follow(path, name)
  const response = await call(path)
  const url = URL.createObjectURL(await response.blob())
  follow(url, name)
  // The browser reads it after this turn.
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
}

const follow = (href: string, name: string): void => {
  const link = document.createElement("a")
  link.href = href
  link.download = name
  link.click()
}
