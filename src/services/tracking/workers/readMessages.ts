import type { RecordQuery } from "../../../domain/record/RecordQuery.ts"
import type { ReadFailed } from "../ReadFailed.ts"

/** What a reading thread is started with. */
export interface ReaderOptions {
  /** The file of the driver that the thread is to open it with. */
  readonly driver: string
  readonly file: string
  readonly rows: number
  readonly characters: number
  readonly searchIndex: boolean
}

/** One statement, for whoever needs rows. */
export interface Statement {
  readonly text: string
  readonly parameters: ReadonlyArray<unknown>
}

/** What can be asked of the record as a whole. */
export type Subject = "list" | "stats" | "series" | "facets" | "errors" | "earlier"

/** A question that takes many statements: all of them are asked where the database is. */
export interface Question {
  readonly about: Subject
  readonly query: RecordQuery
  readonly now: number
}

/** JSON as it is sent, and a word that is another one where that is. */
export interface Answer {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly tag: string
}

export type ReadRequest = Statement | Question

/** What a thread has to say to a request. */
export type ReadAnswer = Found | { readonly answer: Answer } | Refusal

/** What a thread says first. */
export const READY = "ready"

/** Rows: as one text, which is copied and read at once; or cell by cell where they are bytes or long texts. */
export type Found =
  | { readonly json: string }
  | { readonly columns: ReadonlyArray<string>; readonly rows: ReadonlyArray<ReadonlyArray<unknown>> }

export type Refusal =
  | { readonly failed: Pick<ReadFailed, "code" | "detail"> }
  | {
      readonly invalid: {
        readonly message: string
        readonly param?: string | null
        readonly code: string | null
      }
    }
