import type { Stretch } from "../Json.ts"

/** Where a Markdown text holds code, fenced or inline, in order. */
export const codeSpans = (text: string): ReadonlyArray<Stretch> => {
  if (!text.includes("`") && !text.includes("~~~")) return []
  const spans: Array<Stretch> = []
  let paragraph: Array<Run> = []
  let fence: Run | undefined
  let done = 0
  const endParagraph = (): void => {
    for (const span of inlineSpans(text, paragraph)) spans.push(span)
    paragraph = []
  }
  for (const { 0: marks, index: from } of text.matchAll(/`+|~{3,}/g)) {
    const run = { from, to: from + marks.length, mark: marks.charAt(0) }
    if (fence !== undefined) {
      if (!closes(text, run, fence)) continue
      spans.push({ from: fence.from, to: run.to })
      fence = undefined
    } else if (opensFence(text, run)) {
      endParagraph()
      fence = run
    } else if (run.mark === "`") {
      if (/\n[ \t\r>]*\n/.test(text.slice(done, from))) endParagraph()
      paragraph.push(run)
    } else continue
    done = run.to
  }
  endParagraph()
  if (fence !== undefined) spans.push({ from: fence.from, to: text.length })
  return spans
}

interface Run extends Stretch {
  readonly mark: string
}

const length = ({ from, to }: Stretch): number => to - from

const opensFence = (text: string, run: Run): boolean => {
  if (length(run) < 3 || !isFirstInLine(text, run.from)) return false
  if (run.mark === "~") return true
  const next = text.indexOf("`", run.to)
  return next < 0 || text.slice(run.to, next).includes("\n")
}

const closes = (text: string, run: Run, fence: Run): boolean =>
  run.mark === fence.mark &&
  length(run) >= length(fence) &&
  isFirstInLine(text, run.from) &&
  /[ \t\r]*(?:\n|$)/y.test(text.slice(run.to, run.to + LONGEST_MARGIN))

/** Behind nothing but space, quote marks and list marks. */
const isFirstInLine = (text: string, at: number): boolean => {
  let from = at
  while (from > 0 && at - from <= LONGEST_MARGIN && " \t>-*+.)0123456789".includes(text.charAt(from - 1)))
    from--
  const isWhole = from === 0 || text.charAt(from - 1) === "\n"
  return isWhole && /^[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*[ \t>]*$/.test(text.slice(from, at))
}

/** Backticks that meet as many again in their paragraph, as the first to do so. */
const inlineSpans = (text: string, runs: ReadonlyArray<Run>): ReadonlyArray<Stretch> => {
  const spans: Array<Stretch> = []
  const partners = partnersOf(text, runs)
  for (let index = 0; index < runs.length; index++) {
    const partner = partners[index]
    const [from, to] = [runs[index]?.from, runs[partner ?? -1]?.to]
    if (partner === undefined || from === undefined || to === undefined) continue
    spans.push({ from, to })
    index = partner
  }
  return spans
}

/** For each run the next one of its length, found from the end so that the whole stays linear. */
const partnersOf = (text: string, runs: ReadonlyArray<Run>): ReadonlyArray<number | undefined> => {
  const ahead = new Map<number, number>()
  return runs
    .map((_, index) => runs.length - 1 - index)
    .map((index) => {
      const run = runs[index] ?? { from: 0, to: 0 }
      const isEscaped = text.charAt(run.from - 1) === "\\" && text.charAt(run.from - 2) !== "\\"
      const partner = ahead.get(length(run) - (isEscaped ? 1 : 0))
      ahead.set(length(run), index)
      return partner
    })
    .toReversed()
}

/** No fence stands further in than this. */
const LONGEST_MARGIN = 100
