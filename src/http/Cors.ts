import type { IncomingMessage, ServerResponse } from "node:http"

/** Says to browsers which pages may call the API; nothing is said unless origins are configured. */
export const makeCors = (origins: ReadonlyArray<string>, freshId: () => string) => {
  const allowed = (origin: string | undefined) =>
    origin !== undefined && (origins.includes("*") || origins.includes(origin))

  /** True if the request was a preflight and is answered. */
  return (request: IncomingMessage, response: ServerResponse): boolean => {
    const { origin } = request.headers
    if (origins.length === 0) return false
    response.setHeader("vary", "Origin")
    if (!allowed(origin)) return false
    response.setHeader("access-control-allow-origin", origins.includes("*") ? "*" : (origin ?? ""))
    response.setHeader(
      "access-control-expose-headers",
      "x-request-id, x-trace-id, x-generation-id, x-percept-media, x-total, x-truncated, retry-after"
    )
    if (request.method !== "OPTIONS" || request.headers["access-control-request-method"] === undefined)
      return false
    response.setHeader("access-control-allow-methods", "GET, POST, DELETE, OPTIONS")
    response.setHeader(
      "access-control-allow-headers",
      request.headers["access-control-request-headers"] ?? "*"
    )
    response.setHeader("access-control-max-age", "86400")
    response.writeHead(204, { "x-request-id": freshId() }).end()
    return true
  }
}
