/** The yardstick: the least a proxy on node:http can do. It passes bytes on and keeps no record of them. */
import http from "node:http"

const port = Number(process.env.PORT)
const upstream = new URL(process.env.UPSTREAM)
const agent = new http.Agent({ keepAlive: true, maxFreeSockets: 1024 })

const server = http.createServer((request, response) => {
  const forwarded = http.request(
    {
      agent,
      host: upstream.hostname,
      port: upstream.port,
      method: request.method,
      path: request.url,
      headers: { ...request.headers, host: upstream.host }
    },
    (answer) => {
      response.writeHead(answer.statusCode, answer.headers)
      answer.pipe(response)
    }
  )
  forwarded.on("error", () => {
    if (!response.headersSent) response.writeHead(502)
    response.end()
  })
  response.on("close", () => {
    if (!response.writableFinished) forwarded.destroy()
  })
  request.pipe(forwarded)
})
server.keepAliveTimeout = 120_000
server.listen(port, "127.0.0.1", 4096)
