import { Effect } from "effect"
import type { Scope } from "effect"
import { arrayField, parseJson, stringField } from "../../src/domain/Json.ts"
import { settled } from "./Router.ts"
import type { Router } from "./Router.ts"
import { shared } from "./Shared.ts"
import { completion, HI } from "./Upstream.ts"
import type { Answer, Received, Upstream } from "./Upstream.ts"

/** What one test has of a router and a provider that it shares with others: nothing but what comes of its own words. */
export interface Corner {
  readonly router: Router
  readonly upstream: Pick<Upstream, "received" | "once">
  /** The plainest request there is, in the words of this test. */
  readonly hi: typeof HI
  /** The same for a stream. */
  readonly streamed: object
}

/** Gives each test that asks a corner of its own, as long as the suite lasts. */
export const corners = (
  start: Effect.Effect<{ readonly router: Router; readonly upstream: Upstream }, never, Scope.Scope>
): Effect.Effect<Corner> => {
  const answers = new Map<string, Answer>()
  const common = shared(
    Effect.tap(start, ({ upstream }) =>
      Effect.sync(() =>
        upstream.answers((request, response) => (answers.get(wordsIn(request)) ?? GOOD)(request, response))
      )
    )
  )
  return Effect.map(common, ({ router }) => {
    const words = `Hi, this is corner ${answers.size + 1}.`
    const received: Array<Received> = []
    const queue: Array<Answer> = []
    answers.set(words, (request, response) => {
      received.push(request)
      const answer = queue.shift() ?? GOOD
      answer(request, response)
    })
    const hi = { ...HI, messages: [{ role: "user", content: words }] }
    const rowsNow = Effect.map(router.rowsNow, (rows) => rows.filter(({ preview }) => preview === words))
    return {
      router: { ...router, hi, rowsNow, rows: settled(rowsNow) },
      upstream: { received, once: (...next) => void queue.push(...next) },
      hi,
      streamed: { ...hi, stream: true }
    }
  })
}

const wordsIn = ({ body }: Received): string =>
  stringField(arrayField(parseJson(body.toString("utf8")), "messages")[0], "content") ?? ""

const GOOD = completion("Hello from upstream.")
