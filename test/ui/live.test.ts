import { assert, describe, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { withTimes } from "../../src/ui/api/live.ts"
import type { Ongoing } from "../../src/ui/api/live.ts"
import { backoff } from "../../src/ui/controllers/live-feed.ts"
import { isStalled, progressOf } from "../../src/ui/model/stages.ts"

const request = (stage: string, more: Partial<Ongoing> = {}): Ongoing => ({
  ...{ internal_request_id: "req_1", timestamp: "2026-11-20T00:00:00Z", stage, elapsed_ms: 0, kind: "main" },
  ...{ parent_request_id: null, endpoint_called: "/v1/chat/completions", client_ip: null, key_id: null },
  ...{ model_requested_by_client: "m", model_routed_to_openrouter: null, provider: null, is_streaming: 1 },
  ...{ media_type_processed: null, time_to_first_token_ms: null, began: 0, stirred: 0, ...more }
})

/** Stages as `fetch done 1`. */
const stagesOf = (...about: Parameters<typeof progressOf>) =>
  progressOf(...about).stages.map(({ is, name, share }) => `${name} ${is} ${share}`)

describe("the stages of a request", () => {
  it("follow a video from its link to the answer", () => {
    const ahead = ["describe ahead 0", "answer ahead 0"]
    assert.deepStrictEqual(stagesOf(request("video 1/1 fetching 40%")), [
      ...["fetch now 0.4", "look ahead 0", "listen ahead 0", ...ahead]
    ])
    assert.deepStrictEqual(stagesOf(request("video 1/1 reading")), [
      ...["fetch done 1", "look now 0", "listen now 0", ...ahead]
    ])
    assert.deepStrictEqual(stagesOf(request("video 2/4 looking 43%, listening 7%")), [
      ...["fetch done 1", "look now 0.43", "listen now 0.07", ...ahead]
    ])
    assert.deepStrictEqual(stagesOf(request("video 1/1 listening 70%")), [
      ...["fetch done 1", "look done 1", "listen now 0.7", ...ahead]
    ])
    const described = ["fetch done 1", "look done 1", "listen done 1", "describe now 0", "answer ahead 0"]
    assert.deepStrictEqual(stagesOf(request("video 1/1 writing it down")), described)
    assert.deepStrictEqual(stagesOf(request("video 1/1 listening 70%"), ["describe"]), described)
    assert.deepStrictEqual(stagesOf(request("answering", { media_type_processed: "image,video" })), [
      ...["fetch done 1", "look done 1", "listen done 1", "describe done 1", "answer now 0"]
    ])
  })

  it("are those of its medium, and the answer alone where there is none", () => {
    const names = (stage: string) => progressOf(request(stage)).stages.map(({ name }) => name)
    assert.deepStrictEqual(names("image 1/2 fetching"), ["fetch", "look", "describe", "answer"])
    assert.deepStrictEqual(names("audio listening 3%"), ["fetch", "listen", "describe", "answer"])
    assert.deepStrictEqual(names("unknown 1/1 fetching"), ["fetch", "look", "listen", "describe", "answer"])
    for (const stage of ["reading", "answering", "", "<script>"])
      assert.deepStrictEqual(names(stage), ["answer"])
  })

  it("are there whatever is told", () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.stringMatching(/^(image|video|audio) [0-9/ %a-z,]{0,30}$/)),
        fc.constantFrom(null, "video", "image,video", "hologram"),
        (stage, media_type_processed) => {
          const { stages } = progressOf(request(stage, { media_type_processed }))
          assert.isAbove(stages.length, 0)
          for (const { share } of stages) assert.isTrue(share >= 0 && share <= 1)
        }
      )
    )
  })

  it("are said in words", () => {
    const words = (...about: Parameters<typeof progressOf>) => progressOf(...about).words
    assert.strictEqual(words(request("answering")), "waiting for the model")
    assert.strictEqual(words(request("answering", { time_to_first_token_ms: 5 })), "streaming")
    assert.strictEqual(words(request("video 1/1 looking 3%")), "video 1/1 looking 3%")
    assert.strictEqual(words(request("video 1/1 looking 3%"), ["describe"]), "describing pictures")
  })
})

describe("a request under way", () => {
  it("is late only when nothing was heard of it for longer than its stage takes", () => {
    const late = (stage: string, seconds: number, more = {}) =>
      isStalled(request(stage, more), seconds * 1000)
    assert.deepStrictEqual([late("video 1/1 fetching", 14), late("video 1/1 fetching", 16)], [false, true])
    assert.deepStrictEqual([late("answering", 29), late("answering", 31)], [false, true])
    assert.isFalse(late("answering", 600, { time_to_first_token_ms: 900 }))
    assert.isFalse(late("audio waiting", 59))
    assert.isFalse(late("video 1/1 looking 3%", 100, { stirred: 90_000 }))
  })

  it("keeps its time from message to message, and stirs with what is new", () => {
    const first = withTimes(request("answering", { elapsed_ms: 400 }), undefined, 10_000)
    assert.deepInclude(first, { began: 9600, stirred: 10_000 })
    const same = withTimes(request("answering", { elapsed_ms: 1700 }), first, 11_500)
    assert.deepInclude(same, { began: 9600, stirred: 10_000 })
    const further = withTimes(request("answering", { time_to_first_token_ms: 5 }), same, 12_000)
    assert.deepInclude(further, { began: 9600, stirred: 12_000 })
  })
})

it("waits ever longer for a server that is away, half a minute at most, and not in step with others", () => {
  fc.assert(
    fc.property(
      fc.nat(1000),
      fc.integer({ min: 0, max: 60_000 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (failures, retry, chance) => {
        const wait = backoff(failures, retry, chance)
        assert.isAtLeast(wait, Math.min(30_000, retry) / 2)
        assert.isAtMost(wait, 30_000)
        assert.isAtLeast(backoff(failures + 1, retry, chance), wait)
      }
    )
  )
  assert.deepStrictEqual(
    [backoff(0, 2000, 0), backoff(1, 2000, 1), backoff(3, 2000, 0.5)],
    [1000, 4000, 12_000]
  )
})
