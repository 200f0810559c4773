import { HttpApiBuilder } from "@effect/platform"
import { Effect } from "effect"
import { PathNotFound } from "../domain/Errors.ts"
import * as ItemQuery from "../domain/media/ItemQuery.ts"
import { MediaMemory } from "../services/media/MediaMemory.ts"
import { SecondLook } from "../services/media/SecondLook.ts"
import { RecordAccess } from "../services/RecordAccess.ts"
import { MediaDetail } from "../services/tracking/read/MediaDetail.ts"
import { MediaList } from "../services/tracking/read/MediaList.ts"
import { Api } from "./contract.ts"
import { makeAnswering, sendJson } from "./recordHandlers.ts"
import type { Answer } from "./recordHandlers.ts"

/** The memory of media, for the page and for programs. */
export const remembered = HttpApiBuilder.group(Api, "remembered", (handlers) =>
  Effect.gen(function* () {
    const answering = yield* makeAnswering
    const access = yield* RecordAccess
    const details = yield* MediaDetail
    const lists = yield* MediaList
    const memory = yield* MediaMemory
    const looks = yield* SecondLook

    const list: Answer = Effect.fnUntraced(function* (exchange, parameters) {
      sendJson(exchange, yield* lists.list(yield* ItemQuery.parse(parameters)))
    })

    const detail: Answer = Effect.fnUntraced(function* (exchange, _, [id = ""]) {
      const found = yield* details.find(id)
      if (found === undefined) return yield* noMedium(id)
      sendJson(exchange, found)
    })

    const forget: Answer = Effect.fnUntraced(function* (exchange, _, [id = ""]) {
      yield* access.mayChange(exchange)
      if (!(yield* memory.forget(id))) return yield* noMedium(id)
      sendJson(exchange, { deleted: true })
    })

    const again: Answer = Effect.fnUntraced(function* (exchange, _, [id = ""]) {
      yield* access.mayChange(exchange)
      yield* looks.free(id)
      const source = yield* details.source(id)
      if (source === undefined) return yield* noMedium(id)
      yield* looks.begin(id, source.link)
      sendJson(exchange, { started: true }, 202)
    })

    return handlers
      .handleRaw("list", answering(list))
      .handleRaw("detail", answering(detail))
      .handleRaw("forget", answering(forget))
      .handleRaw("again", answering(again))
  })
)

const noMedium = (id: string) =>
  new PathNotFound({ message: `No medium '${id.slice(0, 100)}' is remembered.` })
