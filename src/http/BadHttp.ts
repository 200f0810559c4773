import { STATUS_CODES } from "node:http"
import type { Server } from "node:http"
import { errorBody, errorText, InvalidRequest } from "../domain/Errors.ts"
import type { Exchanges } from "./Exchanges.ts"
import { pathOf } from "./NodeExchange.ts"

/** What Node would answer by itself, because it is no HTTP or asks for too much, gets our shape all the same. */
export const answerBadHttp = (server: Server, { freshId, isMidStream, spoil }: Exchanges): void => {
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    if (error.code === "ECONNRESET" || !socket.writable) return void socket.destroy()
    const status = STATUSES[error.code ?? ""] ?? 400
    const failure = new InvalidRequest({
      message: MESSAGES[status] ?? "This is no HTTP request.",
      code: null
    })
    if (error.code !== "HPE_INVALID_EOF_STATE" && spoil(socket, failure)) return
    if (isMidStream(socket)) return void socket.destroy()
    const body = JSON.stringify(errorBody(failure))
    const head = [
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
      "content-type: application/json",
      `content-length: ${Buffer.byteLength(body)}`,
      `x-request-id: ${freshId()}`,
      "connection: close"
    ]
    socket.end(`${head.join("\r\n")}\r\n\r\n${body}`)
  })

  server.on("checkExpectation", (request, response) => {
    const failure = new InvalidRequest({ message: "Only 100-continue can be expected.", code: null })
    const body = errorText(pathOf(request), failure)
    const headers = {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(body),
      "x-request-id": freshId(),
      connection: "close"
    }
    response.writeHead(417, headers).end(body)
  })
}

const STATUSES: Readonly<Record<string, number>> = { HPE_HEADER_OVERFLOW: 431, ERR_HTTP_REQUEST_TIMEOUT: 408 }

const MESSAGES: Readonly<Record<number, string>> = {
  408: "The request did not arrive in time.",
  431: "The request head is too long."
}
