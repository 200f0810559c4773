/** The cells of the comparison, and the flags that choose among them. */
import { parseArgs } from "node:util"
import { defaultTargets, targets } from "./targets.mjs"

const maxRounds = 50
const maxSeconds = 60

/** `goal` is the most CPU a request, or a chunk of a stream, may cost, as a multiple of the raw proxy's. */
export const allCells = [
  { name: "json-c1", connections: 1, model: "bench/d0" },
  { name: "json-c32", connections: 32, model: "bench/d0", goal: 2.0 },
  { name: "json-c256", connections: 256, model: "bench/d0" },
  { name: "json-paced-c32", connections: 32, model: "bench/d50" },
  { name: "stream-burst", connections: 32, model: "bench/d0-c50-g0", stream: true, goal: 1.5 },
  { name: "stream-paced-c32", connections: 32, model: "bench/d0-c50-g20", stream: true, goal: 1.5 },
  { name: "stream-paced-c256", connections: 256, model: "bench/d0-c50-g60", stream: true, goal: 1.5 }
]

export const fail = (message) => {
  console.error(message)
  process.exit(2)
}

const chosen = (flag, list, known) => {
  const names = [...new Set(list.split(",").filter(Boolean))]
  const unknown = names.filter((name) => !known.includes(name))
  if (unknown.length > 0 || names.length === 0)
    fail(`--${flag}: unknown ${unknown.join(", ")}; choose from ${known.join(", ")}`)
  return names
}

const bounded = (flag, text, most) => {
  const value = Number(text)
  if (!(value > 0 && value <= most)) fail(`--${flag}: a number up to ${most}, not ${text}`)
  return value
}

export const readOptions = () => {
  const knownCells = allCells.map((cell) => cell.name)
  const { values } = parseArgs({
    options: {
      rounds: { type: "string", default: "3" },
      seconds: { type: "string", default: "2" },
      cells: { type: "string", default: knownCells.join() },
      targets: { type: "string", default: defaultTargets.join() }
    }
  })
  const cellNames = chosen("cells", values.cells, knownCells)
  return {
    rounds: Math.ceil(bounded("rounds", values.rounds, maxRounds)),
    seconds: bounded("seconds", values.seconds, maxSeconds),
    cells: allCells.filter((cell) => cellNames.includes(cell.name)),
    targetNames: chosen("targets", values.targets, Object.keys(targets))
  }
}
