/** Makes the pictures of the page that README shows, from a seeded record and real media: `node bench/page/pictures.mjs`. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import os from "node:os"
import path from "node:path"
import sharp from "sharp"
import { describe, makeFilm } from "./scenes.mjs"
import { ask, seedFolder, startBrowser, startRouter, startServer } from "./stage.mjs"

const out = path.join(import.meta.dirname, "../../docs/pictures")
const [BLIND, EYES] = ["deepseek/deepseek-v3.2", "google/gemini-2.5-flash"]
const ANSWER =
  "The film follows one day at a small harbour. The sun rises and the first boat leaves; by ten three more have " +
  "followed past the lighthouse. At noon the fish market sells everything within an hour, in the afternoon the mail " +
  "train crosses the bridge, then rain drives everybody to shelter. At night only the lighthouse turns."

/** A provider that sees what is on the pictures, and takes its time where it is told to wait. */
const provide = async (request, response, body) => {
  if (request.url.startsWith("/v1/models")) return sendJson(response, { data: [BLIND, EYES].map(modelOf) })
  if (request.method !== "POST") return response.writeHead(404).end()
  const asked = JSON.parse(body)
  const text = JSON.stringify(asked.messages)
  const image = /data:image\/\w+;base64,([\w+/=]+)/.exec(text)?.[1]
  if (text.includes("Take your time")) {
    if (asked.stream !== true) return
    response.writeHead(200, { "content-type": "text/event-stream" })
    return response.write(`data: ${JSON.stringify(chunkOf(asked.model, "First of all, "))}\n\n`)
  }
  const isForOthers = asked.model === EYES && image !== undefined
  if (isForOthers && isHolding) return
  await new Promise((resolve) => setTimeout(resolve, isForOthers ? 640 : 1900))
  const content = isForOthers ? await describe(Buffer.from(image, "base64")) : ANSWER
  const tokens = {
    prompt_tokens: Math.round(text.replace(image ?? "", "").length / 4) + 260,
    completion_tokens: Math.round(content.length / 4)
  }
  const cost = (tokens.prompt_tokens * 0.27 + tokens.completion_tokens * 0.4) / 1e6
  const usage = { ...tokens, total_tokens: tokens.prompt_tokens + tokens.completion_tokens, cost }
  const head = {
    id: `gen-${Math.random().toString(36).slice(2, 12)}`,
    object: "chat.completion",
    created: 1,
    model: asked.model
  }
  if (asked.stream !== true)
    return sendJson(response, {
      ...head,
      choices: [{ index: 0, message: { role: "assistant", content }, finish_reason: "stop" }],
      usage
    })
  response.writeHead(200, { "content-type": "text/event-stream" })
  for (const piece of content.match(/.{1,24}/gs)) {
    response.write(`data: ${JSON.stringify(chunkOf(asked.model, piece))}\n\n`)
    await new Promise((resolve) => setTimeout(resolve, 60))
  }
  response.end(
    `data: ${JSON.stringify({ ...chunkOf(asked.model, ""), choices: [{ index: 0, delta: {}, finish_reason: "stop" }], usage })}\n\ndata: [DONE]\n\n`
  )
}

let isHolding = false

const sendJson = (response, value) =>
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(value))

const modelOf = (id) => ({
  id,
  name: id,
  created: 1,
  context_length: 200_000,
  architecture: { input_modalities: id === EYES ? ["text", "image"] : ["text"], output_modalities: ["text"] },
  pricing: { prompt: "0.00000027", completion: "0.0000004" }
})

const chunkOf = (model, content) => ({
  id: "gen-1763648790-kQ3vXw",
  object: "chat.completion.chunk",
  created: 1,
  model,
  choices: [{ index: 0, delta: { role: "assistant", content }, finish_reason: null }]
})

/** Serves files, some of them only in part; whoever wants it to listen waits for ever. */
const serveFiles = (files) => (request, response) => {
  if (request.method === "POST") return
  const { bytes, most = Infinity, type } = files[request.url] ?? {}
  if (bytes === undefined) return response.writeHead(404).end()
  response.writeHead(200, { "content-type": type, "content-length": bytes.length })
  if (most >= bytes.length) return response.end(bytes)
  response.write(bytes.subarray(0, most))
  // It is not given up as long as something comes.
  let sent = most
  const drip = setInterval(() => response.write(bytes.subarray(sent, ++sent)), 1000)
  response.on("close", () => clearInterval(drip))
}

const until = async (look, seconds = 120) => {
  const deadline = performance.now() + seconds * 1000
  while (!(await look())) {
    if (performance.now() > deadline) throw new Error(`waited in vain for ${look}`)
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

const main = async () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), "percept-pictures-"))
  const running = []
  try {
    const { film, long, pictures, voice } = await makeFilm(folder)
    const video = { type: "video/mp4" }
    const files = {
      "/harbour.mp4": { bytes: film, ...video },
      "/week-at-the-harbour.mp4": { bytes: long, ...video },
      "/upload/holiday.mp4": { bytes: film, most: Math.round(film.length * 0.43), ...video },
      "/notes.mp3": { bytes: voice, type: "audio/mpeg" },
      "/new/pier.jpg": { bytes: await sharp(pictures[2]).flop().jpeg().toBuffer(), type: "image/jpeg" }
    }
    for (const [at, bytes] of pictures.entries())
      files[`/photos/${NAMES[at]}.jpg`] = { bytes, type: "image/jpeg" }
    const host = await startServer(serveFiles(files))
    const provider = await startServer(provide)
    running.push(host, provider)
    const data = path.join(folder, "data")
    await seedFolder(data, { rows: 9000, days: 14, until: Date.now() - 90_000 })
    const settings = {
      OPENROUTER_API_KEY: "sk-or-pictures",
      OPENROUTER_API_URL: `${provider.url}/v1/chat/completions`,
      OPENROUTER_MODELS_API_URL: `${provider.url}/v1/models`,
      MEDIA_ALLOWED_HOSTS: host.authority,
      MEDIA_POLICY: "describe",
      VISION_MODEL: EYES
    }
    let router = await startRouter(data, settings)
    running.push({ stop: () => router.stop() })
    const say = async (model, content, more) => {
      const response = await ask(router.url, model, content, more)
      await response.arrayBuffer()
      if (!response.ok) throw new Error(`${content}: ${response.status}`)
      return response.headers.get("x-request-id")
    }
    const at = (name) => host.url + name
    for (const name of NAMES) await say(BLIND, `Write a caption for ${at(`/photos/${name}.jpg`)}`)
    await say(BLIND, `Put these notes in order, please: ${at("/notes.mp3")}`)
    const request = await say(BLIND, `What happens in this video, and when? ${at("/harbour.mp4")}`, {
      stream: true
    })
    await say(BLIND, `In one sentence, for a postcard: ${at("/harbour.mp4")}`)
    await until(
      async () => (await (await fetch(`${router.url}/ui/tracking_data/${request}`)).json()).state === "done"
    )

    await takeAll(async (take) => {
      await take(router.url, "media", "/ui/tracking?view=media", { height: 720 }, async (page) => {
        await page.locator("percept-media .card").nth(7).waitFor()
        await allSeen(page, "percept-media .card")
      })
    })
    await router.stop()
    isHolding = true
    router = await startRouter(data, { ...settings, WHISPER_URL: `${host.url}/asr` })
    const slow = [
      [BLIND, `Summarise our week: ${at("/week-at-the-harbour.mp4")}`],
      [BLIND, `Is anybody I know in ${at("/upload/holiday.mp4")} ?`],
      [BLIND, `What is on ${at("/new/pier.jpg")} ?`],
      [EYES, "Take your time: plan a trip to Lisbon.", { stream: true }],
      ["openai/gpt-5-mini", "Take your time."]
    ]
    for (const [model, content, more] of slow)
      void ask(router.url, model, content, more)
        .then((response) => response.text())
        .catch(() => {})
    await takeAll(async (take) => {
      await take(router.url, "list", "/ui/tracking", { height: 1000 }, async (page) => {
        await page.locator("percept-charts .legend .s0").waitFor()
        await page.locator("percept-table tbody tr").first().waitFor()
        await page.locator("percept-ongoing li").nth(4).waitFor()
      })
      const address = `/ui/tracking?sel=${request}`
      await take(router.url, "request", address, { height: 1700, width: 1600 }, async (page) => {
        await page.locator("percept-charts .legend .s0").waitFor()
        await allSeen(page, "percept-drawer .moment")
      })
    })
  } finally {
    for (const { stop } of running.toReversed()) await stop()
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  }
}

const NAMES = ["sunrise", "lighthouse", "market", "mail-train", "rain", "night"]

/** Each picture is taken in light and in dark, at the same time. */
const takeAll = async (what) => {
  mkdirSync(out, { recursive: true })
  const browser = await startBrowser()
  const take = async (url, name, address, { height, width = 1440 }, ready) => {
    await Promise.all(
      ["light", "dark"].map(async (colorScheme) => {
        const context = await browser.newContext({
          colorScheme,
          deviceScaleFactor: 1.25,
          locale: "en-GB",
          reducedMotion: "reduce",
          viewport: { width, height }
        })
        context.setDefaultTimeout(90_000)
        const page = await context.newPage()
        await page.goto(url + address)
        await ready(page)
        await page.mouse.move(0, 0)
        await keep(await page.screenshot(), path.join(out, `${name}-${colorScheme}.webp`))
        await context.close()
      })
    )
  }
  try {
    await what(take)
  } finally {
    await browser.close()
  }
}

/** As good as it can be within its size. */
const keep = async (png, file) => {
  let small
  for (let quality = 84; small === undefined || (small.length > MOST && quality > 40); quality -= 6)
    small = await sharp(png).webp({ quality, effort: 5 }).toBuffer()
  writeFileSync(file, small)
  console.log(`${file} ${Math.round(small.length / 1000)} kB`)
}

/** Waits for each picture that is in sight. */
const allSeen = (page, within) =>
  until(() =>
    page.locator(`${within} percept-picture`).evaluateAll(
      (all) =>
        all.length > 0 &&
        all.every((one) => {
          const { bottom, top } = one.getBoundingClientRect()
          return bottom < 0 || top > innerHeight || one.querySelector("img")?.complete === true
        })
    )
  )

/** Bytes of one picture. */
const MOST = 200_000

await main()
