import { assert, describe, it } from "@effect/vitest"
import { isAtLeast } from "../../../src/domain/media/SiteVersion.ts"

describe("a version that is a day", () => {
  it("is new enough from that day on", () => {
    for (const version of [
      "2026.07.04",
      "2026.7.4",
      "2026.07.05",
      "2026.10.01",
      "2027.01.01",
      "2026.07.04.123456"
    ])
      assert.isTrue(isAtLeast(version, "2026.07.04"), version)
    assert.isTrue(isAtLeast("2025.04.30-1~bpo12+1", "2025.04.30"))
  })

  it("is too old before it", () => {
    for (const version of ["2026.07.03", "2026.06.30", "2023.03.04", "2025.12.31", "2026.07.03.235959"])
      assert.isFalse(isAtLeast(version, "2026.07.04"), version)
    assert.isFalse(isAtLeast("2026.07.04", "2026.07.04.1"))
  })

  it("is trusted by nobody when it is no day", () => {
    for (const version of ["", "unknown", "v2026.07.04", "20260704", "2026", "2026.123.04", "9999", "yt-dlp"])
      assert.isFalse(isAtLeast(version, "2026.07.04"), version)
    assert.isFalse(isAtLeast("2026.07.04", "newest"))
  })
})
