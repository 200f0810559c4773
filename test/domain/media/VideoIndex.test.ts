import { assert, beforeAll, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fc from "effect/FastCheck"
import { execFileSync } from "node:child_process"
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { planLooks } from "../../../src/domain/media/FramePlan.ts"
import { readMatroska } from "../../../src/domain/media/MatroskaIndex.ts"
import { readMp4File } from "../../../src/domain/media/Mp4File.ts"
import { lookUp } from "../../../src/domain/media/PictureLookUp.ts"
import type { Candidate } from "../../../src/domain/media/PictureLookUp.ts"
import { planSlim } from "../../../src/domain/media/SlimPlan.ts"
import { MOST_PICTURES, TICKS_PER_SECOND, withinFile } from "../../../src/domain/media/VideoIndex.ts"
import type { VideoIndex } from "../../../src/domain/media/VideoIndex.ts"
import type { Walk } from "../../../src/domain/media/Walk.ts"
import { temporaryFolder } from "../../support/Router.ts"

const FIXTURES = new URL("../../fixtures/video/", import.meta.url).pathname
const SMALL = 100_000
const MEGABYTE = 1024 * 1024
const BILLIONS = 0xffffffff

type Reader = (bytes: Uint8Array) => VideoIndex | undefined

/** Reads as the file's reader does, and counts what it is asked for. */
const drive = (walk: Walk<VideoIndex | undefined>, bytes: Uint8Array, mostSteps: number) => {
  let step = walk.next()
  let read = 0
  for (let steps = 0; !step.done; steps++) {
    const { at, length } = step.value
    assert.isBelow(steps, mostSteps, "a walk that does not end")
    assert.isAtMost(length, 64 * MEGABYTE)
    assert.isTrue(Number.isInteger(at) || at > Number.MAX_SAFE_INTEGER, `reads at ${at}`)
    const answer = bytes.subarray(at, at + length)
    read += answer.length
    step = walk.next(answer)
  }
  return { index: step.value, read }
}

/** A walk may read no byte more than a few times over, and takes no more steps than there are bytes. */
const reader =
  (walk: (size: number) => Walk<VideoIndex | undefined>): Reader =>
  (bytes) => {
    const { index, read } = drive(walk(bytes.length), bytes, bytes.length + 1000)
    assert.isAtMost(read, 40 * (bytes.length + MEGABYTE))
    return index && withinFile(index, bytes.length)
  }

const readers = {
  mp4: reader(readMp4File),
  blocks: reader((size) => readMatroska(size)),
  cues: reader((size) => readMatroska(size, 0))
}

const readersFor = (name: string): ReadonlyArray<Reader> =>
  name.endsWith(".mp4") ? [readers.mp4] : [readers.blocks, readers.cues]

/** What anybody may rely on, whatever the file says. */
const checkSound = (index: VideoIndex): void => {
  const { keys, sizes, times } = index
  assert.strictEqual(times.length, sizes.length)
  assert.isAtLeast(sizes.length, 1)
  assert.isAtMost(sizes.length, MOST_PICTURES)
  assert.isTrue(
    times.every((time) => Number.isFinite(time)),
    "a time that is no number"
  )
  assert.isFalse(Number.isNaN(index.shown.from) || Number.isNaN(index.shown.to), "shown at no time")
  assert.isAtLeast(keys.length, 1)
  assert.isTrue(keys.every((key, at) => key < sizes.length && key > (keys[at - 1] ?? -1)))
}

/** No picture may be said to lie where the file has no bytes, since that many are read for it. */
const checkInside = ({ offsets, sizes }: VideoIndex, size: number): void => {
  const all = Array.from(sizes, (_, picture) => picture)
  const places = offsets(all)
  assert.strictEqual(places.length, all.length)
  for (const picture of all) {
    const [offset, length] = [places[picture] ?? -1, sizes[picture] ?? -1]
    if (!(offset >= 0 && offset + length <= size))
      assert.fail(`picture ${picture} is at ${offset}, ${length} long, in a file of ${size}`)
  }
}

/** Whoever goes on with an index may do so without an accident. */
const use = (index: VideoIndex): void => {
  const looks = planLooks(index, {
    budget: { coverage: 100, detail: 100, bytes: MEGABYTE },
    pool: 8,
    start: 0,
    window: { from: 0, to: 10 }
  })
  const { pictures } = planSlim(index, looks)
  for (const piece of index.slim(pictures).pieces)
    if (!("picture" in piece)) assert.isAtMost(piece.length, MEGABYTE)
}

interface Sample {
  readonly name: string
  readonly bytes: Uint8Array
  /** Where its tables are: most flipped bytes go there, since the rest is only pictures. */
  readonly tables: ReadonlyArray<readonly [from: number, to: number]>
}

const samples: Array<Sample> = []

const placesOf = (bytes: Buffer, ...names: ReadonlyArray<string>) =>
  names.flatMap((name) => {
    const at = bytes.indexOf(name, 0, "latin1")
    return at < 0 ? [] : [[Math.max(0, at - 4), Math.min(bytes.length, at + 3000)] as const]
  })

beforeAll(() =>
  Effect.gen(function* () {
    const folder = yield* temporaryFolder
    const remux = (from: string, to: string, ...options: ReadonlyArray<string>) =>
      execFileSync("ffmpeg", [
        ...["-v", "error", "-i", join(FIXTURES, from), "-map", "0:v:0", "-c", "copy"],
        ...options,
        join(folder, to)
      ])
    remux("still.mp4", "fast.mp4", "-movflags", "faststart")
    remux("slide.mp4", "fragments.mp4", "-movflags", "frag_keyframe+empty_moov+default_base_moof")
    remux("blink.mp4", "older-fragments.mp4", "-movflags", "frag_keyframe+empty_moov")
    remux("blink.mp4", "late.mp4", "-output_ts_offset", "2")
    remux("late-sound.mp4", "blocks.mkv")
    const paths = [folder, FIXTURES].flatMap((place) =>
      readdirSync(place)
        .filter((name) => /\.(mp4|mkv|webm)$/.test(name))
        .map((name) => [name, join(place, name)] as const)
    )
    for (const [name, path] of paths) {
      const bytes = readFileSync(path)
      if (bytes.length > SMALL) continue
      const tables = placesOf(bytes, "moov", "moof", "stbl", "\x1a\x45\xdf\xa3", "\x1f\x43\xb6\x75", "elst")
      samples.push({ name, bytes, tables })
    }
  }).pipe(Effect.scoped, Effect.runPromise)
)

const sampleAt = (number: number): Sample => {
  const sample = samples[number % samples.length]
  assert.isDefined(sample)
  return sample
}

/** How far into something: even, where floating numbers would nearly all be almost nought. */
const parts = fc.integer({ min: 0, max: 1_000_000 }).map((part) => part / 1_000_000)

/** Any of the samples, and bytes of it that are different from what they were. */
const flips = fc.record({
  number: fc.nat(),
  changes: fc.array(fc.record({ table: fc.nat(7), at: parts, value: fc.nat(255) }), {
    minLength: 1,
    maxLength: 6
  })
})

const flipped = (
  { bytes, tables }: Sample,
  changes: ReadonlyArray<{ table: number; at: number; value: number }>
) => {
  const copy = Uint8Array.from(bytes)
  for (const { at, table, value } of changes) {
    const [from, to] = tables[table] ?? tables[0] ?? [0, bytes.length]
    copy[Math.min(bytes.length - 1, Math.floor(from + at * (to - from)))] = value
  }
  return copy
}

describe("the index of a file that somebody made to break something", () => {
  it("is sound for every whole sample", () => {
    assert.isAtLeast(samples.length, 10)
    for (const { bytes, name } of samples) {
      const indexes = readersFor(name).map((read) => read(bytes))
      assert.isDefined(indexes[0], name)
      for (const index of indexes)
        if (index !== undefined) {
          checkSound(index)
          checkInside(index, bytes.length)
          use(index)
        }
    }
  })

  it("is sound wherever the file breaks off", () => {
    let partial = 0
    fc.assert(
      fc.property(fc.nat(), parts, (number, part) => {
        const { bytes, name } = sampleAt(number)
        const cut = bytes.subarray(0, Math.floor(part * bytes.length))
        for (const read of readersFor(name)) {
          const index = read(cut)
          if (index === undefined) continue
          partial++
          checkSound(index)
          checkInside(index, cut.length)
          use(index)
        }
      }),
      { numRuns: 300, seed: 1 }
    )
    assert.isAbove(partial, 20, "none of them gave pictures")
  })

  it("is sound whichever bytes are changed", () => {
    let read = 0
    fc.assert(
      fc.property(flips, ({ changes, number }) => {
        const sample = sampleAt(number)
        const bytes = flipped(sample, changes)
        for (const readIndex of readersFor(sample.name)) {
          const index = readIndex(bytes)
          if (index === undefined) continue
          read++
          checkSound(index)
          use(index)
        }
      }),
      { numRuns: 600, seed: 2 }
    )
    assert.isAbove(read, 60, "none of them gave pictures")
  })

  it("is none for noise, also behind a beginning that is right", () => {
    const starts = [
      new Uint8Array(0),
      ...["black.mp4", "scenes.webm"].map((name) => readFileSync(join(FIXTURES, name)).subarray(0, 300))
    ]
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), fc.nat(2), fc.nat(300), (noise, start, length) => {
        const bytes = Buffer.concat([(starts[start] ?? noise).subarray(0, length), noise])
        for (const read of Object.values(readers)) {
          const index = read(bytes)
          if (index !== undefined) checkSound(index)
        }
      }),
      { numRuns: 300, seed: 3 }
    )
  })
})

/** The same file with other words (of 32 bits) at a place behind the name of a box. */
const claiming = (
  bytes: Uint8Array,
  name: string,
  ...words: ReadonlyArray<readonly [at: number, value: number]>
) => {
  const copy = Buffer.from(bytes)
  const at = copy.indexOf(name, 0, "latin1")
  assert.isAbove(at, 0, `there is no ${name}`)
  for (const [place, value] of words) copy.writeUInt32BE(value, at + 4 + place)
  return copy
}

describe("a table that lies", () => {
  // Sound lies between its pictures, so a wrong size does not move those behind it.
  const film = () => readFileSync(join(FIXTURES, "spoken.mp4"))

  it.each([
    ["stsz", BILLIONS],
    ["stsz", 100_000]
  ])("in the middle of %s, of a picture of %d bytes: it is not in the file", (name, length) => {
    // The table's fourth picture, of many.
    const bytes = claiming(film(), name, [12 + 4 * 3, length])
    const index = readers.mp4(bytes)
    if (index !== undefined) checkInside(index, bytes.length)
  })

  it("of a film whose clock stands still: there are no times then", () => {
    const late = samples.find(({ name }) => name === "late.mp4")
    assert.isDefined(late)
    assert.closeTo(readers.mp4(late.bytes)?.times[0] ?? NaN, 2, 0.001)
    const still = claiming(late.bytes, "mvhd", [12, 0])
    const index = readers.mp4(still)
    if (index !== undefined) checkSound(index)
  })

  it("of a block too short for its own header: it is not four billion bytes long", () => {
    const { bytes } = samples.find(({ name }) => name === "blocks.mkv") ?? { bytes: new Uint8Array(0) }
    const whole = readers.blocks(bytes)
    assert.isDefined(whole)
    const [second = 0] = whole.offsets([1])
    const copy = Buffer.from(bytes)
    const header = copy.lastIndexOf(0xa3, second - 5)
    assert.isAbove(header, 0)
    // As long as the track's number alone, and behind it an element to skip to the next block.
    const end = second + (whole.sizes[1] ?? 0)
    const rest = end - header - 7
    copy.set([0xa3, 0x81, 0x81, 0xec, 0x20, rest >> 8, rest & 255], header)
    const index = readers.blocks(copy)
    assert.isDefined(index)
    checkInside(index, copy.length)
  })
})

describe("a table that claims to be large", () => {
  const film = () => readFileSync(join(FIXTURES, "black.mp4"))

  /** What the index is, if it took no more memory than the longest of all films would. */
  const thrifty = (bytes: Uint8Array): VideoIndex | undefined => {
    const before = process.memoryUsage().arrayBuffers
    const index = readers.mp4(bytes)
    assert.isBelow(process.memoryUsage().arrayBuffers - before, 100 * MEGABYTE)
    if (index !== undefined) checkSound(index)
    return index
  }

  it.each(["stsz", "stts", "stsc", "stco", "stss", "stsd", "elst"])(
    "%s with four billion entries",
    (name) => {
      for (const count of [BILLIONS, 0x7fffffff, MOST_PICTURES + 1, MOST_PICTURES])
        thrifty(claiming(film(), name, [name === "stsz" ? 8 : 4, count]))
    }
  )

  it("as many pictures of one size as a day has, in a small file", () => {
    assert.isUndefined(thrifty(claiming(film(), "stsz", [4, 1], [8, BILLIONS])))
    thrifty(claiming(film(), "stsz", [4, 1], [8, MOST_PICTURES]))
  })

  it("one run of four billion pictures", () => {
    const index = thrifty(claiming(film(), "stts", [8, BILLIONS]))
    assert.strictEqual(index?.sizes.length, readers.mp4(film())?.sizes.length)
  })

  it("a chunk of four billion pictures", () => {
    thrifty(claiming(film(), "stsc", [12, BILLIONS]))
  })

  it("a box that is larger than the file", () => {
    for (const name of ["moov", "trak", "stbl", "stsz"])
      for (const size of [BILLIONS, 0x7fffffff, 7, 1, 0]) thrifty(claiming(film(), name, [-8, size]))
  })

  it("a fragment of four billion pictures", () => {
    const sample = samples.find(({ name }) => name === "fragments.mp4")
    assert.isDefined(sample)
    assert.isUndefined(thrifty(claiming(sample.bytes, "trun", [4, BILLIONS])))
    // No size of its own for each, so that the count costs the file nothing.
    thrifty(claiming(sample.bytes, "trun", [0, 1], [4, MOST_PICTURES]))
  })
})

interface Packet {
  readonly pts_time: string
  readonly size: string
  readonly pos: string
  readonly flags: string
}

const packetsOf = (path: string): ReadonlyArray<Packet> =>
  JSON.parse(
    execFileSync(
      "ffprobe",
      [
        ...["-v", "error", "-select_streams", "v:0", "-show_packets"],
        ...["-show_entries", "packet=pts_time,size,pos,flags", "-of", "json", path]
      ],
      { encoding: "utf8", maxBuffer: 16 * MEGABYTE }
    )
  ).packets

const indexOf = (name: string): VideoIndex => {
  const index = readersFor(name)[0]?.(readFileSync(join(FIXTURES, name)))
  assert.isDefined(index, name)
  return index
}

describe("the index against what the decoder's own tool says", () => {
  it.each([
    "seconds.mp4",
    "seconds-vfr.mp4",
    "late-sound.mp4",
    "open.mp4",
    "hevc.mp4",
    "one-key.mp4",
    "one-picture.mp4",
    "scenes.webm",
    "two-tracks.mkv"
  ])("%s", (name) => {
    const packets = packetsOf(join(FIXTURES, name))
    const index = indexOf(name)
    assert.isAbove(packets.length, 0)
    assert.deepStrictEqual(
      Array.from(index.sizes),
      packets.map(({ size }) => Number(size))
    )
    assert.deepStrictEqual(
      Array.from(index.keys),
      packets.flatMap(({ flags }, at) => (flags.startsWith("K") ? [at] : []))
    )
    packets.forEach(({ pts_time }, at) => assert.closeTo(index.times[at] ?? NaN, Number(pts_time), 0.001))
    // Of a Matroska file the tool names the place of the block, not of what is in it.
    if (name.endsWith(".mp4"))
      assert.deepStrictEqual(
        index.offsets(packets.map((_, at) => at)),
        packets.map(({ pos }) => Number(pos))
      )
  })

  it("knows of the entry points alone the same as of the whole", () => {
    const bytes = readFileSync(join(FIXTURES, "two-tracks.mkv"))
    const [whole, points] = [readers.blocks(bytes), readers.cues(bytes)]
    assert.isDefined(whole)
    assert.isDefined(points)
    const known = new Map(Array.from(whole.keys, (key) => [whole.offsets([key])[0], key]))
    assert.isAbove(points.keys.length, 1)
    for (const point of points.keys) {
      const key = known.get(points.offsets([point])[0])
      assert.isDefined(key)
      assert.strictEqual(points.sizes[point], whole.sizes[key])
      assert.strictEqual(points.times[point], whole.times[key])
    }
  })
})

/** A digest of each picture as it is decoded, and its time in seconds, in the order of showing. */
const digests = (path: string) => {
  const lines = execFileSync(
    "ffmpeg",
    [
      ...["-v", "quiet", "-copyts", "-i", path, "-map", "0:v:0", "-fps_mode", "passthrough"],
      ...["-enc_time_base", "1/1000", "-f", "framemd5", "-"]
    ],
    { encoding: "utf8", maxBuffer: 16 * MEGABYTE }
  ).split("\n")
  assert.include(lines, "#tb 0: 1/1000")
  return lines
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.split(",").map((field) => field.trim()))
    .map((fields) => ({ time: Number(fields[2]) / 1000, digest: fields.at(-1) }))
}

/** Cuts pictures out of a file, decodes them, and compares them with those of the whole. */
const decodesAlike = (name: string) =>
  Effect.gen(function* () {
    const folder = yield* temporaryFolder
    const bytes = readFileSync(join(FIXTURES, name))
    const index = indexOf(name)
    const last = index.times.reduce((one, other) => Math.max(one, other))
    const pictures = lookUp(index, 0, { from: 0, to: last })
    const looks = [0.05, 0.3, 0.31, 0.75, 1].flatMap((part): ReadonlyArray<Candidate> => {
      const found = pictures.at(part * last)
      return found === undefined ? [] : [found]
    })
    assert.isAtLeast(looks.length, 4)
    const plan = planSlim(index, looks)
    const { delay, pieces } = index.slim(plan.pictures)
    const numbers = plan.pictures.map(({ picture }) => picture)
    const offsets = index.offsets(numbers)
    const places = new Map(numbers.map((picture, at) => [picture, offsets[at] ?? NaN]))
    const slim = join(folder, `slim.${name.split(".")[1]}`)
    writeFileSync(
      slim,
      Buffer.concat(
        pieces.map((piece) => {
          if (!("picture" in piece)) return piece
          const at = places.get(piece.picture) ?? NaN
          return bytes.subarray(at, at + (index.sizes[piece.picture] ?? NaN))
        })
      )
    )
    const inOrder = Array.from(index.times.keys()).toSorted(
      (one, other) => (index.times[one] ?? 0) - (index.times[other] ?? 0)
    )
    const whole = digests(join(FIXTURES, name))
    assert.strictEqual(whole.length, inOrder.length)
    const digestOf = new Map(inOrder.map((picture, rank) => [picture, whole[rank]?.digest]))
    const decoded = digests(slim)
    const at = ({ time }: { readonly time: number }) => Math.round(time * TICKS_PER_SECOND) - delay
    assert.deepStrictEqual(
      decoded.filter((found) => plan.wanted.has(at(found))).map((found) => [at(found), found.digest]),
      [...plan.wanted]
        .toSorted(([one], [other]) => one - other)
        .map(([tick, { picture }]) => [tick, digestOf.get(picture)])
    )
    assert.strictEqual(decoded.length, plan.pictures.length)
  })

describe("a slim file", () => {
  it.scopedLive.each(["late-sound.mp4", "scenes.webm", "two-tracks.mkv"])(
    "of chosen pictures of %s is decoded to just these",
    decodesAlike
  )
})
