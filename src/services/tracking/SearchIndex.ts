import { SqlClient } from "@effect/sql/SqlClient"
import type { Fragment } from "@effect/sql/Statement"
import { Effect } from "effect"
import { InvalidRequest } from "../../domain/Errors.ts"
import { canBeLookedUp, phrasesOf } from "../../domain/record/Searchable.ts"
import { AppConfig } from "../AppConfig.ts"
import { escaped } from "./read/Conditions.ts"

/** Where the rows of a search are read from. */
export interface Found {
  readonly from: Fragment
  readonly where: Fragment
  /** The number of a row, by which the rows come in order. */
  readonly id: Fragment
  /** Nothing is searched for. */
  readonly isAll: boolean
  /** One request is named. */
  readonly isOne: boolean
}

/** What a search comes to in SQL. */
export class SearchIndex extends Effect.Service<SearchIndex>()("percept/SearchIndex", {
  effect: Effect.flatMap(AppConfig, ({ searchIndex }) => makeSearchIndex(searchIndex))
}) {}

/** Where the index is on or off. */
export const makeSearchIndex = (searchIndex: boolean) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient
    const isPostgres = sql.onDialectOrElse({ pg: () => true, orElse: () => false })
    const id = sql.literal("openrouter_requests.id")
    const from = sql.literal("openrouter_requests")
    const all: Found = { from, where: sql`1 = 1`, id, isAll: true, isOne: false }

    const find = (search: string | undefined): Effect.Effect<Found, InvalidRequest> => {
      if (search === undefined) return Effect.succeed(all)
      if (AN_ID.test(search))
        return Effect.succeed({
          ...all,
          where: sql`internal_request_id = ${search.toLowerCase()}`,
          isAll: false,
          isOne: true
        })
      if (!searchIndex) return OFF
      const phrases = phrasesOf(search)
      return Effect.succeed(phrases.every(canBeLookedUp) ? lookedUp(phrases) : glancedAt(phrases))
    }

    const lookedUp = (phrases: ReadonlyArray<string>): Found =>
      isPostgres
        ? {
            from: sql.literal(
              "request_search JOIN openrouter_requests ON openrouter_requests.id = request_search.row_id"
            ),
            where: sql.and(
              phrases.map((phrase) => sql`document LIKE ${`%${escaped(phrase.toLowerCase())}%`} ESCAPE '!'`)
            ),
            id: sql.literal("request_search.row_id"),
            isAll: false,
            isOne: false
          }
        : {
            from: sql.literal(
              "request_search CROSS JOIN openrouter_requests ON openrouter_requests.id = request_search.rowid"
            ),
            where: sql`request_search MATCH ${phrases.map(quoted).join(" ")}`,
            id: sql.literal("request_search.rowid"),
            isAll: false,
            isOne: false
          }

    /** A sign or two are in no index: names and previews of the newest rows are gone through. */
    const glancedAt = (phrases: ReadonlyArray<string>): Found => {
      const pattern = `%${escaped(phrases.join(" ").toLowerCase())}%`
      const texts = ["preview", "model_requested_by_client", "model_routed_to_openrouter", "error_message"]
      return {
        ...all,
        where: sql.and([
          sql`${id} > (SELECT max(newest.id) FROM openrouter_requests AS newest) - ${GLANCED}`,
          sql.or(texts.map((text) => sql`lower(${sql(text)}) LIKE ${pattern} ESCAPE '!'`))
        ]),
        isAll: false
      }
    }

    return { find }
  })

/** A phrase of FTS5; what else its language has is text in there. */
const quoted = (phrase: string): string => `"${phrase.replaceAll('"', '""')}"`

const AN_ID = /^req_[0-9a-f]{8,64}$/i

const OFF = new InvalidRequest({
  message:
    "'q' cannot be answered: the search index is off (SEARCH_INDEX=false). Ids of requests are still found.",
  param: "q",
  code: "search_off"
})

/** Rows. */
const GLANCED = 30_000
