import type { Validators } from "./Media.ts"

export type Headers = { readonly [name: string]: string | ReadonlyArray<string> | undefined }

/** A header that may stand once; the first where a server sends it more often. */
export const header = (headers: Headers, name: string): string | undefined => {
  const value = headers[name]
  return typeof value === "string" || value === undefined ? value : value[0]
}

/** What an answer says about the state of its body; what is malformed counts as not said. */
export const validatorsOf = (headers: Headers): Validators => {
  const etag = header(headers, "etag")
  const lastModified = header(headers, "last-modified")
  const length = header(headers, "content-length")
  return {
    etag: etag !== undefined && ETAG.test(etag) ? etag : undefined,
    lastModified: lastModified !== undefined && DATE.test(lastModified) ? lastModified : undefined,
    length: length !== undefined && /^\d{1,15}$/.test(length) ? Number(length) : undefined
  }
}

/** The headers that ask a server to send the body only if it has changed. */
export const conditions = ({ etag, lastModified }: Validators): Readonly<Record<string, string>> => ({
  ...(etag === undefined ? {} : { "if-none-match": etag }),
  ...(lastModified === undefined ? {} : { "if-modified-since": lastModified })
})

/** Whether a server that sends the body all the same says that it is the same: a length alone proves nothing. */
export const isSame = (known: Validators, now: Validators): boolean => {
  if (known.etag !== undefined && now.etag !== undefined)
    return known.etag === now.etag && !known.etag.startsWith("W/")
  return (
    known.lastModified !== undefined &&
    known.lastModified === now.lastModified &&
    known.length !== undefined &&
    known.length === now.length
  )
}

/** What the server calls the file, for people to read; never a name to write to. */
export const filenameOf = (headers: Headers, url: URL): string | undefined => {
  const disposition = header(headers, "content-disposition")?.slice(0, 1024) ?? ""
  const encoded = /;\s*filename\*=utf-8'[^']*'([^;]+)/i.exec(disposition)?.[1]
  const [, quoted, bare] = /;\s*filename=(?:"((?:\\.|[^"\\])*)"|([^;"\s]+))/i.exec(disposition) ?? []
  const plain = quoted?.replace(/\\(.)/g, "$1") ?? bare
  const named = (encoded === undefined ? plain : decoded(encoded)) ?? decoded(url.pathname)
  const name = (named.split(/[/\\]/).at(-1) ?? "").replace(UNSEEN, "").trim().slice(0, 200)
  return name === "" || /^\.+$/.test(name) ? undefined : name
}

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

const ETAG = /^(?:W\/)?"[\x21\x23-\x7e]{0,500}"$/
const DATE = /^[\w ,:+-]{10,64}$/
/** Control and formatting characters. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu
