import { draw } from "../drawing.ts"

/** A value that outlives the page, in this browser; other tabs follow. */
export const stored = <A>(name: string, read: (value: unknown) => A) => {
  const key = `percept.${name}`
  const load = (): A => {
    try {
      return read(JSON.parse(localStorage.getItem(key) ?? "null"))
    } catch {
      return read(null)
    }
  }
  const kept = {
    value: load(),
    set: (value: A): void => {
      kept.value = value
      draw()
      try {
        localStorage.setItem(key, JSON.stringify(value))
      } catch {
        // Without room, or where a browser keeps nothing, it lasts as long as the page.
      }
    }
  }
  addEventListener("storage", () => {
    kept.value = load()
    draw()
  })
  return kept
}
