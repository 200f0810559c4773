/** The last events of a feed under running numbers, so that who was away for a moment misses nothing. */
export class Ring {
  /** The number of the newest event. */
  last = 0
  private oldest = 1
  private readonly events: Array<string> = []
  private readonly size: number
  private readonly name: string

  /** `name` tells this feed's numbers from those of another process. */
  constructor(name: string, size: number) {
    this.name = name
    this.size = size
  }

  add(event: string, data: unknown): void {
    this.last++
    this.events[this.last % this.size] = `id: ${this.idOf(this.last)}\n${eventText(event, data)}`
    if (this.last - this.oldest >= this.size) this.oldest++
  }

  /** What came after an event, as text; undefined where some of it is no longer known. */
  since(number: number): string | undefined {
    if (number > this.last || number < this.oldest - 1) return undefined
    let text = ""
    for (let next = number + 1; next <= this.last; next++) text += this.events[next % this.size] ?? ""
    return text
  }

  /** From now on nothing earlier is known, not even that there was nothing. */
  forget(): void {
    this.last++
    this.oldest = this.last + 1
    this.events.length = 0
  }

  idOf(number: number): string {
    return `${this.name}-${number}`
  }

  /** The number of an id; undefined where it is none of this feed. */
  numberOf(id: string): number | undefined {
    const number = id.startsWith(`${this.name}-`) ? id.slice(this.name.length + 1) : ""
    return /^\d{1,15}$/.test(number) ? Number(number) : undefined
  }
}

/** An event without a number: who comes back is not told again. */
export const eventText = (event: string, data: unknown): string =>
  `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`
