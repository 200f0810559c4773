/** What is asked of the record, as paths, and how many milliseconds an answer may take at the 95th percentile. */
export const kinds: ReadonlyArray<{
  readonly name: string
  readonly goal: number
  readonly paths: ReadonlyArray<string>
}>
