import { assert, layer } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { readFileSync } from "node:fs"
import { call, lastTrace, mediumAt, read, startPage, stepIn, WORDS } from "../support/MediaPage.ts"
import type { Medium } from "../support/MediaPage.ts"
import { status } from "../support/MediaHost.ts"
import { eventually } from "../support/Router.ts"
import { film, gate, makeClips, talkie } from "../support/Senses.ts"
import { json, sendChat, stream, streamText } from "../support/Upstream.ts"

class Clips extends Context.Tag("test/Clips")<Clips, Readonly<Record<"film.mp4" | "talkie.mp4", Buffer>>>() {}

const Made = Layer.scoped(Clips, makeClips({ "film.mp4": film(1), "talkie.mp4": talkie }))

const SPEECH = new URL("../fixtures/audio/speech.opus", import.meta.url)

const OVERLOADED = json(503, { error: { message: "Overloaded, says sk-or-v1-0123456789abcdef" } })

layer(Made, { excludeTestServices: true, timeout: "30 seconds" })("the steps of a request", (it) => {
  it.scoped("with a film lie one within the other; looking and listening at the same time", () =>
    Effect.gen(function* () {
      const clips = yield* Clips
      const senses = yield* startPage()
      const { ask, host, router } = senses
      const url = `${host.serve("/talkie.mp4", clips["talkie.mp4"]).href}?token=abcdef123456&x=1`
      yield* ask("test/eyes", `What is said in ${url} ?`, { body: { stream: true } })
      const { media, processing_duration_ms: whole, steps } = yield* lastTrace(senses, 1)
      const within = Object.fromEntries(steps.map(({ name }) => [name, stepIn(steps, name).within]))
      assert.deepStrictEqual(within, {
        ...{ read: null, perceive: null, attempt: null, stream: null },
        ...{ observe: "perceive", render: "perceive" },
        ...{ fetch: "observe", probe: "observe", look: "observe", listen: "observe" }
      })
      assert.strictEqual(steps.length, Object.keys(within).length)
      for (const { at, ms, name, ok, parent } of steps) {
        if (ms === null) throw new Error(`${name} never ended`)
        const above = parent === null ? { at: 0, ms: whole } : steps[parent]
        assert.isTrue(ok, name)
        assert.isAtLeast(at, above?.at ?? Infinity, name)
        assert.isAtMost(at + ms, (above?.at ?? 0) + (above?.ms ?? 0), name)
      }
      const [look, listen] = [stepIn(steps, "look"), stepIn(steps, "listen")]
      assert.isBelow(listen.at, look.at + (look.ms ?? 0))
      assert.isBelow(look.at, listen.at + (listen.ms ?? 0))
      const order = (["read", "fetch", "probe", "look", "render", "attempt", "stream"] as const).map(
        (name) => stepIn(steps, name).at
      )
      assert.deepStrictEqual(
        order,
        order.toSorted((one, other) => one - other)
      )
      assert.match(look.note ?? "", /^\d+ pictures of \d+ moments$/)
      assert.strictEqual(listen.note, "1 lines in 3 s of sound")
      assert.match(stepIn(steps, "fetch").note ?? "", /^\d+ kB of video\/mp4$/)
      assert.strictEqual(stepIn(steps, "observe").note, "video 1/1")

      const label = url.replace("abcdef123456", "[redacted]")
      const [{ entry = null, ms = -1, ...rest } = {}, ...others] = media
      assert.deepStrictEqual(
        [rest, others],
        [
          {
            ...{ place: 0, kind: "video", param: "messages[0].content", label, remembered: false },
            ...{ failure: null, shown: "evidence" }
          },
          []
        ]
      )
      assert.match(entry ?? "", /^[0-9a-f]{64}$/)
      assert.isAtMost(Math.abs(ms - (stepIn(steps, "observe").ms ?? 0)), 20)

      yield* ask("test/eyes", `And what is shown in ${url} ?`)
      const again = yield* lastTrace(senses, 2)
      assert.deepInclude(again.media[0], { entry, remembered: true, shown: "evidence" })
      assert.strictEqual(stepIn(again.steps, "observe").note, "video 1/1, remembered")
      assert.notInclude(
        again.steps.map(({ name }) => name),
        "fetch"
      )

      const form = new FormData()
      form.set("model", "whisper-1")
      form.set("file", new Blob([new Uint8Array(readFileSync(SPEECH))]), "speech.opus")
      const { text } = yield* call(router, "/v1/audio/transcriptions", { method: "POST", body: form })
      assert.strictEqual(JSON.parse(text).text, WORDS)
      const heard = yield* lastTrace(senses, 3)
      assert.deepStrictEqual(
        heard.steps.map(({ name, parent }) => [name, parent]),
        [
          ["read", null],
          ["observe", null],
          ["probe", 1],
          ["listen", 1]
        ]
      )
      const [sound] = heard.media
      assert.deepInclude(sound, { kind: "audio", param: "file", label: "data", remembered: false })
      const medium = yield* read<Medium>(router, mediumAt(sound?.entry ?? ""))
      assert.deepInclude(medium.evidence?.seen, { nothing: "Only its sound was asked for." })
      assert.deepInclude(medium, { kind: "audio", can_look_again: false })
    })
  )

  it.scoped("tell what failed, what was waited for, what was described, and how each was shown", () =>
    Effect.gen(function* () {
      const clips = yield* Clips
      const senses = yield* startPage({ MEDIA_POLICY: "describe" })
      const { ask, host, router } = senses
      const held = gate(clips["film.mp4"])
      const url = host.behave("/film.mp4", held.behaviour).href
      const gone = host.behave("/gone.mp4", status(404)).href
      const one = yield* Effect.fork(ask("test/blind", url))
      yield* held.reached
      const other = yield* Effect.fork(ask("test/blind", `${url} and ${gone}`))
      yield* eventually(router.rowsNow, (rows) => rows.length === 2)
      // Who came second has asked for the one that is missing by then, and waits for the other.
      yield* eventually(
        Effect.sync(() => host.asked.filter(({ path }) => path === "/gone.mp4").length),
        (asked) => asked > 0
      )
      held.open()
      yield* Effect.all([one, other])
      const { media, steps } = yield* lastTrace(senses, 3)
      const wait = stepIn(steps, "wait")
      assert.strictEqual(wait.within, "observe")
      assert.isAbove(wait.ms ?? 0, 0)
      assert.notInclude(
        steps.map(({ name }) => name),
        "look"
      )
      assert.strictEqual(stepIn(steps, "describe").within, "render")
      assert.deepStrictEqual(
        media.map(({ entry, failure, remembered, shown }) => [
          ...[shown, remembered, failure === null, entry === null]
        ]),
        [
          ["description", false, true, false],
          ["note", false, false, true]
        ]
      )
      const failed = steps.filter(({ ok }) => !ok)
      assert.deepStrictEqual(
        failed.map(({ name }) => name),
        ["observe", "fetch"]
      )
      assert.include(failed[0]?.note ?? "", media[1]?.failure ?? "nothing")
      assert.strictEqual(media[1]?.label, gone)
    })
  )

  it.scoped("show each attempt at a provider where there were several, and are not kept elsewhere", () =>
    Effect.gen(function* () {
      const senses = yield* startPage({ UPSTREAM_RETRIES: "2" })
      const { router, upstream } = senses
      const question = { model: "test/eyes", messages: [{ role: "user", content: "Hi" }] }
      yield* sendChat(router, question)
      const plain = yield* lastTrace(senses, 1)
      assert.deepStrictEqual([plain.steps, plain.media], [[], []])

      upstream.once(OVERLOADED, OVERLOADED, stream(streamText(["Hel", "lo"])))
      yield* sendChat(router, { ...question, stream: true })
      const { processing_duration_ms: whole, steps } = yield* lastTrace(senses, 2)
      assert.deepStrictEqual(
        steps.map(({ name, ok, parent }) => [name, ok, parent]),
        [
          ["read", true, null],
          ["attempt", false, null],
          ["attempt", false, null],
          ["attempt", true, null],
          ["stream", true, null]
        ]
      )
      for (const [place, { at, ms, note }] of steps.entries()) {
        const next = steps[place + 1]?.at ?? whole
        assert.isAtMost(at + (ms ?? Infinity), next)
        if (place === 1 || place === 2) {
          assert.strictEqual(note, "Overloaded, says [redacted]")
          // Nobody was asked while it waited to try again.
          assert.isAtLeast(next - at - (ms ?? 0), 140)
        }
      }

      upstream.once(OVERLOADED, json(400, { error: { message: "No." } }))
      yield* sendChat(router, question)
      const last = (yield* lastTrace(senses, 3)).steps.map(({ name, note, ok }) => [name, ok, note])
      assert.deepStrictEqual(last.slice(1), [
        ["attempt", false, "Overloaded, says [redacted]"],
        ["attempt", false, "No."]
      ])
    })
  )

  it.scoped("keep neither links nor words where nothing of the kind is to be kept", () =>
    Effect.gen(function* () {
      const clips = yield* Clips
      const senses = yield* startPage({ ENABLE_LOGGING: "false" })
      yield* senses.ask("test/eyes", senses.host.serve("/film.mp4", clips["film.mp4"]).href)
      const { media, steps } = yield* lastTrace(senses, 1)
      assert.deepStrictEqual(
        media.map(({ kind, label, shown }) => [kind, label, shown]),
        [["video", "", "evidence"]]
      )
      assert.include(
        steps.map(({ name }) => name),
        "look"
      )
      assert.isTrue(steps.every(({ note }) => note === null))
    })
  )
})
