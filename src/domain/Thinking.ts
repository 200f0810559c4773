/** The text without what the model thought aloud in it. */
export const withoutThinking = (text: string): string => {
  if (!text.includes(OPEN)) return text
  const thinking = new Thinking()
  return thinking.add(text) + thinking.end()
}

/**
 * Takes `<think>…</think>` out of one answer that comes in pieces, and nothing but the tags and what is between them;
 * where the pieces are cut makes no difference. A block ends with the first closing tag, whatever else was in it.
 *
 * A block that is never closed is thinking cut short where nothing was said before it. Later on it is more likely
 * somebody who explains the tag, so what was held back is said after all.
 */
export class Thinking {
  /** Anything but white space has been said. */
  private hasSpoken = false
  private isThinking = false
  /** Of a block that may turn out to be none, until it is too long. */
  private block: Array<string> = []
  private blockLength = 0
  /** What may be the beginning of the tag that is waited for. */
  private torn = ""

  /** Whether anything waits for what comes next. */
  get isWaiting(): boolean {
    return this.isThinking || this.torn !== ""
  }

  /** A piece with no `<` in it while nothing waits: it is said as it is. */
  pass(piece: string): void {
    if (!this.hasSpoken) this.hasSpoken = NOT_SPACE.test(piece)
  }

  /** What of the answer can be said now that one more piece is there. */
  add(piece: string): string {
    let rest = this.torn + piece
    let said = ""
    this.torn = ""
    while (rest !== "") {
      if (this.isThinking) {
        const end = rest.indexOf(CLOSE)
        if (this.isTooLong(end < 0 ? rest.length : end + CLOSE.length)) {
          const room = LONGEST_BLOCK - this.blockLength
          said += this.released() + rest.slice(0, room)
          rest = rest.slice(room)
        } else if (end < 0) {
          rest = this.cutTorn(rest, CLOSE)
          if (this.hasSpoken) this.hold(rest)
          rest = ""
        } else {
          this.forget()
          rest = rest.slice(end + CLOSE.length)
        }
      } else {
        const start = rest.indexOf(OPEN)
        const spoken = start < 0 ? this.cutTorn(rest, OPEN) : rest.slice(0, start)
        this.pass(spoken)
        said += spoken
        this.isThinking = start >= 0
        rest = start < 0 ? "" : rest.slice(start + OPEN.length)
      }
    }
    return said
  }

  /** The answer is over: what can be said of what was held back. */
  end(): string {
    const { torn } = this
    this.torn = ""
    if (!this.isThinking) return torn
    const said = this.hasSpoken ? this.released() + torn : ""
    this.forget()
    return said
  }

  private isTooLong(more: number): boolean {
    return this.hasSpoken && this.blockLength + more > LONGEST_BLOCK
  }

  /** Keeps back the end of a text where the tag may begin. */
  private cutTorn(text: string, tag: string): string {
    let length = Math.min(tag.length - 1, text.length)
    while (length > 0 && !tag.startsWith(text.slice(-length))) length--
    if (length === 0) return text
    this.torn = text.slice(-length)
    return text.slice(0, -length)
  }

  private hold(text: string): void {
    this.block.push(text)
    this.blockLength += text.length
  }

  private released(): string {
    const said = OPEN + this.block.join("")
    this.forget()
    return said
  }

  private forget(): void {
    this.isThinking = false
    this.block = []
    this.blockLength = 0
  }
}

const OPEN = "<think>"
const CLOSE = "</think>"
const NOT_SPACE = /\S/
/** Characters that one answer holds back at most; who thinks as long as this does it at the beginning. */
const LONGEST_BLOCK = 256 * 1024
