import type { RequestRecord } from "../domain/RequestRecord.ts"

/**
 * Requests and tokens of each key in the last minute, as this process has seen them. Whoever is refused is told for
 * how many seconds, and is not counted.
 */
export class RateLimits {
  private readonly windows = new Map<string, Window>()

  /** Counts a request; a number where it is one too many. */
  request(key: string, most: number, now = performance.now()): number | undefined {
    const { times } = this.windowOf(key)
    dropBefore(times, now - MINUTE)
    const oldest = times[times.length - most]
    if (oldest !== undefined) return secondsUntil(oldest.at + MINUTE, now)
    times.push({ at: now, tokens: 0 })
    return undefined
  }

  /** Counts what a request may use until it ends, and what it has used from then on. */
  tokens(key: string, most: number, asked: TokensAsked, now = performance.now()): number | undefined {
    const window = this.windowOf(key)
    settle(window, now)
    const held = window.open.reduce((sum, { guess }) => sum + guess, 0)
    let over = held + window.used.reduce((sum, { tokens }) => sum + tokens, 0) + asked.guess - most
    if (over <= 0) {
      window.open.push({ ...asked, at: now })
      return undefined
    }
    for (const { at, tokens } of window.used) {
      over -= tokens
      if (over <= 0) return secondsUntil(at + MINUTE, now)
    }
    // Only the end of what runs can make room, and when that is nobody knows.
    return window.open.length > 0 ? SOON : MINUTE / 1000
  }

  private windowOf(key: string): Window {
    const found = this.windows.get(key) ?? { times: [], open: [], used: [] }
    this.windows.set(key, found)
    return found
  }
}

/** A request as the record has it, and how many tokens it is taken for while it runs. */
export interface TokensAsked {
  readonly row: Pick<RequestRecord, "state" | "total_tokens" | "processing_duration_ms">
  readonly guess: number
}

interface Counted {
  readonly at: number
  readonly tokens: number
}

interface Window {
  readonly times: Array<Counted>
  open: Array<TokensAsked & { readonly at: number }>
  readonly used: Array<Counted>
}

/** What has ended counts from its end on; without a count of its own it stays what it was taken for. */
const settle = (window: Window, now: number): void => {
  const ended = window.open.filter(({ row }) => row.state !== "running")
  if (ended.length > 0) {
    window.open = window.open.filter(({ row }) => row.state === "running")
    const counted = ended.map(({ at, guess, row }) => ({
      at: Math.min(now, at + (row.processing_duration_ms ?? 0)),
      tokens: row.total_tokens ?? (row.state === "failed" ? 0 : guess)
    }))
    window.used.push(...counted.toSorted((one, other) => one.at - other.at))
  }
  dropBefore(window.used, now - MINUTE)
}

const dropBefore = (counted: Array<Counted>, time: number): void => {
  const first = counted.findIndex(({ at }) => at > time)
  if (first !== 0) counted.splice(0, first < 0 ? counted.length : first)
}

const secondsUntil = (time: number, now: number): number => Math.max(1, Math.ceil((time - now) / 1000))

/** Milliseconds. */
const MINUTE = 60_000

/** Seconds. */
const SOON = 5
