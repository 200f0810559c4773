import * as fc from "effect/FastCheck"

/** A JSON value as it may be written: the same member twice, any white space, any spelling of a letter. */
export interface Written {
  readonly text: string
  /** The members of an object, as they follow each other in its text. */
  readonly members: ReadonlyArray<readonly [key: string, value: string]>
  /** How deep its brackets nest. */
  readonly depth: number
}

/** Takes its choices from what fast-check gives, so that a failing text shrinks. */
interface Pen {
  readonly next: () => number
}

type Tree =
  | { readonly is: "atom"; readonly value: string | number | boolean | null }
  | { readonly is: "array"; readonly items: ReadonlyArray<Tree> }
  | { readonly is: "object"; readonly members: ReadonlyArray<readonly [string, Tree]> }

const KEYS = [
  "model",
  "a",
  "",
  "mödel",
  'mo"del',
  "mo\\del",
  "messages",
  "1",
  "{model}",
  '\\"model":'
] as const

export const jsonKey = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...KEYS) },
  fc.string({ unit: "grapheme", maxLength: 6 })
)

const said = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 12 }),
  fc.constantFrom('"', "\\", '\\"', '","model":"x', "}", "]", "{", ":", ",", '"model":', "\\\\", "\n\t")
)

const atom: fc.Arbitrary<Tree> = fc
  .oneof(
    said,
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.integer(),
    fc.boolean(),
    fc.constant(null)
  )
  .map((value) => ({ is: "atom", value }))

const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    atom,
    fc.array(tie("tree"), { maxLength: 4 }).map((items): Tree => ({ is: "array", items })),
    fc
      .array(fc.tuple(jsonKey, tie("tree")), { maxLength: 4 })
      .map((members): Tree => ({ is: "object", members }))
  )
}))

const pen: fc.Arbitrary<Pen> = fc.infiniteStream(fc.nat(99)).map((choices) => ({
  next: () => choices.next().value
}))

/** The text of a JSON object. */
export const jsonObject: fc.Arbitrary<Written> = fc
  .tuple(fc.array(fc.tuple(jsonKey, tree), { maxLength: 6 }), pen)
  .map(([members, pen]) => writeObject(members, pen))

/** The text of any JSON value. */
export const jsonValue: fc.Arbitrary<string> = fc.tuple(tree, pen).map(([tree, pen]) => write(tree, pen))

const writeObject = (members: ReadonlyArray<readonly [string, Tree]>, pen: Pen): Written => {
  const written = members.map(
    ([key, value]) =>
      [key, writeString(key, pen), gap(pen), gap(pen), write(value, pen), gap(pen), gap(pen)] as const
  )
  const inner = written
    .map(([, key, before, after, value, end, start]) => `${start}${key}${before}:${after}${value}${end}`)
    .join(",")
  return {
    text: `${gap(pen)}{${inner}${gap(pen)}}${gap(pen)}`,
    members: written.map(([key, , , , value]) => [key, value.trim()]),
    depth: depthOf({ is: "object", members })
  }
}

const depthOf = (tree: Tree): number => {
  const inner =
    tree.is === "array" ? tree.items : tree.is === "object" ? tree.members.map(([, item]) => item) : []
  return tree.is === "atom" ? 0 : 1 + Math.max(0, ...inner.map(depthOf))
}

const write = (tree: Tree, pen: Pen): string => {
  switch (tree.is) {
    case "atom":
      return typeof tree.value === "string" ? writeString(tree.value, pen) : JSON.stringify(tree.value)
    case "array":
      return `[${tree.items.map((item) => gap(pen) + write(item, pen) + gap(pen)).join(",")}]`
    case "object":
      return writeObject(tree.members, pen).text.trim()
  }
}

const writeString = (value: string, pen: Pen): string => {
  const letters =
    JSON.stringify(value)
      .slice(1, -1)
      .match(/\\u.{4}|\\.|[^]/gu) ?? []
  return `"${letters.map((letter) => (letter.length === 1 ? spelled(letter, pen) : letter)).join("")}"`
}

const spelled = (letter: string, pen: Pen): string => {
  if (pen.next() < 90) return letter
  const code = letter.charCodeAt(0).toString(16).padStart(4, "0")
  return `\\u${pen.next() < 50 ? code : code.toUpperCase()}`
}

const gap = (pen: Pen): string => {
  const choice = pen.next()
  return choice < 60 ? "" : (SPACES[choice % SPACES.length] ?? "")
}

const SPACES = [" ", "\n", "\t", "\r\n", "    ", " \n "]
