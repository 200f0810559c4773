/** `host:port` of a tunnel, with nothing around it that two readers might read differently. */
export const tunnelTarget = (authority = ""): URL | undefined =>
  /^(?:[^\s/?#@\\[\]:%]+|\[[\da-f:.]+\]):\d{1,5}$/i.test(authority)
    ? parsed(`https://${authority}/`)
    : undefined

/** What is encrypted comes through a tunnel, so an address in the open is plain http. */
export const plainTarget = (method = "", address = ""): URL | undefined =>
  METHODS.has(method) && /^http:\/\//i.test(address) ? parsed(address) : undefined

/** Of raw headers, names and values by turns, those that are meant for the other end and not for the next one on the way. */
export const passedOn = (headers: ReadonlyArray<string>, ...except: ReadonlyArray<string>): Array<string> => {
  const pairs = headers.flatMap((name, index) =>
    index % 2 === 0 ? [{ name, key: name.toLowerCase(), value: headers[index + 1] ?? "" }] : []
  )
  const named = pairs.flatMap(({ key, value }) =>
    key === "connection" ? value.toLowerCase().split(",") : []
  )
  const dropped = new Set([...HOP_BY_HOP, ...except, ...named.map((name) => name.trim())])
  return pairs.flatMap(({ key, name, value }) => (dropped.has(key) ? [] : [name, value]))
}

const parsed = (address: string): URL | undefined => (URL.canParse(address) ? new URL(address) : undefined)

const METHODS = new Set(["GET", "HEAD", "POST"])

const HOP_BY_HOP = [
  ...["connection", "keep-alive", "proxy-connection", "proxy-authenticate", "proxy-authorization"],
  ...["te", "trailer", "transfer-encoding", "upgrade", "expect"]
]
