/** Asks over HTTP and takes the time: questions one after the other, chats at a steady pace. */
import http from "node:http"
import { setTimeout as sleep } from "node:timers/promises"

export const percentile = (values, share) => {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

/** Milliseconds until the whole answer is there; anything but 200 is an error. */
const timed = ({ agent, body, key, path, port }) =>
  new Promise((resolve, reject) => {
    const began = performance.now()
    const request = http.request({
      ...{ agent, path, port, host: "127.0.0.1", method: body === undefined ? "GET" : "POST" },
      headers: {
        authorization: `Bearer ${key}`,
        ...(body === undefined ? {} : { "content-type": "application/json" })
      }
    })
    request.on("error", reject)
    request.on("response", (response) => {
      let text = ""
      response.setEncoding("utf8")
      response.on("data", (piece) => (text += response.statusCode === 200 ? "" : piece))
      response.on("error", reject)
      response.on("end", () =>
        response.statusCode === 200
          ? resolve(performance.now() - began)
          : reject(new Error(`${path}: ${response.statusCode} ${text.slice(0, 300)}`))
      )
    })
    request.end(body)
  })

/** The paths in turn, so many rounds: how long each answer took, which one longest, and what was not answered. */
export const ask = async ({ key, paths, port, rounds }) => {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
  const times = []
  const failures = new Map()
  let slowest
  try {
    for (let round = 0; round < rounds; round++)
      for (const path of paths) {
        const began = performance.now()
        await timed({ agent, key, path, port }).catch((error) => failures.set(path, error.message))
        const millis = performance.now() - began
        times.push(millis)
        if (!(millis <= slowest?.millis)) slowest = { path, millis }
      }
  } finally {
    agent.destroy()
  }
  return { failures, slowest, times }
}

/** Asks everything again and again until it is told to stop; how many answers came. */
export const askForEver = ({ key, kinds, port }) => {
  const stop = new AbortController()
  let answers = 0
  const run = async () => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
    const paths = kinds.flatMap((kind) => kind.paths)
    try {
      while (!stop.signal.aborted)
        for (const path of paths) {
          if (stop.signal.aborted) break
          // What fails has been told of before.
          await timed({ agent, key, path, port }).catch(() => {})
          answers++
        }
    } finally {
      agent.destroy()
    }
  }
  const done = run()
  return async () => {
    stop.abort()
    await done
    return answers
  }
}

/** Chats that begin every so many milliseconds, whether the ones before are answered or not; how long each took. */
export const pace = async ({ key, model, perSecond, port, seconds }) => {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 64 })
  const body = JSON.stringify({
    model,
    messages: [{ role: "user", content: "How is the weather? ".repeat(16) }]
  })
  const chats = []
  const began = performance.now()
  try {
    for (let number = 0; number < perSecond * seconds; number++) {
      const due = began + (number * 1000) / perSecond
      if (due > performance.now()) await sleep(due - performance.now())
      const chat = timed({ agent, body, key, path: "/v1/chat/completions", port })
      chat.catch(() => {})
      chats.push(chat)
    }
    return await Promise.all(chats)
  } finally {
    agent.destroy()
  }
}
