/**
 * How much of a text is new, from 0 to 1: what a compressor would leave of it that knows nothing but the text so far.
 * Ordinary speech stays above a half; a phrase said over and over goes towards nothing.
 */
export const novelty = (text: string): number => {
  const seen = new Map<string, number>()
  let cost = 0
  for (let at = 0; at < text.length;) {
    const earlier = seen.get(text.slice(at, at + SHORTEST))
    const length = earlier === undefined ? 1 : common(text, earlier, at)
    cost += earlier === undefined ? 1 : REFERENCE
    for (let next = at; next < at + length; next++) seen.set(text.slice(next, next + SHORTEST), next)
    at += length
  }
  return text.length === 0 ? 1 : Math.min(cost / text.length, 1)
}

/** Signs that are the same from two places on. */
const common = (text: string, one: number, other: number): number => {
  let length = SHORTEST
  while (other + length < text.length && text[one + length] === text[other + length]) length++
  return Math.min(length, text.length - other)
}

const SHORTEST = 4
/** What it costs to say "as before", in signs. */
const REFERENCE = 2.5
