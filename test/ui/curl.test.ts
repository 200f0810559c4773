import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fc from "effect/FastCheck"
import { execFile } from "node:child_process"
import { curlOf } from "../../src/ui/format/curl.ts"
import { startUpstream } from "../support/Upstream.ts"

/** What a shell makes of a text that is pasted into it. */
const pasted = (shell: string, command: string) =>
  Effect.async<string>((resume) => {
    const child = execFile(
      shell,
      { env: { ...process.env, API_KEY: "sk-it's mine" } },
      (error, stdout, stderr) =>
        resume(error === null ? Effect.succeed(stdout) : Effect.dieMessage(`${error.message} ${stderr}`))
    )
    child.stdin?.end(`${command}\n`)
  })

const chat = (content: string) => JSON.stringify({ model: "any", messages: [{ role: "user", content }] })
const asked = (is_streaming: number) => ({ endpoint_called: "/v1/chat/completions", is_streaming })

const NASTY = [
  "it's 'quoted' and \"double\"",
  "two\nlines\r\nand a \t tab",
  "$HOME `id` $(id) \\ \\\\ !! !$ %s %d ~ * ? [a-z] {a,b} # ; & | < >",
  "émoji 👩‍👩‍👧 and \u202eright to left\u202c, nul \u0000, escape \u001b[31m",
  "'; rm -rf /nowhere; echo '",
  "@/etc/passwd",
  "\\'",
  "x".repeat(300_000),
  `${"'".repeat(50_000)}é`
]

describe("a request as a command", () => {
  it.scopedLive("arrives as it was, byte for byte, whatever is in it", () =>
    Effect.gen(function* () {
      const upstream = yield* startUpstream
      const { origin } = new URL(upstream.url)
      const texts = [...NASTY, ...fc.sample(fc.fullUnicodeString({ maxLength: 200 }), 6)]
      for (const [at, text] of texts.entries()) {
        const { command } = curlOf(origin, asked(0), chat(text))
        const answer = yield* pasted(at % 2 === 0 ? "bash" : "sh", command)
        assert.include(answer, "Hello from upstream.", command.slice(0, 500))
        const got = upstream.received.at(-1)
        assert.strictEqual(got?.body.toString("utf8"), chat(text))
        assert.strictEqual(got?.headers.authorization, "Bearer sk-it's mine")
        assert.strictEqual(got?.headers["content-type"], "application/json")
      }
      assert.strictEqual(upstream.received.length, texts.length)
    })
  )

  it.scopedLive("keeps half a character in the only way it can be written", () =>
    Effect.gen(function* () {
      const upstream = yield* startUpstream
      const { command } = curlOf(new URL(upstream.url).origin, asked(1), '{"content":"a\ud800z"}')
      yield* pasted("bash", command)
      assert.strictEqual(upstream.received[0]?.body.toString("utf8"), '{"content":"a\\ud800z"}')
    })
  )

  it.scopedLive("takes no body for the name of a file", () =>
    Effect.gen(function* () {
      const upstream = yield* startUpstream
      yield* pasted("bash", curlOf(new URL(upstream.url).origin, asked(0), "@/etc/passwd").command)
      assert.strictEqual(upstream.received[0]?.body.toString("utf8"), "@/etc/passwd")
    })
  )

  it.scopedLive("keeps to its address, whatever that looks like to a shell or to curl", () =>
    Effect.gen(function* () {
      const upstream = yield* startUpstream
      const endpoint_called = "/v1/'$(id)'/[1-9]/{a,b}"
      yield* pasted(
        "bash",
        curlOf(new URL(upstream.url).origin, { ...asked(0), endpoint_called }, "{}").command
      )
      assert.deepStrictEqual(
        upstream.received.map(({ path }) => path),
        [endpoint_called]
      )
    })
  )

  it("never holds a key", () => {
    assert.include(curlOf("http://here", asked(0), "{}").command, '"Authorization: Bearer $API_KEY"')
  })

  it("streams where the request did", () => {
    assert.match(curlOf("http://here", asked(1), "{}").command, /^curl -gN /)
    assert.match(curlOf("http://here", asked(0), "{}").command, /^curl -g '/)
  })

  it("says where something of it was not kept", () => {
    const payload = { mime: "image/png", bytes: 70, sha256: "0".repeat(64) }
    const caution = (body: unknown) => curlOf("http://here", asked(0), JSON.stringify(body)).caution
    for (const left of [{ url: payload }, "abc… [12 more characters]", "Bearer [redacted]"])
      assert.match(caution({ left }), /not kept whole/)
    for (const whole of ["as it was", { sha256: "mine" }, "[more characters]"])
      assert.strictEqual(caution({ whole }), "")
  })

  it.scopedLive("sends an upload as a form, reading no file that a field names", () =>
    Effect.gen(function* () {
      const upstream = yield* startUpstream
      const body = JSON.stringify({ model: "whisper-1", prompt: "@/etc/hostname;'x'", file: { bytes: 3 } })
      const endpoint = { endpoint_called: "/v1/audio/transcriptions", is_streaming: 0 }
      const { caution, command } = curlOf(new URL(upstream.url).origin, endpoint, body)
      assert.match(caution, /not kept/)
      yield* pasted("bash", command.replace("@recording.wav", "'@-;filename=a.wav' < /dev/null"))
      const got = upstream.received[0]?.body.toString("utf8") ?? ""
      assert.include(got, "name=\"prompt\"\r\n\r\n@/etc/hostname;'x'\r\n")
      assert.include(got, 'name="model"\r\n\r\nwhisper-1\r\n')
      assert.include(got, 'name="file"; filename="a.wav"')
    })
  )
})
