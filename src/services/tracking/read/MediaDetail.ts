import { SqlClient } from "@effect/sql/SqlClient"
import { Effect } from "effect"
import { Evidence, Heard, Pictures } from "../../../domain/media/Evidence.ts"
import { describedBy, findingOf, linkAgain } from "../../../domain/media/Item.ts"
import { render } from "../../../domain/media/Rendering.ts"
import { decodeJson, parseJson } from "../../../domain/Json.ts"
import { ReadDatabase } from "../ReadDatabase.ts"
import { MediaList } from "./MediaList.ts"

/** One medium of the memory with all that is known of it. */
export class MediaDetail extends Effect.Service<MediaDetail>()("percept/MediaDetail", {
  effect: Effect.gen(function* () {
    const media = yield* MediaList
    const reader = yield* ReadDatabase
    const sql = yield* SqlClient

    /** Undefined where it is not remembered. */
    const find = Effect.fnUntraced(function* (id: string) {
      const item = yield* media.find(id)
      if (item === undefined) return undefined
      const entries = yield* reader.rows(
        sql<{ id: string }>`
          SELECT id FROM media_entries WHERE medium = ${id} ORDER BY used_at DESC, id LIMIT ${MOST_ENTRIES}`
      )
      const latest = (finding: ReturnType<typeof findingOf>) =>
        entries.find((entry) => findingOf(entry.id) === finding)?.id
      const evidence =
        decodeJson(Evidence, yield* valueOf(latest("evidence"))) ??
        heardAlone(id, decodeJson(Heard, yield* valueOf(latest("heard"))))
      const kept = decodeJson(Pictures, yield* valueOf(latest("pictures"))) ?? []
      const frames = evidence !== undefined && "frames" in evidence.seen ? evidence.seen.frames : []
      const pictures = [...kept, ...frames].map(({ height, mime, sha256, width }) => ({
        sha256,
        mime,
        width,
        height
      }))
      return {
        ...item,
        evidence: evidence ?? null,
        pictures,
        descriptions: yield* descriptionsOf(pictures.map(({ sha256 }) => sha256)),
        block: evidence === undefined ? null : blockOf(evidence, item.label),
        requests: yield* requestsWith(id),
        can_look_again: linkAgain(id, item.label) !== undefined
      }
    })

    /** Where it is to be had again, if that is known; undefined where it is not remembered. */
    const source = Effect.fnUntraced(function* (id: string) {
      const item = yield* media.find(id)
      return item === undefined ? undefined : { link: linkAgain(id, item.label) }
    })

    const valueOf = (entry: string | undefined) =>
      entry === undefined
        ? Effect.succeed("")
        : Effect.map(
            reader.rows(sql<{ value: string }>`SELECT value FROM media_entries WHERE id = ${entry}`),
            ([row]) => row?.value ?? ""
          )

    const descriptionsOf = (sha256s: ReadonlyArray<string>) =>
      sha256s.length === 0
        ? Effect.succeed([])
        : Effect.map(
            reader.rows(
              sql<{ id: string; value: string }>`
                SELECT id, value FROM media_entries WHERE ${sql.in("medium", sha256s.map(describedBy))}
                ORDER BY used_at DESC, id LIMIT ${MOST_ENTRIES}`
            ),
            (rows) =>
              rows.flatMap(({ id, value }) => {
                const [, sha256 = "", model = ""] = /^description (\w+) v\d+ (.*)$/s.exec(id) ?? []
                const text = parseJson(value)
                return typeof text === "string" ? [{ sha256, model, text }] : []
              })
          )

    const requestsWith = (id: string) =>
      Effect.map(
        reader.rows(
          sql<Use>`
            SELECT r.internal_request_id, r.timestamp, r.model_requested_by_client, r.model_routed_to_openrouter,
              m.remembered, m.ms
            FROM request_media m JOIN openrouter_requests r ON r.internal_request_id = m.internal_request_id
            WHERE m.entry = ${id} ORDER BY m.internal_request_id DESC, m.place LIMIT ${MOST_REQUESTS}`
        ),
        (rows) =>
          rows.map(({ internal_request_id, ms, remembered, timestamp, ...row }) => ({
            ...{ internal_request_id, timestamp, ms, remembered: remembered === 1 },
            model: row.model_routed_to_openrouter ?? row.model_requested_by_client
          }))
      )

    return { find, source }
  })
}) {}

interface Use {
  readonly internal_request_id: string
  readonly timestamp: string
  readonly model_requested_by_client: string | null
  readonly model_routed_to_openrouter: string | null
  readonly remembered: number
  readonly ms: number
}

/** What was only ever listened to, in the form of what was looked at as well. */
const heardAlone = (id: string, heard: Heard | undefined): Evidence | undefined =>
  heard && {
    ...{ id, kind: "audio", duration: heard.duration, chapters: [], heard },
    seen: { nothing: "Only its sound was asked for." }
  }

/** What a model reads of it where it is alone and has room for all; the fence's own tag is nobody's business. */
const blockOf = (evidence: Evidence, label: string | null): string => {
  const frames = "frames" in evidence.seen ? evidence.seen.frames : []
  return render(evidence, { frames, tag: "…", source: label ?? "an attached file", item: 1, of: 1 }).block
}

const MOST_ENTRIES = 200
const MOST_REQUESTS = 100
