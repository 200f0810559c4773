import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { parseDocument } from "yaml"
import { arrayField, field, isObject, stringField } from "../../../src/domain/Json.ts"
import { ASKED, COUNTED } from "../../../src/services/metrics/families.ts"

const families = new Map(
  [...Object.values(COUNTED), ...Object.values(ASKED)].map((family) => [family.name, family])
)

const deployed = (name: string) => readFileSync(new URL(`../../../deploy/${name}`, import.meta.url), "utf8")

/** Everything in an expression that looks like one of our metrics, with the labels it is asked about. */
const usesIn = (expression: string) =>
  Array.from(
    expression.matchAll(/\b((?:percept|process|nodejs)_\w+)(?:\{([^}]*)\})?/g),
    ([, name = "", labels = ""]) => ({
      name,
      labels: Array.from(labels.matchAll(/(\w+)\s*[=!]/g), ([, l]) => l)
    })
  )

/** Why an expression asks for what there is not; undefined where all of it is there. */
const complaint = (expression: string): string | undefined => {
  let depth = 0
  for (const sign of expression.replaceAll(/"[^"]*"/g, "")) {
    depth += sign === "(" ? 1 : sign === ")" ? -1 : 0
    if (depth < 0) break
  }
  if (depth !== 0) return "brackets that do not close"
  const uses = usesIn(expression)
  if (uses.length === 0) return expression.startsWith("up{") ? undefined : "no metric of ours"
  for (const { labels, name } of uses) {
    const base = name.replace(/_(?:bucket|sum|count)$/, "")
    const family = families.get(name) ?? families.get(base)
    if (family === undefined) return `${name} is no metric`
    if ((family.type === "histogram") !== (name !== base)) return `${name} is not asked as what it is`
    const known = new Set([...family.labels, ...GIVEN, ...(family.type === "histogram" ? ["le"] : [])])
    const grouping = new RegExp(`\\bby \\(([^)]*)\\) \\((?:rate\\(|increase\\()?${name}\\b`, "g")
    const grouped = Array.from(expression.matchAll(grouping), ([, by = ""]) => by.split(/,\s*/))
    for (const label of [...labels, ...grouped.flat()])
      if (label !== undefined && !known.has(label)) return `${name} has no ${label}`
    const isRated = new RegExp(`\\b(?:rate|increase)\\(${name}\\b`).test(expression)
    if (isRated !== (family.type === "counter" || family.type === "histogram"))
      return `${name} is a ${family.type}, and not asked like one`
  }
  return undefined
}

/** What Prometheus adds to every sample. */
const GIVEN = ["job", "instance"]

describe("the dashboard", () => {
  const dashboard: unknown = JSON.parse(deployed("grafana-dashboard.json"))
  const panels = arrayField(dashboard, "panels")

  it("asks for metrics that there are, and for all but a few of them", () => {
    const asked = panels
      .flatMap((panel) => arrayField(panel, "targets"))
      .map((target) => stringField(target, "expr"))
    assert.isAbove(asked.length, 20)
    for (const expression of asked) assert.isUndefined(complaint(expression ?? ""), expression)
    const names = new Set(
      asked.flatMap((text) => usesIn(text ?? "")).map(({ name }) => name.replace(/_bucket$/, ""))
    )
    assert.deepStrictEqual(
      Array.from(families.keys()).filter((name) => !names.has(name)),
      []
    )
  })

  it("has panels that neither lie on one another nor share a number", () => {
    const ids = panels.map((panel) => field(panel, "id"))
    assert.strictEqual(new Set(ids).size, ids.length)
    const taken = new Set<string>()
    for (const panel of panels) {
      const place = field(panel, "gridPos")
      const [x, y, w, h] = ["x", "y", "w", "h"].map((side) => Number(field(place, side)))
      if (x === undefined || y === undefined || w === undefined || h === undefined)
        throw new Error("no place")
      assert.isAtMost(x + w, 24)
      for (let column = x; column < x + w; column++)
        for (let line = y; line < y + h; line++) {
          assert.isFalse(taken.has(`${column} ${line}`), stringField(panel, "title"))
          taken.add(`${column} ${line}`)
        }
    }
    assert.strictEqual(stringField(dashboard, "uid"), "percept")
  })
})

describe("the alerts", () => {
  const document = parseDocument(deployed("prometheus-rules.yml"))
  const rules = arrayField(document.toJS(), "groups").flatMap((group) => arrayField(group, "rules"))

  it("ask for metrics that there are, and say what is wrong", () => {
    assert.deepStrictEqual(document.errors, [])
    assert.isAbove(rules.length, 8)
    for (const rule of rules) {
      const name = stringField(rule, "alert") ?? ""
      assert.match(name, /^Percept[A-Z]\w+$/)
      assert.isUndefined(complaint(stringField(rule, "expr") ?? ""), name)
      assert.match(stringField(field(rule, "annotations"), "summary") ?? "", /\.$/)
      assert.include(["critical", "warning", "info"], stringField(field(rule, "labels"), "severity"))
      assert.isTrue(isObject(rule) && Object.keys(rule).every((key) => RULE.has(key)), name)
      assert.match(stringField(rule, "for") ?? "1m", /^\d+[smh]$/)
    }
    const names = rules.map((rule) => stringField(rule, "alert"))
    assert.strictEqual(new Set(names).size, names.length)
  })

  it("would be found out if they asked for anything else", () => {
    for (const wrong of [
      ...["percept_nothing_total", "rate(percept_draining[5m])", "percept_requests_total > 1"],
      ...[
        'rate(percept_requests_total{colour="red"}[5m])',
        "sum by (model) (rate(percept_requests_total[5m]))"
      ],
      ...["rate(percept_request_duration_seconds[5m])", "sum(rate(percept_requests_total[5m])"]
    ])
      assert.isDefined(complaint(wrong), wrong)
  })
})

const RULE = new Set(["alert", "expr", "for", "labels", "annotations"])
