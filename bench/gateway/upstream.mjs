/**
 * The upstream behind every target. The model name says how it behaves: `d50-c20-g5` waits 50 ms before the
 * first byte, then sends 20 chunks with 5 ms between them; a plain answer is 1 KB of JSON.
 */
import http from "node:http"

const port = Number(process.env.PORT)
const models = (process.env.MODELS ?? "").split(",").filter(Boolean)
const answerBytes = 1024
const created = 1_750_000_000
const id = "gen-bench-0000000000000000"
const words = "the quick brown fox jumps over the lazy dog ".repeat(30)

const usage = (completion) => ({
  prompt_tokens: 200,
  completion_tokens: completion,
  total_tokens: 200 + completion,
  cost: 0.00014
})

const jsonAnswer = (model) => {
  const answer = (content) =>
    JSON.stringify({
      id,
      object: "chat.completion",
      created,
      model,
      provider: "Bench",
      choices: [{ index: 0, message: { role: "assistant", content }, finish_reason: "stop" }],
      usage: usage(120)
    })
  return Buffer.from(answer(words.slice(0, answerBytes - answer("").length)))
}

const event = (data) => Buffer.from(`data: ${data}\n\n`)

const streamEvents = (model, chunks) => {
  const chunk = (rest) =>
    event(JSON.stringify({ id, object: "chat.completion.chunk", created, model, provider: "Bench", ...rest }))
  const delta = (delta, finish_reason) => chunk({ choices: [{ index: 0, delta, finish_reason }] })
  const content = Array.from({ length: chunks }, (_, i) =>
    delta({ role: "assistant", content: `word ${i} ` }, null)
  )
  return [...content, delta({}, "stop"), chunk({ choices: [], usage: usage(chunks) }), event("[DONE]")]
}

const parseModel = (model) => {
  const mark = (letter, otherwise) => Number(new RegExp(`[/-]${letter}(\\d+)`).exec(model)?.[1] ?? otherwise)
  const chunks = mark("c", 50)
  return {
    delay: mark("d", 0),
    chunks,
    gap: mark("g", 0),
    json: jsonAnswer(model),
    events: streamEvents(model, chunks)
  }
}

const behaviours = new Map()
const behaviourOf = (model) => {
  if (!behaviours.has(model)) behaviours.set(model, parseModel(model))
  return behaviours.get(model)
}

const sendJson = (response, body) => {
  response.writeHead(200, { "content-type": "application/json", "content-length": body.length })
  response.end(body)
}

/** Each event is written in its own turn of the event loop, so that it leaves as a packet of its own. */
const sendStream = (response, { events, chunks, gap }) => {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" })
  let sent = 0
  const next = () => {
    if (response.destroyed) return
    response.write(events[sent++])
    if (sent === events.length) response.end()
    else if (gap > 0 && sent < chunks) setTimeout(next, gap)
    else setImmediate(next)
  }
  next()
}

const catalogue = Buffer.from(
  JSON.stringify({
    data: models.map((id) => ({
      id,
      name: id,
      created,
      context_length: 128_000,
      architecture: { modality: "text->text", input_modalities: ["text"], output_modalities: ["text"] },
      pricing: { prompt: "0.0000001", completion: "0.000001" },
      supported_parameters: ["max_tokens", "temperature", "tools"]
    }))
  })
)
const healthy = Buffer.from('{"ok":true}')

const complete = (response, body) => {
  const model = /"model"\s*:\s*"([^"]+)"/.exec(body)?.[1]
  if (model === undefined) {
    response.writeHead(400, { "content-type": "application/json" })
    response.end('{"error":{"message":"no model","code":400}}')
    return
  }
  const behaviour = behaviourOf(model)
  const answer = () =>
    /"stream"\s*:\s*true/.test(body) ? sendStream(response, behaviour) : sendJson(response, behaviour.json)
  if (behaviour.delay > 0) setTimeout(answer, behaviour.delay)
  else answer()
}

const server = http.createServer((request, response) => {
  if (request.method === "GET") {
    request.resume()
    sendJson(response, request.url.includes("/models") ? catalogue : healthy)
    return
  }
  let body = ""
  request.setEncoding("utf8")
  request.on("data", (text) => (body += text))
  request.on("end", () => complete(response, body))
})
server.keepAliveTimeout = 120_000
server.listen(port, "127.0.0.1", 4096)
