import { Data } from "effect"
import { MediaFailure } from "../../domain/Errors.ts"
import { header } from "../../domain/media/HttpFacts.ts"
import type { Headers } from "../../domain/media/HttpFacts.ts"
import type { NotConnected, Refused } from "./AddressGuard.ts"

/** A request that came to nothing. */
export class Fault extends Data.TaggedError("Fault")<{
  readonly failure: MediaFailure
  /** Whether trying again at once may help. */
  readonly again: boolean
  /** Seconds the server wants to be left alone. */
  readonly wait?: number
}> {}

export const fault = (failure: ConstructorParameters<typeof MediaFailure>[0], again = false) =>
  new Fault({ failure: new MediaFailure(failure), again })

/** A status that is not what was asked for. */
export const refusedWith = ({
  headers,
  status,
  url
}: {
  readonly url: URL
  readonly status: number
  readonly headers: Headers
}): Fault => {
  const asked = header(headers, "retry-after") ?? ""
  const wait = /^\d{1,9}$/.test(asked) ? Number(asked) : 0
  return new Fault({
    failure: new MediaFailure({
      code: "unreachable",
      message: `The server at the address answered with status ${status}.`,
      detail: `${url.host} answered ${status}`
    }),
    again: (status >= 500 || status === 429) && wait <= LONGEST_WAIT,
    wait
  })
}

/** A redirect that cannot be followed. */
export const misled = (url: URL, how: string) => fault({ ...UNREACHABLE, detail: `${url.host} ${how}` })

export const unreachable = (cause: Refused | NotConnected): Fault =>
  fault({ ...UNREACHABLE, detail: cause.message }, cause._tag === "NotConnected" && cause.transient)

/** It had taken the call, and gave nothing back that could be read. */
export const noAnswer = (url: URL, error: unknown): Fault => {
  const code = codeOf(error)
  const detail = `${url.host} gave no answer: ${code}`
  return code === "UND_ERR_HEADERS_TIMEOUT"
    ? fault({ ...SILENT, detail })
    : fault({ ...UNREACHABLE, detail }, RESETS.has(code))
}

export const cutOff = (url: URL, error: unknown): Fault => {
  const code = codeOf(error)
  const detail = `${url.host} broke off: ${code}`
  return code === "UND_ERR_BODY_TIMEOUT" ? fault({ ...SILENT, detail }) : fault({ ...CUT_OFF, detail }, true)
}

export const codeOf = (error: unknown): string =>
  error instanceof Error
    ? "code" in error && typeof error.code === "string"
      ? error.code
      : error.name
    : "unknown"

/** The same words for all that cannot be called, so that nobody learns which it was. */
const UNREACHABLE = { code: "unreachable", message: "The address could not be reached." } as const
const SILENT = { code: "timeout", message: "The server at the address fell silent." } as const
const CUT_OFF = {
  code: "unreachable",
  message: "The connection broke off before the whole file had come."
} as const

const RESETS = new Set(["ECONNRESET", "EPIPE", "UND_ERR_SOCKET"])
const LONGEST_WAIT = 10
