import { assert, describe, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { readProbe } from "../../../src/domain/media/ProbeOutput.ts"

const picture = (more: object = {}) => ({
  codec_type: "video",
  codec_name: "h264",
  width: 1920,
  height: 1080,
  sample_aspect_ratio: "1:1",
  avg_frame_rate: "30000/1001",
  ...more
})

const read = (said: unknown) => readProbe(JSON.stringify(said))

const videoOf = (more: object) => read({ streams: [picture(more)] })?.video

describe("what the decoder's tool says of a file", () => {
  it("of a usual film", () => {
    const said = {
      format: { start_time: "0.500000", duration: "12.250000", tags: { title: "A day out" } },
      streams: [
        picture(),
        { codec_type: "audio", codec_name: "aac", tags: { language: "und" }, disposition: { default: 1 } },
        { codec_type: "subtitle", codec_name: "mov_text" },
        { codec_type: "audio", codec_name: "opus", tags: { language: "deu" }, disposition: { default: 0 } }
      ],
      chapters: [
        { start_time: "0.000000", tags: { title: "Start" } },
        { start_time: "5.500000", tags: { title: "Later" } },
        { start_time: "7.000000" },
        { start_time: "N/A", tags: { title: "Never" } }
      ]
    }
    assert.deepStrictEqual(read(said), {
      startTime: 0.5,
      duration: 12.25,
      video: { width: 1920, height: 1080, rotation: 0, codec: "h264", rate: 30000 / 1001 },
      audio: [
        { index: 0, codec: "aac", language: undefined, isDefault: true },
        { index: 1, codec: "opus", language: "deu", isDefault: false }
      ],
      chapters: [
        { from: 0, title: "Start" },
        { from: 5, title: "Later" }
      ],
      title: "A day out"
    })
  })

  it.each([
    [-90, 1080, 1920, 270],
    [90, 1080, 1920, 90],
    [180, 1920, 1080, 180],
    [-180, 1920, 1080, 180],
    [0, 1920, 1080, 0],
    [450, 1080, 1920, 90],
    [89.6, 1080, 1920, 90]
  ])("turned by %d", (angle, width, height, rotation) => {
    const turned = videoOf({ side_data_list: [{ side_data_type: "other" }, { rotation: angle }] })
    assert.deepStrictEqual([turned?.width, turned?.height, turned?.rotation], [width, height, rotation])
  })

  it("turned as older files say it, unless the newer way says otherwise", () => {
    assert.strictEqual(videoOf({ tags: { rotate: "90" } })?.rotation, 90)
    assert.strictEqual(
      videoOf({ tags: { rotate: "90" }, side_data_list: [{ rotation: 180 }] })?.rotation,
      180
    )
    assert.strictEqual(videoOf({ tags: { rotate: "sideways" } })?.rotation, 0)
  })

  it.each([
    ["4:3", 2560],
    ["8:9", 1707],
    ["0:1", 1920],
    ["1:0", 1920],
    ["N/A", 1920],
    ["", 1920],
    ["100000:1", 1920],
    ["1:100000", 1920]
  ])("pixels of the shape %s", (ratio, width) => {
    const shaped = videoOf({ sample_aspect_ratio: ratio })
    assert.deepStrictEqual([shaped?.width, shaped?.height], [width, 1080])
  })

  it("long pixels that are turned make it higher", () => {
    const video = videoOf({ sample_aspect_ratio: "4:3", side_data_list: [{ rotation: -90 }] })
    assert.deepStrictEqual([video?.width, video?.height], [1080, 2560])
  })

  it("a cover is no video, and what comes behind it may be one", () => {
    const cover = picture({ codec_name: "mjpeg", disposition: { attached_pic: 1 } })
    assert.isUndefined(read({ streams: [cover, { codec_type: "audio" }] })?.video)
    assert.strictEqual(read({ streams: [cover, picture()] })?.video?.codec, "h264")
    assert.strictEqual(
      read({ streams: [picture({ width: 0 }), picture({ codec_name: "vp9" })] })?.video?.codec,
      "vp9"
    )
  })

  it("how long it is: what the whole says, else a stream, else nothing", () => {
    assert.strictEqual(read({ format: { duration: "3.5" }, streams: [{ duration: "9" }] })?.duration, 3.5)
    assert.strictEqual(read({ format: { duration: "N/A" }, streams: [{}, { duration: "9" }] })?.duration, 9)
    assert.isUndefined(read({ format: { duration: "0.000000" }, streams: [{ duration: "-1" }] })?.duration)
    assert.isUndefined(read({ format: { duration: "Infinity" } })?.duration)
    assert.strictEqual(read({ format: { start_time: "N/A" } })?.startTime, 0)
  })

  it("nothing at all is nothing", () => {
    const nothing = {
      startTime: 0,
      duration: undefined,
      video: undefined,
      audio: [],
      chapters: [],
      title: undefined
    }
    assert.deepStrictEqual(read({}), nothing)
    assert.deepStrictEqual(read({ format: [], streams: {}, chapters: "none" }), nothing)
    assert.deepStrictEqual(
      read({ format: null, streams: [null, 1, "video", []], chapters: [null, []] }),
      nothing
    )
    assert.deepStrictEqual(videoOf({ codec_name: 7, avg_frame_rate: "0/0" }), {
      ...{ width: 1920, height: 1080, rotation: 0 },
      ...{ codec: "unknown", rate: undefined }
    })
  })

  it.each(["", "{", "[]", "null", "7", '"text"', "Invalid data found", '{"streams": [', "\u0000"])(
    "%j is no answer",
    (text) => {
      assert.isUndefined(readProbe(text))
    }
  )

  it("whatever it says, there are numbers in it that can be used", () => {
    const odd = fc.oneof(
      fc.constantFrom("N/A", "", "1e999", "-1", "0/0", "1:0", "90", null, [], {}, true),
      fc.double(),
      fc.integer(),
      fc.string(),
      fc.jsonValue()
    )
    const part = (...names: ReadonlyArray<string>) =>
      fc.record(Object.fromEntries(names.map((name) => [name, odd])), { requiredKeys: [] })
    const stream = fc
      .tuple(
        part("width", "height", "sample_aspect_ratio", "duration", "tags", "disposition", "codec_name"),
        fc.constantFrom("video", "audio", "data", 7),
        fc.array(part("rotation"), { maxLength: 2 })
      )
      .map(([fields, codec_type, side_data_list]) => Object.assign(fields, { codec_type, side_data_list }))
    const answers = fc.record({
      format: fc.oneof(odd, part("start_time", "duration", "tags")),
      streams: fc.oneof(odd, fc.array(stream, { maxLength: 4 })),
      chapters: fc.oneof(odd, fc.array(part("start_time", "tags"), { maxLength: 3 }))
    })
    fc.assert(
      fc.property(answers, (said) => {
        const probe = read(said)
        assert.isDefined(probe)
        assert.isTrue(Number.isFinite(probe.startTime))
        if (probe.duration !== undefined) assert.isTrue(Number.isFinite(probe.duration) && probe.duration > 0)
        for (const { from } of probe.chapters) assert.isTrue(Number.isFinite(from) && from >= 0)
        if (probe.video !== undefined) {
          assert.include([0, 90, 180, 270], probe.video.rotation)
          assert.isTrue(Number.isFinite(probe.video.width) && Number.isFinite(probe.video.height))
        }
      }),
      { numRuns: 500, seed: 4 }
    )
  })
})
