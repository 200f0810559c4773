import { Effect } from "effect"
import { evenInstants } from "../../../domain/media/FramePlan.ts"
import { instantsIn } from "../../../domain/media/LookStudy.ts"
import type { MediaFile, Span } from "../../../domain/media/Media.ts"
import { toldTime } from "../../../domain/media/PictureLookUp.ts"
import type { Ffmpeg, Probe } from "../Ffmpeg.ts"
import { COVERAGE, DETAIL, costOf, filesPerRun, inGroups, isBroken } from "./cost.ts"
import type { LookRequest, LookSource, Moment } from "./LookSource.ts"
import type { Source } from "./takePictures.ts"

/**
 * Looks into a video whose tables are unknown. A short one is decoded from end to end. Of a long one even instants
 * are sought and the key pictures found there are taken; where there are too few of those, it is decoded on to
 * the instants themselves as far as that goes.
 */
export const soughtLooks = (
  ffmpeg: Ffmpeg,
  file: MediaFile,
  { startTime, video }: Probe,
  { folder, pixels, pool, size, wanted, window }: LookRequest
): LookSource => {
  const length = window.to - window.from
  const rate = Math.min(HIGHEST_RATE, video?.rate ?? USUAL_RATE)
  const toDecode = length * rate * costOf(pixels)
  const isShort = length <= SHORT && toDecode <= WHOLE
  /** Pictures are made whole at once: to get to them again would cost more. */
  const jpegs = new Map<Moment, Uint8Array>()
  const keyTimes = new Set<number>()
  /** How much after the time sought a decoder begins, at worst: some containers know no key pictures. */
  let late = file.type.container === "ts" && isShort ? 5 : 0
  const missed = new Map<number, string>()
  let trouble: string | undefined

  const take = Effect.fnUntraced(function* (sources: ReadonlyArray<Source>) {
    const taking = { ticksPerSecond: 1_000_000, small: true, whole: size }
    const taken = yield* Effect.forEach(
      inGroups(sources, filesPerRun(pixels)),
      (group) =>
        Effect.catchIf(ffmpeg.take(group, taking, folder), isBroken, ({ detail }) => {
          trouble = detail
          return Effect.succeed(group.map(() => []))
        }),
      { concurrency: 2 }
    )
    return taken.flat().map((pictures) =>
      pictures.flatMap(({ cells, jpeg, ticks }): ReadonlyArray<Moment> => {
        const time = toldTime(ticks / 1_000_000 - startTime)
        if (cells === undefined || jpeg === undefined || time < window.from - CLOSE || time > window.to)
          return []
        const moment = { time, cells }
        jpegs.set(moment, jpeg)
        return [moment]
      })
    )
  })

  /** The key pictures at some times; streams with pictures out of order are sought a little too early. */
  const seekKeys = Effect.fnUntraced(function* (times: ReadonlyArray<number>) {
    const found = yield* take(times.map((time) => ({ file, from: time + 0.2, keysOnly: true, most: 1 })))
    times.forEach((time, at) => {
      for (const key of found[at] ?? []) {
        keyTimes.add(key.time)
        late = Math.max(late, key.time - time)
      }
    })
    return inOrder(found.flat())
  })

  /** Rows of pictures, decoded from the key picture before the first of each. */
  const takeRows = Effect.fnUntraced(function* (some: ReadonlyArray<Row>) {
    // In any other order ffmpeg 5 goes on decoding what is finished until the rest is.
    const rows = some.toSorted((one, other) => one.from - other.from)
    const found = yield* take(
      rows.map(({ count, from, step }) => ({
        file,
        from: from - late,
        select: [
          `gte(t,${(from + startTime - CLOSE).toFixed(3)})`,
          `(isnan(prev_selected_t)+gte(t-prev_selected_t,${(step - CLOSE).toFixed(3)}))`
        ].join("*"),
        most: count
      }))
    )
    rows.forEach(({ from }, at) => found[at]?.length === 0 && missed.set(from, "it could not be decoded"))
    return inOrder(found.flat())
  })

  /** Of these rows those that a budget of pixels gets to, going on from the key pictures that are known. */
  const affordable = (rows: ReadonlyArray<Row>, budget: number): ReadonlyArray<Row> => {
    let left = budget
    return rows.filter(({ count, from, step }) => {
      const start = Math.max(0, ...[...keyTimes].filter((key) => key <= from - late))
      const cost = (from + (count - 1) * step - start) * rate * costOf(pixels)
      if (cost > left) missed.set(from, "it could only be reached by decoding very much")
      else left -= cost
      return !missed.has(from)
    })
  }

  const wholeWindow = Effect.suspend(() =>
    takeRows([{ from: window.from, step: length / WHOLE_POOL, count: WHOLE_POOL }])
  )

  const keysAndMore = Effect.gen(function* () {
    const keys = yield* seekKeys(
      evenInstants(window, Math.ceil(pool * SOUGHT)).toSorted((one, other) => one - other)
    )
    if (keys.length >= 0.75 * wanted && widest(keys, window) <= length / 5) return keys
    const single = (from: number): Row => ({ from, step: 0, count: 1 })
    const more = affordable(evenInstants(window, Math.max(8, wanted)).map(single), COVERAGE)
    return inOrder([...keys, ...(yield* takeRows(more))])
  })

  /** Long stretches have key pictures of their own; short ones are decoded. */
  const lookCloser = Effect.fnUntraced(function* (doubtful: ReadonlyArray<Span>) {
    const some = doubtful.slice(0, MOST_CLOSER)
    const isLong = ({ from, to }: Span) => to - from > LONG
    const rows = some.filter((stretch) => !isLong(stretch)).map(rowIn)
    const instants = some.filter(isLong).flatMap(instantsIn).slice(0, MOST_CLOSER)
    const keys = yield* seekKeys(instants.toSorted((one, other) => one - other))
    return inOrder([...keys, ...(yield* takeRows(affordable(rows, DETAIL)))])
  })

  return {
    window,
    first: isShort ? wholeWindow : keysAndMore,
    closer: (doubtful) =>
      isShort
        ? Effect.succeed([])
        : length <= 2.5 * SHORT && toDecode <= 2 * WHOLE
          ? wholeWindow
          : lookCloser(doubtful),
    pictures: (moments) =>
      Effect.succeed(
        new Map(
          moments.flatMap((moment) => {
            const jpeg = jpegs.get(moment)
            return jpeg === undefined ? [] : [[moment, jpeg]]
          })
        )
      ),
    trouble: () => trouble,
    unseen: ({ from, to }) => [...missed].find(([time]) => time > from && time < to)?.[1]
  }
}

/** So many pictures, from a time on. */
interface Row {
  readonly from: number
  readonly step: number
  readonly count: number
}

const rowIn = (stretch: Span): Row => {
  const [from = stretch.from, next = from, ...rest] = instantsIn(stretch)
  return { from, step: next - from, count: next === from ? 1 : 2 + rest.length }
}

/** By time, each once. */
const inOrder = (moments: ReadonlyArray<Moment>): ReadonlyArray<Moment> =>
  [...new Map(moments.map((moment) => [moment.time, moment])).values()].toSorted(
    (one, other) => one.time - other.time
  )

const widest = (moments: ReadonlyArray<Moment>, { from, to }: Span): number => {
  const marks = [from, ...moments.map(({ time }) => time), to]
  return Math.max(...marks.map((mark, place) => mark - (marks[place - 1] ?? mark)))
}

/**
 * Seconds and pixels of a video that is short enough to be decoded whole at once, and the pictures taken of it
 * then. One somewhat longer is decoded whole where key pictures do not tell enough.
 */
const SHORT = 60
const WHOLE = 2000 * 1280 * 720
const WHOLE_POOL = 64

/** Times that differ by less are the same. */
const CLOSE = 0.001

/** Seeking costs more than reading a slim file, so fewer moments are looked at. */
const SOUGHT = 2 / 3
const MOST_CLOSER = 16
/** Seconds: in a stretch as long as that a decoder finds a key picture. */
const LONG = 20
const USUAL_RATE = 30
const HIGHEST_RATE = 240
