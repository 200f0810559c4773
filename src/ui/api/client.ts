/** What came instead of an answer: nothing (0), the wish to know who asks (401), or another no with its reason. */
export class Refused extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

export const isSignedIn = (): boolean => sessionStorage.getItem(PLACE) !== null

/** Kept until the tab is closed. */
export const signIn = (authorization: string): void => sessionStorage.setItem(PLACE, authorization)

export const signOut = (): void => sessionStorage.removeItem(PLACE)

/** Any call; what is not an answer is thrown. The first header keeps browsers from asking for a password. */
export const call = async (path: string, init: RequestInit = {}): Promise<Response> => {
  const authorization = sessionStorage.getItem(PLACE)
  const own = { "x-requested-with": "percept", ...(authorization && { authorization }) }
  const response = await fetch(path, { ...init, headers: { ...own, ...init.headers } }).catch(() => {
    throw new Refused(0, "The server does not answer.")
  })
  if (response.ok) return response
  const body: unknown = await response.json().catch(() => undefined)
  const message = field(field(body, "error"), "message")
  throw new Refused(response.status, String(message ?? `The server answered ${response.status}.`))
}

/** An answer in JSON. The server is ours: what has this field is taken for what it should be. */
export const getJson = async <A extends object>(
  path: string,
  name: keyof A & string,
  signal: AbortSignal | null = null
): Promise<A> => {
  const answer: unknown = await (await call(path, { signal })).json()
  if (!has<A>(answer, name)) throw new Error("The server answered something else.")
  return answer
}

/** The value of a text; undefined where it is none, such as the beginning of one. */
export const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** A field of whatever came. */
export const field = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined

export const has = <A extends object>(value: unknown, name: keyof A & string): value is A =>
  field(value, name) !== undefined

const PLACE = "percept.authorization"
