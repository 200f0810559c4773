import { assert, describe, it } from "@effect/vitest"
import { Exit } from "effect"
import { vi } from "vitest"
import type { Reply } from "../../../src/domain/Reply.ts"
import { choices } from "../../../src/services/gateway/Reading.ts"
import { UpstreamCall } from "../../../src/services/gateway/UpstreamCall.ts"
import { upstreamErrors } from "../../../src/services/gateway/UpstreamErrors.ts"

const reply: Reply = {
  opened: () => {},
  whole: () => {},
  events: () => true,
  onDrain: () => {},
  end: () => {}
}

const controller = {
  aborted: false,
  paused: false,
  reason: null,
  abort: () => {},
  pause: () => {},
  resume: () => {}
}

/** When a call that falls silent is given up, in seconds, if its answer begins by then. */
const givenUp = (beginsAt: number | undefined) => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] })
  try {
    const began = performance.now()
    let failed: string | undefined
    let endedAt = 0
    const limits = { answerBytes: 1000, firstByte: 300_000, silence: 120_000 }
    const errors = upstreamErrors("acme", (text) => text)
    const call = new UpstreamCall(choices, reply, errors, limits, (exit) => {
      failed = Exit.isFailure(exit) ? String(exit.cause) : "no failure"
      endedAt = performance.now()
    })
    call.onRequestStart(controller)
    if (beginsAt !== undefined) {
      vi.advanceTimersByTime(beginsAt * 1000)
      call.onResponseStart(controller, 200, { "content-type": "text/event-stream" })
    }
    vi.advanceTimersByTime(1_000_000)
    assert.match(failed ?? "", /did not answer in time/)
    return Math.round((endedAt - began) / 1000)
  } finally {
    vi.useRealTimers()
  }
}

describe("a provider that falls silent is given up", () => {
  it("as long after its last word as silence may last", () => {
    for (const beginsAt of [1, 119, 125, 299])
      assert.strictEqual(givenUp(beginsAt), beginsAt + 120, String(beginsAt))
  })

  it("when its first word is late", () => assert.strictEqual(givenUp(undefined), 300))
})
