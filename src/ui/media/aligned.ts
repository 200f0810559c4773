/** Words or a sound, in seconds from the beginning. */
export interface Said {
  readonly from: number
  readonly to: number
  readonly text: string
}

/** A picture, if there is one yet, and what was said until the next one. */
export interface Moment<Picture> {
  readonly picture: Picture | undefined
  readonly from: number
  readonly said: ReadonlyArray<Said>
  /** Titles of the chapters that begin here. */
  readonly chapters: ReadonlyArray<string>
}

interface Timed {
  readonly time: number
}

/** Pictures and words by their times, each once; a picture comes before the words of its second. */
export const aligned = <Picture extends Timed>(
  pictures: ReadonlyArray<Picture>,
  said: ReadonlyArray<Said>,
  chapters: ReadonlyArray<{ readonly from: number; readonly title: string }> = []
): ReadonlyArray<Moment<Picture>> => {
  const shown = pictures.toSorted((one, other) => one.time - other.time)
  const moments = [undefined, ...shown].map((picture) => ({
    picture,
    from: picture?.time ?? 0,
    said: new Array<Said>(),
    chapters: new Array<string>()
  }))
  const at = (time: number) =>
    moments.findLast(({ from, picture }) => !picture || second(from) <= second(time))
  for (const line of said.toSorted((one, other) => one.from - other.from)) at(line.from)?.said.push(line)
  for (const { from, title } of chapters) at(from)?.chapters.push(title)
  return moments
    .filter(({ chapters, picture, said }) => picture ?? chapters[0] ?? said[0])
    .map(({ chapters, from, picture, said }) => ({ chapters, from, picture, said: joined(said) }))
}

/** Lines of some seconds: two hours of single words would be more than anybody reads. */
const joined = (said: ReadonlyArray<Said>): ReadonlyArray<Said> => {
  const lines: Array<Said> = []
  for (const { from, text, to } of said) {
    const next = { from, to, text: text.trim() }
    const last = lines.at(-1)
    if (last !== undefined && goesOn(last, next))
      lines[lines.length - 1] = { from: last.from, to, text: `${last.text} ${next.text}` }
    else lines.push(next)
  }
  return lines
}

const goesOn = (last: Said, next: Said): boolean =>
  next.to - last.from <= LINE && next.from - last.to <= PAUSE && !isSound(last) && !isSound(next)

/** What is no speech stands in brackets. */
const isSound = ({ text }: Said): boolean => text.startsWith("(")

const second = (time: number): number => Math.floor(time + 0.0005)

/** Seconds. */
const LINE = 15
const PAUSE = 2
