import { assert, layer } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { call, mediumAt, read, startPage, WORDS } from "../support/MediaPage.ts"
import type { Items, Medium } from "../support/MediaPage.ts"
import { eventually } from "../support/Router.ts"
import { calls, film, gate, makeClips, rowsOf, talkie } from "../support/Senses.ts"

class Clips extends Context.Tag("test/Clips")<Clips, Readonly<Record<"film.mp4" | "talkie.mp4", Buffer>>>() {}

const Made = Layer.scoped(Clips, makeClips({ "film.mp4": film(1), "talkie.mp4": talkie }))

const LIST = "/ui/media_data"
const FORGET = { method: "DELETE" }
const AGAIN = { method: "POST" }

/** A little picture, as it comes along with a request. */
const PICTURE =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

layer(Made, { excludeTestServices: true, timeout: "30 seconds" })("the memory of media", (it) => {
  it.scoped("tells what it holds, what that is good for, and forgets it when it is asked to", () =>
    Effect.gen(function* () {
      const clips = yield* Clips
      const senses = yield* startPage({ MEDIA_POLICY: "describe" })
      const { ask, host, router } = senses
      assert.deepInclude(yield* read<Items>(router, LIST), { items: [], next_cursor: null, total_items: 0 })
      const url = host.serve("/talkie.mp4", clips["talkie.mp4"]).href
      for (const question of ["Who?", "What?", "When?"]) yield* ask("test/blind", `${question} ${url}`)
      yield* ask("test/blind", [{ type: "image_url", image_url: { url: PICTURE } }])
      const rows = yield* rowsOf(senses, 4)

      const { items, total_bytes, total_items, limit_bytes } = yield* read<Items>(router, LIST)
      assert.deepStrictEqual(
        items.map(({ kind }) => kind),
        ["image", "video"]
      )
      assert.isBelow(total_bytes, limit_bytes)
      assert.isAtLeast(
        total_bytes,
        items.reduce((sum, { bytes }) => sum + bytes, 0)
      )
      assert.strictEqual(total_items, 2)
      const [image, video] = items
      const id = video?.id ?? ""
      assert.deepInclude(video, { label: url, words: WORDS.replace("<b", "‹b").replace("</b", "‹/b") })
      assert.deepInclude(video, { requests: 3, hits: 2 })
      assert.match(video?.coverage ?? "", /^\d+ pictures? of \d+ of \d+ shots?\. 00:03 of 00:03 heard\.$/)
      assert.deepInclude(image, { label: "data", requests: 1, hits: 0, saved_ms: 0 })

      const medium = yield* read<Medium>(router, mediumAt(id))
      const [third, second, first] = medium.requests
      assert.deepStrictEqual(
        medium.requests.map(({ internal_request_id }) => internal_request_id),
        rows
          .filter(({ kind, media_type_processed }) => kind === "main" && media_type_processed === "video")
          .map(({ internal_request_id }) => internal_request_id)
          .toReversed()
      )
      assert.deepStrictEqual(
        [third, second, first].map((one) => one?.remembered),
        [true, true, false]
      )
      assert.isAbove(first?.ms ?? 0, 0)
      assert.strictEqual(video?.saved_ms, 2 * (first?.ms ?? 0))
      assert.isTrue(medium.can_look_again)
      assert.include(medium.block ?? "", "[00:00-00:01] Good morning, ‹b>everyone‹/b>.")
      assert.strictEqual(medium.evidence?.heard && "segments" in medium.evidence.heard, true)
      assert.deepStrictEqual(
        medium.descriptions.map(({ sha256, text, model }) => [sha256, text, model]).toSorted(),
        medium.pictures.map(({ sha256 }) => [sha256, "A striped test card.", "test/vision"]).toSorted()
      )
      const pictures = [...medium.pictures.map(({ sha256 }) => sha256), video?.cover ?? ""]
      assert.isAbove(pictures.length, 1)
      for (const sha256 of pictures)
        assert.strictEqual((yield* call(router, `/ui/media/${sha256}`)).status, 200)

      for (const q of ["?q=TALKIE", "?q=good%20morning", "?kind=video&q=%2Ftalkie", `?q=${id.slice(0, 20)}`])
        assert.deepStrictEqual(
          (yield* read<Items>(router, LIST + q)).items.map((item) => item.id),
          [id],
          q
        )
      for (const q of ["?q=%25", "?kind=audio", "?q=nobody%20said%20that", "?q=_"])
        assert.deepStrictEqual((yield* read<Items>(router, LIST + q)).items, [], q)
      const page = yield* read<Items>(router, `${LIST}?page_size=1`)
      assert.deepStrictEqual(page.items, items.slice(0, 1))
      const next = yield* read<Items>(router, `${LIST}?page_size=1&cursor=${page.next_cursor}`)
      assert.deepStrictEqual([next.items, next.next_cursor, next.total_items], [items.slice(1), null, 2])

      assert.deepStrictEqual(yield* call(router, mediumAt(id), FORGET), {
        status: 200,
        text: '{"deleted":true}'
      })
      for (const gone of [mediumAt(id), ...pictures.map((sha256) => `/ui/media/${sha256}`)])
        assert.strictEqual((yield* call(router, gone)).status, 404, gone)
      assert.strictEqual((yield* call(router, mediumAt(id), FORGET)).status, 404)
      const left = yield* read<Items>(router, LIST)
      assert.deepStrictEqual([left.items, left.total_items], [items.slice(0, 1), 1])
      assert.isBelow(left.total_bytes, total_bytes - (video?.bytes ?? 0) + 1)

      const asked = calls(senses, "/talkie.mp4")
      const described = rows.filter(({ kind }) => kind === "describe").length
      yield* ask("test/blind", `Who else? ${url}`)
      assert.strictEqual(calls(senses, "/talkie.mp4"), asked + 1)
      const anew = (yield* rowsOf(senses, rows.length + 2)).filter(({ kind }) => kind === "describe")
      assert.isAbove(anew.length, described)
      const back = yield* read<Medium>(router, mediumAt(id))
      assert.deepStrictEqual(
        back.requests.map(({ remembered }) => remembered),
        [false, true, true, false]
      )
    })
  )

  it.scoped("looks again where it knows where to look", () =>
    Effect.gen(function* () {
      const clips = yield* Clips
      const senses = yield* startPage()
      const { ask, host, router } = senses
      const url = host.serve("/film.mp4", clips["film.mp4"]).href
      yield* ask("test/eyes", url)
      yield* ask("test/eyes", [{ type: "image_url", image_url: { url: PICTURE } }])
      yield* ask("test/eyes", `${host.serve("/signed.mp4", clips["talkie.mp4"]).href}?signature=0123456789`)
      yield* rowsOf(senses, 3)
      const [signed, image, video] = (yield* read<Items>(router, LIST)).items
      for (const item of [signed, image]) {
        const refused = yield* call(router, `${mediumAt(item?.id ?? "")}/again`, AGAIN)
        assert.strictEqual(refused.status, 409)
        assert.match(refused.text, /"message":"Nobody has kept where this medium is to be had/)
        assert.isFalse((yield* read<Medium>(router, mediumAt(item?.id ?? ""))).can_look_again)
      }
      assert.strictEqual((yield* call(router, `${LIST}/nothing/again`, AGAIN)).status, 404)

      const held = gate(clips["film.mp4"])
      host.behave("/film.mp4", held.behaviour)
      const again = `${mediumAt(video?.id ?? "")}/again`
      assert.deepStrictEqual(yield* call(router, again, AGAIN), { status: 202, text: '{"started":true}' })
      yield* held.reached
      assert.strictEqual((yield* call(router, mediumAt(video?.id ?? ""))).status, 404)
      const busy = yield* call(router, again, AGAIN)
      assert.strictEqual(busy.status, 409)
      assert.include(busy.text, "It is being looked at again already.")
      held.open()
      const anew = yield* eventually(read<Items>(router, LIST), ({ items }) => items.length === 3)
      assert.strictEqual(anew.items[0]?.id, video?.id)
      assert.isAbove(Date.parse(anew.items[0]?.used_at ?? ""), Date.parse(video?.used_at ?? ""))
      assert.strictEqual(calls(senses, "/film.mp4"), 2)
      const reply = yield* ask("test/eyes", url)
      assert.match(reply.headers.get("x-percept-media") ?? "", /1 remembered/)
      assert.strictEqual(calls(senses, "/film.mp4"), 2)
    })
  )

  it.scoped("is for those who may see the record, and no page of another origin may change it", () =>
    Effect.gen(function* () {
      const clips = yield* Clips
      const login = { UI_USERNAME: "admin", UI_PASSWORD: "pass:word", CORS_ORIGINS: "*" }
      const { ask, host, router } = yield* startPage({ API_KEYS: "a-key", ...login })
      const bearer = { authorization: "Bearer a-key" }
      const basic = { authorization: `Basic ${Buffer.from("admin:pass:word").toString("base64")}` }
      yield* ask("test/eyes", host.serve("/film.mp4", clips["film.mp4"]).href, {
        headers: { "content-type": "application/json", ...bearer }
      })
      const listed = yield* call(router, LIST, { headers: basic })
      const { items }: Items = JSON.parse(listed.text)
      const path = mediumAt(items[0]?.id ?? "")
      const foreign = { origin: "https://evil.example" }
      const wishes: ReadonlyArray<readonly [string, RequestInit]> = [
        [path, FORGET],
        [`${path}/again`, AGAIN]
      ]
      for (const [path, init] of wishes) {
        assert.strictEqual((yield* call(router, path, init)).status, 401)
        for (const origin of [foreign, { origin: "null" }]) {
          const headers = { ...origin, ...basic }
          assert.strictEqual((yield* call(router, path, { ...init, headers })).status, 403)
        }
      }
      for (const path of [LIST, mediumAt("x")]) assert.strictEqual((yield* call(router, path)).status, 401)
      assert.strictEqual((yield* call(router, path, { headers: basic })).status, 200)
      const own = { ...basic, origin: new URL(router.url).origin }
      assert.strictEqual((yield* call(router, path, { ...FORGET, headers: own })).status, 200)
      for (const query of ["?kind=film", "?page_size=0", "?cursor=abc", `?q=${"x".repeat(501)}`])
        assert.strictEqual((yield* call(router, LIST + query, { headers: basic })).status, 400, query)
    })
  )
})
