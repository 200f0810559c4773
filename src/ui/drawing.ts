let isDue = false
let show = (): void => {}
let timer: ReturnType<typeof setTimeout> | undefined

/** Settles once what has changed is drawn. */
export let drawn = Promise.resolve()

/** Draws the page anew, once for all changes of a moment. */
export const draw = (): void => {
  if (isDue) return
  isDue = true
  drawn = Promise.resolve().then(() => {
    isDue = false
    show()
  })
}

export const drawWith = (how: () => void): void => {
  show = how
  draw()
}

/** Once more after some milliseconds, for what changes by itself, as long as somebody looks. */
export const drawIn = (wait: number): void => {
  clearTimeout(timer)
  if (!document.hidden) timer = setTimeout(draw, wait)
}
