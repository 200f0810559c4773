export const root: string
export const requireNode: () => void
export const installIfStale: () => void
export const buildIfStale: () => void
export const run: (
  command: string,
  args: ReadonlyArray<string>,
  env?: Record<string, string | undefined>
) => void
