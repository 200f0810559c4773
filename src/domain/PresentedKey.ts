/** The key a request shows: a bearer token, the password of basic auth, or `X-Api-Key`; undefined where there is none. */
export const presentedKey = (header: (name: string) => string | undefined): string | undefined => {
  const authorization = header("authorization")
  return (authorization === undefined ? undefined : keyIn(authorization)) ?? header("x-api-key")?.trim()
}

/** The key in an `Authorization` header; undefined where its scheme has none. */
export const keyIn = (authorization: string): string | undefined => {
  const space = authorization.indexOf(" ")
  const scheme = authorization.slice(0, space).toLowerCase()
  const rest = authorization.slice(space + 1).trim()
  if (scheme === "bearer") return rest
  if (scheme !== "basic") return undefined
  const pair = Buffer.from(rest, "base64").toString("utf8")
  return pair.slice(pair.indexOf(":") + 1)
}

/** Whether a key is one that this program makes; no others are ever looked up. */
export const isOwnKey = (key: string): boolean => key.length === OWN_LENGTH && key.startsWith(KEY_PREFIX)

export const KEY_PREFIX = "pk-percept-"

/** 256 bits in base64url. */
const OWN_LENGTH = KEY_PREFIX.length + 43

/** What the ids of keys in the database begin with where they stand beside those of the environment. */
export const KEPT_KEY = "db:"

/** The id of a key in the database; undefined for all others. */
export const keptIdIn = (keyId: string | null): string | undefined =>
  keyId?.startsWith(KEPT_KEY) === true ? keyId.slice(KEPT_KEY.length) : undefined
