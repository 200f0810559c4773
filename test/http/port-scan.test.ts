import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { redirect, startCanary, startMediaHost } from "../support/MediaHost.ts"
import { startRouter } from "../support/Router.ts"
import { closedPort, sendChat } from "../support/Upstream.ts"
import type { Got } from "../support/Upstream.ts"

/** Places in a request where an address may stand. */
const PLACES: { readonly [name: string]: (address: string) => object } = {
  "a picture": (url) => ({ type: "image_url", image_url: { url } }),
  "a video": (url) => ({ type: "video_url", video_url: { url } }),
  "a sound": (url) => ({ type: "input_audio", input_audio: { url } }),
  "a file": (file_url) => ({ type: "file", file: { filename: "a.mp4", file_url } }),
  "a text": (url) => ({ type: "text", text: `What is at ${url} ?` })
}

/** A router that may call one host, addresses it may not call, and somebody behind some of them who would notice. */
const setUp = Effect.fnUntraced(function* (env: { readonly [name: string]: string }) {
  const canary = yield* startCanary
  const host = yield* startMediaHost
  const allowedAndClosed = yield* closedPort
  const router = yield* startRouter({
    MEDIA_ALLOWED_HOSTS: `${host.authority},127.0.0.1:${allowedAndClosed}`,
    FETCH_PORTS: `80,443,${canary.port},${yield* closedPort}`,
    ...env
  })
  const { port } = canary
  const onward = (path: string, to: string) => host.behave(path, redirect(to)).href
  const addresses = {
    "a port nobody listens on": `http://127.0.0.1:${yield* closedPort}/a.mp4`,
    "a port that may be called, where nobody listens": `http://127.0.0.1:${allowedAndClosed}/a.mp4`,
    "a port somebody listens on": `http://127.0.0.1:${port}/a.mp4`,
    "the same by name": `http://localhost:${port}/a.mp4`,
    "the same by the other protocol": `http://[::1]:${port}/a.mp4`,
    "the same as one number": `http://2130706433:${port}/a.mp4`,
    "the same, mapped": `http://[::ffff:127.0.0.1]:${port}/a.mp4`,
    "the same with a certificate": `https://127.0.0.1:${port}/a.mp4`,
    "any address of this machine": `http://0.0.0.0:${port}/a.mp4`,
    "a network where nobody answers": "http://10.255.255.1/a.mp4",
    "the cloud's own data": "http://169.254.169.254/latest/meta-data/a.mp4",
    "a port nobody should ask for": "http://93.184.215.14:22/a.mp4",
    "a redirect to a port somebody listens on": onward("/1.mp4", `http://127.0.0.1:${port}/a.mp4`),
    "a redirect to a port nobody listens on": onward("/2.mp4", `http://127.0.0.1:${yield* closedPort}/a.mp4`),
    "a redirect to the cloud's own data": onward("/3.mp4", "http://169.254.169.254/a.mp4"),
    "a redirect to a file": onward("/4.mp4", "file:///etc/passwd")
  }
  const ask = (address: string, place: (address: string) => object) =>
    sendChat(router, { model: "percept/inspect", messages: [{ role: "user", content: [place(address)] }] })
  /** What anybody may learn from an answer: all of it, but for the address that was asked for. */
  const learnt = ({ headers, status, text }: Got, address: string) => ({
    status,
    names: Object.keys(headers),
    media: headers["x-percept-media"]?.toString().replace(/\d+ ms/, "some ms"),
    text: text
      .replaceAll(new URL(address).href, "ADDRESS")
      .replaceAll(address, "ADDRESS")
      .replace(/tag=\\"\w+\\"|\/media-evidence \w+|"id":"[^"]*"|"created":\d+/g, "")
  })
  return { addresses, ask, canary, learnt }
})

describe("who asks for addresses learns nothing about them", () => {
  for (const strict of ["false", "true"])
    it.scopedLive(`from ${strict === "true" ? "errors" : "notes"}`, () =>
      Effect.gen(function* () {
        const { addresses, ask, canary, learnt } = yield* setUp({ MEDIA_STRICT: strict })
        for (const [place, part] of Object.entries(PLACES)) {
          const all = yield* Effect.forEach(
            Object.entries(addresses),
            ([name, address]) =>
              Effect.map(ask(address, part), (got) => [name, learnt(got, address)] as const),
            { concurrency: 8 }
          )
          const [[, first] = assert.fail()] = all
          assert.strictEqual(first.status, strict === "true" ? 422 : 200, place)
          assert.match(first.text, /the address could not be reached\./i, place)
          for (const [name, other] of all) assert.deepStrictEqual(other, first, `${name}, as ${place}`)
        }
        assert.strictEqual(canary.connections(), 0)
      })
    )
})
