/**
 * Durations counted in buckets whose bounds grow by half: coarse enough to be added up for years, fine enough for
 * percentiles that are right within a few percent.
 */
export const BUCKETS = 32

/** The upper bound of a bucket, in milliseconds; the last one takes whatever is longer. */
export const boundOf = (bucket: number): number => FIRST * 1.5 ** bucket

export const bucketOf = (millis: number): number => {
  const bucket = Math.ceil(Math.log(Math.max(millis, FIRST) / FIRST) / Math.log(1.5) - 1e-9)
  return Math.min(BUCKETS - 1, Math.max(0, bucket))
}

/** The duration below which this share of all lies; undefined where there is none. */
export const percentile = (counts: ReadonlyArray<number>, share: number): number | undefined => {
  const total = counts.reduce((sum, count) => sum + count, 0)
  if (total === 0) return undefined
  let rank = share * total
  for (const [bucket, count] of counts.entries()) {
    if (count > 0 && rank <= count) {
      const from = bucket === 0 ? 0 : boundOf(bucket - 1)
      return from + (rank / count) * (boundOf(bucket) - from)
    }
    rank -= count
  }
  return boundOf(counts.length - 1)
}

const FIRST = 4
