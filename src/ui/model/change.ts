/** How a figure compares with the one before it. */
export interface Change {
  /** `12%`, `1.2 points`. */
  readonly by: string
  readonly way: "up" | "down" | "same"
}

/** By how much it grew or shrank, against what it was; undefined where there was nothing to compare with. */
export const changeOf = (now: Figure, before: Figure): Change | undefined => {
  if (now == null || before == null || !(before > 0)) return undefined
  const share = now / before - 1
  const by = share >= 9.995 ? `${Math.round(now / before)}×` : `${rounded(Math.abs(share) * 100)}%`
  return { by, way: wayOf(by === "0%" ? 0 : share) }
}

/** The same for shares of one, which are compared by their difference. */
export const pointsBetween = (now: Figure, before: Figure): Change | undefined => {
  if (now == null || before == null) return undefined
  const by = rounded(Math.abs(now - before) * 100)
  return { by: `${by} pt`, way: wayOf(by === "0" ? 0 : now - before) }
}

const rounded = (value: number): string =>
  value < 9.95 ? value.toFixed(1).replace(/\.0$/, "") : value.toFixed(0)

const wayOf = (difference: number): Change["way"] =>
  difference > 0 ? "up" : difference < 0 ? "down" : "same"

type Figure = number | null | undefined
