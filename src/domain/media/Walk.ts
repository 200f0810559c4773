/**
 * A walk through a file that knows nothing of files: it asks for stretches of bytes and is handed them
 * (fewer where the file ends, none behind it). Whoever drives it decides how they are read.
 */
export type Walk<A> = Generator<Stretch, A, Uint8Array>

export interface Stretch {
  readonly at: number
  readonly length: number
}

/** Drives a walk over bytes that are at hand already. */
export const walkBytes = <A>(walk: Walk<A>, bytes: Uint8Array): A => {
  let step = walk.next()
  while (!step.done) step = walk.next(bytes.subarray(step.value.at, step.value.at + step.value.length))
  return step.value
}
