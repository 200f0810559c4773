import { SqlClient } from "@effect/sql/SqlClient"
import { Clock, Effect } from "effect"
import { speaksOllama } from "../../../domain/Errors.ts"
import { mainByDefault, parse } from "../../../domain/record/RecordQuery.ts"
import { DAY_MILLIS } from "../../../domain/record/Spans.ts"
import * as Statistics from "../../../domain/record/Statistics.ts"
import { ReadDatabase } from "../ReadDatabase.ts"
import { countOf, runningShapes } from "./Running.ts"
import { isRequestOf, RecordStats } from "./Stats.ts"

/** The five figures of an earlier system under their names, and what it did not have. */
export class EarlierStats extends Effect.Service<EarlierStats>()("percept/EarlierStats", {
  effect: Effect.gen(function* () {
    const reader = yield* ReadDatabase
    const records = yield* RecordStats
    const sql = yield* SqlClient

    const stats = Effect.fnUntraced(function* () {
      const now = yield* Clock.currentTimeMillis
      const everything = yield* parse(new URLSearchParams(), now)
      const recently = { ...everything, from: now - DAY_MILLIS }
      const picks = yield* records.picksFor(everything)
      const all = yield* records.summedUp(everything, picks)
      const recent = yield* records.summedUp(recently, picks)
      const running = yield* runningShapes(reader, sql, everything)
      const isRequest = isRequestOf(everything)
      const underWay = countOf(running, mainByDefault(everything))
      const requests = (wanted: (endpoint: string) => boolean) =>
        all.counted.reduce(
          (sum, { shape, sums: [count = 0] }) =>
            isRequest(shape) && wanted(shape.endpoint) ? sum + count : sum,
          running.filter(({ endpoint, kind }) => kind === "main" && wanted(endpoint)).length
        )
      const totals = { ...Statistics.totalsOf(all.counted, isRequest), ...all.speed }
      const last24h = { ...Statistics.totalsOf(recent.counted, isRequest), ...recent.speed }
      return {
        total_requests: totals.requests + underWay,
        openai_requests: requests((endpoint) => !speaksOllama(endpoint)),
        ollama_requests: requests(speaksOllama),
        recent_requests: last24h.requests + underWay,
        inflight_requests: underWay,
        totals,
        last_24h: last24h
      }
    })

    return { stats }
  })
}) {}
