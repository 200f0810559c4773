/** What a reading thread is started with. */
export interface ReaderOptions {
  readonly file: string
  readonly rows: number
  readonly characters: number
}

export interface ReadRequest {
  readonly text: string
  readonly parameters: ReadonlyArray<unknown>
}

/** Rows as arrays beside the names of their columns: half as much to copy from thread to thread. */
export type ReadAnswer =
  | { readonly columns: ReadonlyArray<string>; readonly rows: ReadonlyArray<ReadonlyArray<unknown>> }
  | { readonly problem: string; readonly tooLarge: boolean }
