/** Whether one of these patterns fits one of these names whole; `*` is any text, `?` any character. */
export const fitsAny = (
  patterns: ReadonlyArray<string>,
  names: ReadonlyArray<string | null | undefined>
): boolean =>
  patterns.some((pattern) => names.some((name) => typeof name === "string" && fits(pattern, name)))

/** In steps that grow with the product of the lengths and no more, whatever a client calls a model. */
export const fits = (pattern: string, name: string): boolean => {
  let at = 0
  let star = -1
  let resume = 0
  for (let index = 0; index < name.length;)
    if (pattern[at] === "*") {
      star = at++
      resume = index
    } else if (pattern[at] === "?" || pattern[at] === name[index]) {
      at++
      index++
    } else if (star >= 0) {
      at = star + 1
      index = ++resume
    } else return false
  while (pattern[at] === "*") at++
  return at === pattern.length
}
