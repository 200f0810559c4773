/** Fills a file that has the tables and no rows. */
export const seed: (
  file: string,
  options?: {
    readonly rows?: number
    readonly days?: number
    readonly until?: number
    readonly log?: (text: string) => void
  }
) => void
