import { assert, describe, it } from "@effect/vitest"
import { sortColumn } from "../../src/domain/record/SortColumns.ts"
import { COLUMNS, columnsOf, withColumn } from "../../src/ui/model/all-columns.ts"
import { nextOrder } from "../../src/ui/model/columns.ts"

const namesOf = (names?: ReadonlyArray<string>) => columnsOf(names).map(({ name }) => name)
const usual = namesOf()

describe("columns", () => {
  it("are the usual ones where none are named, or none that there are", () => {
    assert.include(usual, "status")
    assert.isBelow(usual.length, COLUMNS.length)
    assert.deepStrictEqual(namesOf(["nothing", "constructor"]), usual)
  })

  it("stand in the order they are named, each once", () =>
    assert.deepStrictEqual(namesOf(["cost", "time", "cost", "none"]), ["cost", "time"]))

  it("come and go one by one, and the usual ones need no names", () => {
    const more = withColumn(undefined, "ip")
    assert.deepStrictEqual(more, [...usual, "ip"])
    assert.isUndefined(withColumn(more, "ip"))
    assert.notInclude(withColumn(undefined, "cost") ?? ["cost"], "cost")
    assert.isUndefined(withColumn(["cost"], "cost"))
  })

  it("sort by what the server knows", () => {
    for (const { sort } of COLUMNS) if (sort !== "") assert.isDefined(sortColumn(sort), sort)
    assert.isAbove(COLUMNS.filter(({ sort }) => sort !== "").length, 15)
  })

  it("are sorted one way, the other way, and no more", () => {
    const [cost, model] = ["cost", "model"].map((name) => columnsOf([name])[0])
    if (cost === undefined || model === undefined) return assert.fail("no such columns")
    const first = nextOrder(cost, { sort: "timestamp", order: "desc" })
    assert.deepStrictEqual(first, { sort: "cost_usd", order: "desc" })
    const second = nextOrder(cost, first)
    assert.deepStrictEqual(second, { sort: "cost_usd", order: "asc" })
    assert.deepStrictEqual(nextOrder(cost, second), { sort: "timestamp", order: "desc" })
    assert.deepStrictEqual(nextOrder(model, second), { sort: "model", order: "asc" })
  })
})
