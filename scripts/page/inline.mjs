/** Puts what is used once where it is used, and short numbers too: each name of a module costs more than it says. */
import { parseSync } from "rolldown/utils"

export const inlined = (code) => {
  const { program } = parseSync("module.js", code)
  const places = new Map()
  for (const place of identifiersOf(program))
    places.set(place.node.name, (places.get(place.node.name) ?? []).concat(place))
  const edits = []
  const touched = new Set()
  for (const statement of program.body) {
    const [{ id, init } = {}, ...others] = statement.declarations ?? []
    if (statement.kind !== "const" || others.length > 0 || !isSame(init)) continue
    const uses = places.get(id.name)?.filter(({ node }) => node !== id) ?? []
    const around = [statement, ...uses.map(({ parents }) => parents[1])]
    const isWorthIt = uses.length === 1 || (init.type === "Literal" && init.end - init.start < 4)
    if (!isWorthIt || !uses.every((use) => mayBe(use, init)) || around.some((one) => touched.has(one)))
      continue
    for (const one of around) touched.add(one)
    const text = code.slice(init.start, init.end)
    edits.push([statement.start, statement.end, ""])
    for (const { node } of uses) edits.push([node.start, node.end, isFunction(init) ? `(${text})` : text])
  }
  let shorter = code
  for (const [start, end, text] of edits.toSorted(([one], [other]) => other - one))
    shorter = shorter.slice(0, start) + text + shorter.slice(end)
  return edits.length > 0 ? inlined(shorter) : code
}

/** What is the same wherever and whenever it is made. */
const isSame = (node) => {
  if (node?.type === "Literal") return !node.regex?.flags
  if (node?.type === "ArrayExpression") return node.elements.every(isSame)
  if (node?.type === "ObjectExpression")
    return node.properties.every(
      ({ computed, type, value }) => type === "Property" && !computed && isSame(value)
    )
  if (node?.type === "TaggedTemplateExpression") return node.quasi.expressions.length === 0
  if (node?.type === "TemplateLiteral") return node.expressions.length === 0
  return node?.type === "ArrowFunctionExpression"
}

/** Whether an expression may stand in place of a name: it is no other one's, and none of its own is another's there. */
const mayBe = ({ isBinding, parents }, expression) => {
  const own = new Set(identifiersOf(expression).map(({ node }) => node.name))
  const isHidden = ({ isBinding, node, parents }) =>
    isBinding && own.has(node.name) && parents.filter(isFunction).length === 1
  return (
    !isBinding &&
    !parents.at(-1).shorthand &&
    !/^(?:Export|Import)/.test(parents[1].type) &&
    !parents.some((parent) => parent.declarations?.[0].init === expression) &&
    !parents.filter(isFunction).some((scope) => identifiersOf(scope).some(isHidden))
  )
}

const isFunction = ({ type }) => type.includes("Function")

/** All names in a part of a program, but those of members. */
const identifiersOf = (node, parents = [], isBinding = false) => {
  if (Array.isArray(node)) return node.flatMap((one) => identifiersOf(one, parents, isBinding))
  if (typeof node?.type !== "string") return []
  if (node.type === "Identifier") return [{ node, parents, isBinding }]
  return Object.entries(node).flatMap(([name, value]) => {
    if (/^(?:exported|imported|label)$/.test(name)) return []
    if (!node.computed && /^(?:key|property)$/.test(name)) return []
    const binds =
      /^params?$/.test(name) || (name === "id" && /Declarator|Function|Class/.test(node.type)) || isBinding
    return identifiersOf(value, [...parents, node], binds && !/^(?:body|init|right)$/.test(name))
  })
}
