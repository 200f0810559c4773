import { Effect } from "effect"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import type { MediaFile } from "../../../domain/media/Media.ts"
import { CELL_BYTES, SIDE } from "../../../domain/media/PictureDiff.ts"
import type { Cells } from "../../../domain/media/PictureDiff.ts"

/** Something pictures are taken from, and which of them are wanted. */
export interface Source {
  readonly file: Pick<MediaFile, "path" | "type">
  /** Seconds from which on it is read, beginning with the key picture before if that works; else from the start. */
  readonly from?: number
  /** Whether key pictures alone are wanted. */
  readonly keysOnly?: boolean
  /** An expression of the `select` filter; all if there is none. */
  readonly select?: string
  /** At most so many. */
  readonly most?: number
}

export interface Taking {
  /** Units of a second in which times are reported. */
  readonly ticksPerSecond: number
  /** Whether pictures are wanted in small, to compare them, or whole, or both. */
  readonly small: boolean
  readonly whole: { readonly width: number; readonly height: number } | undefined
}

export interface Taken {
  /** When the picture is shown, as the decoder says. */
  readonly ticks: number
  readonly cells: Cells | undefined
  readonly jpeg: Uint8Array | undefined
}

/** What one run of the decoder is told, so that it writes pictures and their times into its folder. */
export const takingArgs = (
  sources: ReadonlyArray<Source>,
  taking: Taking,
  fileArgs: (file: Source["file"]) => ReadonlyArray<string>
): ReadonlyArray<string> => [
  ...sources.flatMap(({ file, from, keysOnly = false }) => [
    ...["-threads", "1", ...fileArgs(file)],
    // Where a container has no times of showing, skipped pictures would make those of others wrong.
    ...(keysOnly && file.type.container !== "avi" ? ["-skip_frame", "nokey"] : []),
    ...(from === undefined ? [] : ["-noaccurate_seek", "-ss", Math.max(0, from).toFixed(6)]),
    ...["-i", file.path]
  ]),
  ...sources.flatMap((source, number) => outputs(source, number, taking))
]

const outputs = ({ most, select }: Source, number: number, { small, ticksPerSecond, whole }: Taking) => {
  const chosen = [`settb=1/${ticksPerSecond}`, ...(select === undefined ? [] : [`select='${select}'`])]
  // Only frames that carry some metadata are written down.
  const noted = ["metadata=mode=add:key=seen:value=1", `metadata=mode=print:file=${number}.times`]
  const output = (filters: ReadonlyArray<string>, ...format: ReadonlyArray<string>) => [
    ...["-map", `${number}:V:0`, "-an", "-sn", "-dn", "-fps_mode", "passthrough"],
    ...(most === undefined ? [] : ["-frames:v", String(most)]),
    ...[
      "-vf",
      [...chosen, ...filters].join(","),
      "-threads",
      "1",
      "-bitexact",
      "-map_metadata",
      "-1",
      ...format
    ]
  ]
  return [
    ...(small
      ? output(
          [...noted, `scale=${SIDE}:${SIDE}:flags=area`, "format=rgb24"],
          ...["-f", "rawvideo", `${number}.rgb`]
        )
      : []),
    ...(whole === undefined
      ? []
      : output(
          [
            ...(small ? [] : noted),
            `scale=${whole.width}:${whole.height}:flags=bicubic:out_color_matrix=bt601:out_range=full`,
            ...["setsar=1", "format=yuvj420p"]
          ],
          ...["-c:v", "mjpeg", "-q:v", "4", "-f", "image2", `${number}-%d.jpg`]
        ))
  ]
}

/** What a run has left in the folder, for each source; pictures that did not come out whole are left out. */
export const readTaken = (
  sources: number,
  taking: Taking,
  folder: string
): Effect.Effect<ReadonlyArray<ReadonlyArray<Taken>>> =>
  Effect.forEach(
    Array.from({ length: sources }, (_, number) => number),
    (number) => Effect.promise(() => readSource(number, taking, folder))
  )

const readSource = async (
  number: number,
  { small, whole }: Taking,
  folder: string
): Promise<ReadonlyArray<Taken>> => {
  const times = await readFile(join(folder, `${number}.times`), "latin1").catch(() => "")
  const cells = small ? await readFile(join(folder, `${number}.rgb`)).catch(() => NOTHING) : NOTHING
  const taken = Array.from(times.matchAll(/\bpts:(-?\d+)/g), async ([, ticks], at): Promise<Taken> => {
    const from = at * CELL_BYTES
    const jpeg = whole && (await readFile(join(folder, `${number}-${at + 1}.jpg`)).catch(() => undefined))
    return {
      ticks: Number(ticks),
      cells: from + CELL_BYTES <= cells.length ? cells.subarray(from, from + CELL_BYTES) : undefined,
      jpeg: jpeg !== undefined && isWhole(jpeg) ? jpeg : undefined
    }
  })
  return Promise.all(taken)
}

const isWhole = (jpeg: Uint8Array): boolean =>
  jpeg.length > 4 && jpeg[0] === 0xff && jpeg[1] === 0xd8 && jpeg.at(-2) === 0xff && jpeg.at(-1) === 0xd9

const NOTHING = new Uint8Array(0)
