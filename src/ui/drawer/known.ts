import type { Detail } from "../api/detail.ts"
import { readMedium } from "../api/media.ts"
import type { MediumDetail } from "../api/media.ts"

/** Remembered media, by where in a request they stood. */
export type Known = ReadonlyMap<string, MediumDetail>

/** What has been forgotten meanwhile is left out. */
export const readKnown = async ({ media }: Detail, signal: AbortSignal): Promise<Known> => {
  const known = new Map<string, MediumDetail>()
  for (const { entry, param } of media) {
    const medium = entry && (await readMedium(entry, signal).catch(() => undefined))
    if (medium) known.set(param, medium)
  }
  return known
}
