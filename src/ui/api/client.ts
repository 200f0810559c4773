/** The server wants to know who asks. */
export class SignInNeeded extends Error {}

/** The server does not answer. */
export class Unreachable extends Error {}

/** The server says no, and why. */
export class Refused extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/** What every call of the page carries; the first keeps browsers from asking for a password by themselves. */
export const headers = (): { readonly [name: string]: string } => {
  const authorization = sessionStorage.getItem(PLACE)
  return { "x-requested-with": "percept", ...(authorization === null ? {} : { authorization }) }
}

export const isSignedIn = (): boolean => sessionStorage.getItem(PLACE) !== null

/** Kept until the tab is closed: a key alone, or a name with its password. */
export const signIn = (name: string, secret: string): void =>
  sessionStorage.setItem(PLACE, name === "" ? `Bearer ${secret}` : `Basic ${base64(`${name}:${secret}`)}`)

export const signOut = (): void => sessionStorage.removeItem(PLACE)

/** Any call; what is not an answer is thrown as one of the errors above. */
export const call = async (path: string, init: RequestInit = {}): Promise<Response> => {
  const response = await fetch(path, { ...init, headers: { ...headers(), ...init.headers } }).catch(
    (cause: unknown) => {
      if (init.signal?.aborted === true) throw cause
      throw new Unreachable("The server does not answer.")
    }
  )
  if (response.ok || response.status === 304) return response
  const message = await messageOf(response)
  if (response.status === 401) throw new SignInNeeded(message)
  throw new Refused(response.status, message)
}

/** An answer in JSON; one that has not changed since is not sent again. */
export const getJson = async (path: string, signal?: AbortSignal): Promise<unknown> => {
  const known = remembered.get(path)
  const response = await call(path, {
    ...(signal === undefined ? {} : { signal }),
    cache: "no-store",
    headers: known === undefined ? {} : { "if-none-match": known.tag }
  })
  if (response.status === 304 && known !== undefined) return known.value
  const value: unknown = await response.json()
  const tag = response.headers.get("etag")
  remembered.delete(path)
  if (tag !== null) remembered.set(path, { tag, value })
  for (const oldest of remembered.keys()) {
    if (remembered.size <= MOST_REMEMBERED) break
    remembered.delete(oldest)
  }
  return value
}

const messageOf = async (response: Response): Promise<string> => {
  const body: unknown = await response.json().catch(() => undefined)
  const error = field(body, "error")
  const message = field(error, "message")
  return typeof message === "string" ? message : `The server answered ${response.status}.`
}

/** A field of whatever came. */
export const field = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined

const base64 = (text: string): string => btoa(String.fromCharCode(...new TextEncoder().encode(text)))

const remembered = new Map<string, { readonly tag: string; readonly value: unknown }>()
const MOST_REMEMBERED = 12
const PLACE = "percept.authorization"
