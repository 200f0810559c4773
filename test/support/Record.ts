import { SqlClient } from "@effect/sql/SqlClient"
import { Context, Effect, Layer, Logger, LogLevel } from "effect"
import { AppConfig } from "../../src/services/AppConfig.ts"
import * as Database from "../../src/services/Database.ts"
import { InFlight } from "../../src/services/tracking/InFlight.ts"
import { ReadDatabase } from "../../src/services/tracking/ReadDatabase.ts"
import { RecordDetail } from "../../src/services/tracking/read/Detail.ts"
import { RecordList } from "../../src/services/tracking/read/List.ts"
import { RecordSums } from "../../src/services/tracking/read/Sums.ts"
import { ShapeTable } from "../../src/services/tracking/read/ShapeTable.ts"
import * as SearchFollower from "../../src/services/tracking/SearchFollower.ts"
import { SearchIndex } from "../../src/services/tracking/SearchIndex.ts"
import { TrackingRepo } from "../../src/services/tracking/TrackingRepo.ts"

/** The record's two sides, as a process has them, without a router. */
export const openRecord = (env: { readonly [name: string]: string }) =>
  Effect.gen(function* () {
    const layer = Layer.mergeAll(RecordDetail.Default, SearchFollower.layer).pipe(
      Layer.provideMerge(RecordList.Default),
      Layer.provideMerge(RecordSums.Default),
      Layer.provideMerge(Layer.mergeAll(SearchIndex.Default, ShapeTable.Default)),
      Layer.provideMerge(Layer.mergeAll(InFlight.Default, ReadDatabase.Default, TrackingRepo.Default)),
      Layer.provideMerge(Database.layer),
      Layer.provideMerge(AppConfig.layer(env)),
      Layer.provide(Logger.minimumLogLevel(LogLevel.None))
    )
    const context = yield* Effect.orDie(Layer.build(layer))
    return {
      context,
      detail: Context.get(context, RecordDetail),
      inFlight: Context.get(context, InFlight),
      lists: Context.get(context, RecordList),
      reader: Context.get(context, ReadDatabase),
      repo: Context.get(context, TrackingRepo),
      search: Context.get(context, SearchIndex),
      shapes: Context.get(context, ShapeTable),
      sql: Context.get(context, SqlClient)
    }
  })
