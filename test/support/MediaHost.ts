import { Effect } from "effect"
import type { Scope } from "effect"
import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import { createServer as createHttpServer } from "node:http"
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http"
import { createServer as createTcpServer } from "node:net"
import type { AddressInfo, Server, Socket } from "node:net"
import { gzipSync } from "node:zlib"

/**
 * A real server on a free port of 127.0.0.1 that serves media, and misbehaves where it is told to. A router (or a
 * fetcher) may call it when it is given `env`.
 */
export interface MediaHost {
  /** `127.0.0.1:port`. */
  readonly authority: string
  readonly env: { readonly MEDIA_ALLOWED_HOSTS: string }
  readonly at: (path: string) => URL
  /** Serves bytes, or a file by its path, with ETag, Last-Modified, conditional requests and ranges. */
  readonly serve: (path: string, content: Uint8Array | string, headers?: Headers) => URL
  /** Answers as told, in place of what was served there before. */
  readonly behave: (path: string, ...behaviours: ReadonlyArray<Behaviour>) => URL
  /** Every request so far. */
  readonly asked: ReadonlyArray<Asked>
  readonly connections: () => number
  /** Connections that are open now. */
  readonly open: () => number
  /** Bytes handed to the network so far, which takes in some more than anybody reads. */
  readonly sent: () => number
}

export interface Asked {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
}

/** A header that is undefined is left out. */
export type Headers = { readonly [name: string]: string | undefined }

export type Behaviour = (request: IncomingMessage, response: ServerResponse) => void

export const startMediaHost: Effect.Effect<MediaHost, never, Scope.Scope> = Effect.suspend(() => {
  const routes = new Map<string, Array<Behaviour>>()
  const asked: Array<Asked> = []
  const server = createHttpServer((request, response) => {
    const path = request.url ?? ""
    asked.push({ method: request.method ?? "", path, headers: request.headers })
    const behaviours = routes.get(path.replace(/\?.*/, "")) ?? [status(404)]
    const behaviour = behaviours.length > 1 ? behaviours.shift() : behaviours[0]
    behaviour?.(request, response)
  })
  return Effect.map(listening(server, "127.0.0.1"), ({ open, port, seen }): MediaHost => {
    const authority = `127.0.0.1:${port}`
    const at = (path: string) => new URL(`http://${authority}${path}`)
    const behave = (path: string, ...behaviours: ReadonlyArray<Behaviour>) => {
      routes.set(path, [...behaviours])
      return at(path)
    }
    return {
      authority,
      env: { MEDIA_ALLOWED_HOSTS: authority },
      at,
      serve: (path, content, headers) => behave(path, serving(content, headers)),
      behave,
      asked,
      connections: () => seen.length,
      open: () => open.size,
      sent: () => seen.reduce((sum, socket) => sum + socket.bytesWritten, 0)
    }
  })
})

/** Somebody who must not be called: counts who did, and what they said. It listens on every address of this machine. */
export interface Canary {
  readonly port: number
  readonly connections: () => number
  readonly bytes: () => number
}

export const startCanary: Effect.Effect<Canary, never, Scope.Scope> = Effect.suspend(() => watching(() => {}))

/** Somebody who takes every call, and ends it before anything is said. */
export const startHangUp: Effect.Effect<Canary, never, Scope.Scope> = Effect.suspend(() =>
  watching((socket) => socket.end())
)

const watching = (greet: (socket: Socket) => void) => {
  let bytes = 0
  const server = createTcpServer((socket) => {
    socket.on("data", (piece) => (bytes += piece.length))
    greet(socket)
  })
  return Effect.map(listening(server), ({ port, seen }) => ({
    port,
    connections: () => seen.length,
    bytes: () => bytes
  }))
}

/** A file with its validators, as a good server serves it. */
export const serving =
  (content: Uint8Array | string, headers: Headers = {}): Behaviour =>
  (request, response) => {
    const body = typeof content === "string" ? readFileSync(content) : content
    const etag = `"${createHash("sha1").update(body).digest("hex")}"`
    const said: Headers = { etag, "last-modified": LAST_MODIFIED, "accept-ranges": "bytes", ...headers }
    for (const [name, value] of Object.entries(said)) if (value !== undefined) response.setHeader(name, value)
    const { "if-modified-since": since, "if-none-match": match, range } = request.headers
    const unchanged = match === undefined ? since === said["last-modified"] : match === said["etag"]
    if ((match ?? since) !== undefined && unchanged) return void response.writeHead(304).end()
    const [, from = "0", to = ""] = /^bytes=(\d+)-(\d*)$/.exec(range ?? "") ?? []
    const last = Math.min(to === "" ? Infinity : Number(to), body.length - 1)
    if (range === undefined) return void response.setHeader("content-length", body.length).end(body)
    response.setHeader("content-range", `bytes ${from}-${last}/${body.length}`)
    response.writeHead(206).end(body.subarray(Number(from), last + 1))
  }

/** Any status, with or without a body. */
export const status =
  (code: number, headers: Record<string, string> = {}, body: Uint8Array | string = ""): Behaviour =>
  (_, response) =>
    void response.writeHead(code, headers).end(body)

export const redirect = (location: string, code = 302): Behaviour => status(code, { location })

/** What a server shows people in place of the file, and calls a success. */
export const page = (html = "<!doctype html><html><body>Sorry</body></html>"): Behaviour =>
  status(200, { "content-type": "video/mp4" }, html)

/** The whole body, a few bytes at a time. */
export const drip =
  (body: Uint8Array, size: number, everyMs: number): Behaviour =>
  (_, response) => {
    response.writeHead(200, { "content-length": body.length })
    const send = (from: number): void => {
      if (response.destroyed) return
      if (from >= body.length) return void response.end()
      response.write(body.subarray(from, from + size))
      setTimeout(send, everyMs, from + size)
    }
    send(0)
  }

/** The beginning of a body, and nothing more. */
export const stall =
  (start: Uint8Array, length = 1_000_000): Behaviour =>
  (_, response) =>
    void response.writeHead(200, { "content-length": length }).write(start)

/** Takes the request and never says a word. */
export const silence: Behaviour = () => {}

/** Headers that come one after the other and have no end. */
export const slowHeaders =
  (everyMs: number): Behaviour =>
  (_, { socket }) => {
    socket?.write("HTTP/1.1 200 OK\r\n")
    const timer = setInterval(() => socket?.write("x-more: to come\r\n"), everyMs)
    socket?.on("close", () => clearInterval(timer))
  }

/** A few kilobytes that unpack to many. */
export const gzipBomb =
  (body: Uint8Array): Behaviour =>
  (_, response) => {
    const packed = gzipSync(body)
    response.writeHead(200, { "content-encoding": "gzip", "content-length": packed.length }).end(packed)
  }

/** Says another length than there is, and hangs up at the end of what there is. */
export const lying =
  (body: Uint8Array, length: number): Behaviour =>
  (_, { socket }) =>
    void socket?.end(
      Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\ncontent-length: ${length}\r\n\r\n`), body])
    )

/** Part of a body in chunks of unknown number, and a connection that breaks. */
export const cutOff =
  (start: Uint8Array): Behaviour =>
  (_, response) =>
    void response.writeHead(200).write(start, () => response.socket?.resetAndDestroy())

/** Breaks the connection without an answer. */
export const reset: Behaviour = (_, response) => void response.socket?.resetAndDestroy()

/** A good beginning that never comes to an end. */
export const endless =
  (start: Uint8Array): Behaviour =>
  (_, response) => {
    const more = Buffer.alloc(65_536, 1)
    const send = (): void => {
      while (!response.destroyed && response.write(more));
    }
    response.writeHead(200).write(start)
    response.on("drain", send)
    send()
  }

export const LAST_MODIFIED = "Fri, 06 Nov 2026 08:49:37 GMT"

const listening = (server: Server, host?: string) =>
  Effect.acquireRelease(
    Effect.async<{ port: number; seen: ReadonlyArray<Socket>; open: ReadonlySet<Socket> }>((resume) => {
      const seen: Array<Socket> = []
      const open = new Set<Socket>()
      server.on("connection", (socket: Socket) => {
        seen.push(socket)
        open.add(socket)
        socket.on("error", () => {}).on("close", () => open.delete(socket))
      })
      server.listen({ port: 0, host }, () =>
        resume(Effect.succeed({ port: (server.address() as AddressInfo).port, seen, open }))
      )
    }),
    ({ open }) =>
      Effect.async<void>((resume) => {
        server.close(() => resume(Effect.void))
        for (const socket of open) socket.destroy()
      })
  )
