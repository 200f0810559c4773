import type { Duplex } from "node:stream"
import { buildConnector } from "undici"

/**
 * Undici 7 ends the whole process when a server hangs up while its answer is being read slowly (nodejs/undici#5360). It is
 * mended in undici 8, which wants Node 22; until that is our oldest Node, the parser is woken before undici looks at it.
 */
export const steady = <S extends Duplex>(socket: S): S => {
  // Listeners are told in the order they came, and undici has not seen the socket yet.
  socket.prependListener("end", () => wake(parserOf(socket)))
  socket.prependListener("error", () => force(parserOf(socket)))
  socket.prependListener("close", () => force(parserOf(socket)))
  return socket
}

/** What `connect` of an agent or pool takes. */
export const steadyConnector = (options: buildConnector.BuildOptions): buildConnector.connector => {
  const connect = buildConnector(options)
  return (where, done) =>
    connect(where, (...[error, socket]) => {
      if (error === null) done(null, steady(socket))
      else done(error, null)
    })
}

/** The part of undici's parser that matters here. */
interface Parser {
  readonly llhttp: { readonly llhttp_resume: (pointer: number) => void }
  readonly ptr: number | null
  paused: boolean
  readonly resume: () => void
}

const parserOf = (socket: Duplex): Parser | undefined => {
  const key = Object.getOwnPropertySymbols(socket).find(({ description }) => description === "parser")
  const parser: unknown = key === undefined ? undefined : Reflect.get(socket, key)
  return isParser(parser) ? parser : undefined
}

const isParser = (value: unknown): value is Parser =>
  typeof value === "object" && value !== null && "paused" in value && "llhttp" in value && "ptr" in value

/** All that has come is handed on, though the reader asked for a rest: there will be no more of it. */
const wake = (parser: Parser | undefined): void => {
  for (let pause = 0; pause < MOST_PAUSES; pause++) if (parser?.paused === true) parser.resume()
  force(parser)
}

const force = (parser: Parser | undefined): void => {
  if (parser?.paused !== true || parser.ptr === null) return
  parser.llhttp.llhttp_resume(parser.ptr)
  parser.paused = false
}

const MOST_PAUSES = 16
