/** Tells how far something is: as a bar that grows on a terminal, else as a line for each new step. */
export interface Progress {
  readonly tell: (line: string, share: number | undefined) => void
  /** Takes the bar away, so that what follows begins on an empty line. */
  readonly end: () => void
}

export const progressOn = (stream: Pick<NodeJS.WriteStream, "isTTY" | "columns" | "write">): Progress => {
  let shown = ""
  let width = 0
  const show = (text: string) => {
    if (text === shown) return
    shown = text
    if (!stream.isTTY) return void stream.write(`${text}\n`)
    stream.write(`\r${text.padEnd(width)}`)
    width = text.length
  }
  return {
    tell: (line, share) =>
      show(stream.isTTY ? `${barOf(share)} ${line}`.slice(0, stream.columns) : stepIn(line)),
    end: () => {
      if (stream.isTTY && width > 0) stream.write(`\r${" ".repeat(width)}\r`)
      width = 0
    }
  }
}

const barOf = (share = 0): string => {
  const filled = Math.round(Math.min(1, Math.max(0, share)) * WIDTH)
  return `[${"#".repeat(filled)}${" ".repeat(WIDTH - filled)}]`
}

/** A line for every percent would be no news. */
const stepIn = (line: string): string => line.replace(/ \d+%/g, "")

const WIDTH = 25
