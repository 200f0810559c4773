/**
 * Closed-loop load over raw keep-alive sockets: each connection sends its next request once the answer
 * is whole. It reads just enough of HTTP to know that, because it shares the machine with the target.
 */
import net from "node:net"

const maxAnswers = 500_000
const maxFailures = 500
const graceMs = 30_000
const spreadMs = 100

const headEnd = "\r\n\r\n"
const lastChunk = "\r\n0\r\n\r\n"
const contentMark = '"content":'
/** Long enough for a mark that two reads cut apart, too short to count a whole content mark twice. */
const carryLength = contentMark.length - 1

const requestBytes = ({ port, model, key, stream }) => {
  const body = JSON.stringify({
    model,
    ...(stream ? { stream: true, stream_options: { include_usage: true } } : {}),
    max_tokens: 200,
    temperature: 0.7,
    messages: [
      { role: "system", content: "You are a careful assistant who answers in plain words. ".repeat(8) },
      { role: "user", content: "Tell me what the weather is like today. ".repeat(8) }
    ]
  })
  const head = [
    "POST /v1/chat/completions HTTP/1.1",
    `Host: 127.0.0.1:${port}`,
    `Authorization: Bearer ${key}`,
    "Content-Type: application/json",
    "Accept: */*",
    `Content-Length: ${Buffer.byteLength(body)}`
  ]
  return Buffer.from(head.join("\r\n") + headEnd + body)
}

const count = (text, mark) => {
  let found = 0
  for (let at = text.indexOf(mark); at >= 0; at = text.indexOf(mark, at + mark.length)) found++
  return found
}

const newAnswer = () => ({
  began: performance.now(),
  firstByte: 0,
  head: "",
  text: "",
  length: -1,
  received: 0,
  chunks: 0,
  finished: false
})

/** Takes one read into the answer; true once the answer is whole. */
const take = (answer, data, finishMark) => {
  let text = answer.text + data.latin1Slice()
  let size = data.length
  if (answer.head === "") {
    const end = text.indexOf(headEnd)
    if (end < 0) {
      answer.text = text
      return false
    }
    answer.head = text.slice(0, end)
    answer.length = Number(/\r\ncontent-length: *(\d+)/i.exec(answer.head)?.[1] ?? -1)
    text = text.slice(end + headEnd.length)
    size = text.length
  }
  if (answer.firstByte === 0 && size > 0) answer.firstByte = performance.now()
  answer.received += size
  answer.chunks += count(text, contentMark)
  answer.finished ||= text.includes(finishMark)
  answer.text = text.slice(-carryLength)
  return answer.length >= 0 ? answer.received >= answer.length : text.endsWith(lastChunk)
}

const percentile = (sorted, share) =>
  sorted.length === 0 ? null : sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]

/**
 * Runs one cell for `seconds`, lets begun answers end, and counts: `complete` answers, `errors` (none, or a
 * status other than 200) and `broken` ones (ended without the last event or without all of the chunks).
 */
export const load = ({ port, model, key, connections, seconds, stream }) =>
  new Promise((resolve) => {
    const request = requestBytes({ port, model, key, stream })
    const finishMark = stream ? "[DONE]" : '"usage"'
    const chunksPerAnswer = stream ? Number(/-c(\d+)/.exec(model)?.[1] ?? 50) : 1
    const tally = { complete: 0, errors: 0, broken: 0, chunks: 0 }
    const wholeMs = []
    const firstMs = []
    const sockets = new Set()
    const began = performance.now()
    const end = began + seconds * 1000
    let open = connections

    const goesOn = () =>
      performance.now() < end && tally.complete < maxAnswers && tally.errors + tally.broken < maxFailures

    const closed = () => {
      if (--open > 0) return
      clearTimeout(grace)
      const elapsed = (performance.now() - began) / 1000
      wholeMs.sort((a, b) => a - b)
      firstMs.sort((a, b) => a - b)
      resolve({
        ...tally,
        seconds: elapsed,
        perSecond: tally.complete / elapsed,
        p50Ms: percentile(wholeMs, 0.5),
        p99Ms: percentile(wholeMs, 0.99),
        firstP50Ms: percentile(firstMs, 0.5),
        firstP99Ms: percentile(firstMs, 0.99)
      })
    }

    const settleAnswer = (answer) => {
      const now = performance.now()
      if (answer.head.slice(9, 12) !== "200") tally.errors++
      else if (!answer.finished || answer.chunks !== chunksPerAnswer) tally.broken++
      else {
        tally.complete++
        tally.chunks += answer.chunks
        wholeMs.push(now - answer.began)
        firstMs.push(answer.firstByte - answer.began)
      }
    }

    const connect = () => {
      const socket = net.connect({ port, host: "127.0.0.1", noDelay: true })
      sockets.add(socket)
      let answer
      const send = () => {
        answer = newAnswer()
        socket.write(request)
      }
      socket.on("connect", send)
      socket.on("data", (data) => {
        if (answer === undefined || !take(answer, data, finishMark)) return
        settleAnswer(answer)
        answer = undefined
        if (goesOn()) send()
        else socket.end()
      })
      socket.on("error", () => {})
      socket.on("close", () => {
        sockets.delete(socket)
        if (answer?.head.startsWith("HTTP/1.1 200")) tally.broken++
        else if (answer !== undefined || socket.bytesWritten === 0) tally.errors++
        if (goesOn()) setTimeout(connect, 10)
        else closed()
      })
    }

    const grace = setTimeout(() => sockets.forEach((socket) => socket.destroy()), seconds * 1000 + graceMs)
    for (let i = 0; i < connections; i++) setTimeout(connect, (spreadMs * i) / connections)
  })
