import type { Numbers } from "../ReadDatabase.ts"

/**
 * What statements over hours and days that are over have given. Each is asked again when its seal is another one, so
 * what comes late is never missed; those not asked for longest make room.
 */
export class Remembered {
  private readonly answers = new Map<
    string,
    { readonly seal: string; readonly rows: Numbers; readonly size: number }
  >()
  private size = 0

  get(question: string, seal: string): Numbers | undefined {
    const known = this.answers.get(question)
    if (known === undefined || known.seal !== seal) return undefined
    this.answers.delete(question)
    this.answers.set(question, known)
    return known.rows
  }

  put(question: string, seal: string, rows: Numbers): void {
    this.forget(question)
    const size = question.length / NUMBER + rows.reduce((sum, row) => sum + OVERHEAD + row.length, 0)
    if (size > MOST) return
    this.answers.set(question, { seal, rows, size })
    this.size += size
    for (const oldest of this.answers.keys()) {
      if (this.size <= MOST) break
      this.forget(oldest)
    }
  }

  private forget(question: string): void {
    this.size -= this.answers.get(question)?.size ?? 0
    this.answers.delete(question)
  }
}

/** Numbers in all; about sixteen megabytes. */
const MOST = 2_000_000

/** What a row weighs beside its numbers, and a number in bytes. */
const OVERHEAD = 4
const NUMBER = 8
