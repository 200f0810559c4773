import { assert } from "@effect/vitest"
import { Effect } from "effect"
import type { Evidence } from "../../src/domain/media/Evidence.ts"
import type { Sighting } from "../../src/domain/record/Sighting.ts"
import type { Step } from "../../src/domain/record/Step.ts"
import { status } from "./MediaHost.ts"
import { sensesAt, startStage } from "./Senses.ts"
import type { Senses } from "./Senses.ts"
import { eventually } from "./Router.ts"
import type { Router } from "./Router.ts"

/** One medium as `GET /ui/media_data` lists it. */
export interface Item {
  readonly id: string
  readonly kind: string
  readonly title: string | null
  readonly label: string | null
  readonly cover: string | null
  readonly words: string
  readonly coverage: string
  readonly bytes: number
  readonly used_at: string
  readonly requests: number
  readonly hits: number
  readonly saved_ms: number
}

export interface Items {
  readonly items: ReadonlyArray<Item>
  readonly next_cursor: string | null
  readonly total_items: number
  readonly total_bytes: number
  readonly limit_bytes: number
}

/** The same with all that is known of it. */
export interface Medium extends Omit<Item, "requests"> {
  readonly evidence: Evidence | null
  readonly pictures: ReadonlyArray<{ readonly sha256: string; readonly mime: string }>
  readonly descriptions: ReadonlyArray<{
    readonly sha256: string
    readonly model: string
    readonly text: string
  }>
  readonly requests: ReadonlyArray<{
    readonly internal_request_id: string
    readonly model: string | null
    readonly remembered: boolean
    readonly ms: number
  }>
  readonly can_look_again: boolean
  readonly block: string | null
}

/** How a request came about. */
export interface Traced {
  readonly steps: ReadonlyArray<Step>
  readonly media: ReadonlyArray<Sighting & { readonly place: number }>
  readonly internal_request_id: string
  readonly processing_duration_ms: number
}

/** A router with eyes, and ears that hear the same words in any sound, at once. */
export const startPage = (env: Record<string, string> = {}) =>
  Effect.gen(function* () {
    const { host, upstream } = yield* startStage
    const words = { language: "en", segments: [{ start: 0.1, end: 1.4, text: WORDS }] }
    const url = host.behave(
      "/asr",
      status(200, { "content-type": "application/json" }, JSON.stringify(words))
    )
    return yield* sensesAt(host, upstream, { WHISPER_URL: url.href, ...env })
  })

export const WORDS = "Good morning, <b>everyone</b>."

/** Asks the page's side of a router. */
export const call = (router: Router, path: string, init: RequestInit = {}) =>
  Effect.promise(async () => {
    const response = await fetch(router.url + path, init)
    return { status: response.status, text: await response.text() }
  })

export const read = <A>(router: Router, path: string) =>
  Effect.map(call(router, path), ({ status, text }) => {
    assert.strictEqual(status, 200, text)
    return JSON.parse(text) as A
  })

export const mediumAt = (id: string) => `/ui/media_data/${encodeURIComponent(id)}`

/** The request of a client that came last, once there are so many rows and all have ended. */
export const lastTrace = Effect.fnUntraced(function* ({ router }: Pick<Senses, "router">, count: number) {
  const rows = yield* eventually(
    router.rowsNow,
    (rows) => rows.length >= count && rows.every(({ state }) => state !== "running")
  )
  const row = rows.findLast(({ kind }) => kind === "main")
  return yield* read<Traced>(router, `/ui/tracking_data/${row?.internal_request_id}`)
})

/** The first step of a name, and the name of the one it is part of. */
export const stepIn = (steps: ReadonlyArray<Step>, name: Step["name"]) => {
  const step = steps.find((step) => step.name === name)
  if (step === undefined) throw new Error(`no ${name} in ${JSON.stringify(steps)}`)
  return { ...step, within: step.parent === null ? null : (steps[step.parent]?.name ?? null) }
}
