import { Effect } from "effect"
import type { Scope } from "effect"
import { request } from "node:http"
import type { IncomingMessage, OutgoingHttpHeaders } from "node:http"
import { eventually } from "./Router.ts"

/** An event as a browser's EventSource gives it, with the id that it would send when it comes back. */
export interface Event {
  readonly name: string
  readonly id: string
  readonly data: { readonly [name: string]: unknown }
}

/** Reads the text of an event stream as browsers do: what has no empty line behind it is no event yet. */
export class EventParser {
  readonly events: Array<Event> = []
  readonly comments: Array<string> = []
  lastEventId = ""
  retry: number | undefined
  private rest = ""

  push(text: string): void {
    const blocks = (this.rest + text).split("\n\n")
    this.rest = blocks.pop() ?? ""
    for (const block of blocks) this.take(block.split("\n"))
  }

  /** The data of all events of a name. */
  named(name: string): ReadonlyArray<Event["data"]> {
    return this.events.filter((event) => event.name === name).map(({ data }) => data)
  }

  private take(lines: ReadonlyArray<string>): void {
    let name = "message"
    const data: Array<string> = []
    for (const line of lines) {
      const [, field = "", value = ""] = /^([^:]*):? ?(.*)$/.exec(line) ?? []
      if (line.startsWith(":")) this.comments.push(line.slice(1).trim())
      else if (field === "event") name = value
      else if (field === "id") this.lastEventId = value
      else if (field === "retry") this.retry = Number(value)
      else if (field === "data") data.push(value)
      else throw new Error(`no field of an event: ${line}`)
    }
    if (data.length > 0)
      this.events.push({
        name,
        id: this.lastEventId,
        data: JSON.parse(data.join("\n")) as Event["data"]
      })
  }
}

/** An open stream of events. */
export interface EventStream {
  readonly head: IncomingMessage
  readonly seen: EventParser
  /** Waits for events until some are as wanted. */
  readonly until: (wanted: (seen: EventParser) => boolean) => Effect.Effect<EventParser>
  readonly ended: Effect.Effect<void>
  readonly leave: () => void
  /** Stops reading, as a page does that hangs. */
  readonly pause: () => void
}

export const openEvents = (
  url: string,
  headers: OutgoingHttpHeaders = {},
  path = "/ui/tracking_live"
): Effect.Effect<EventStream, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.async<EventStream>((resume) => {
      const asked = request(`${url}${path}`, {
        agent: false,
        headers: { accept: "text/event-stream", ...headers }
      })
      asked.on("error", () => {})
      asked.on("response", (head) => {
        const seen = new EventParser()
        let isOver = false
        head.setEncoding("utf8")
        head.on("data", (text: string) => seen.push(text))
        head.on("error", () => {})
        head.on("close", () => {
          isOver = true
        })
        resume(
          Effect.succeed({
            head,
            seen,
            until: (wanted) =>
              Effect.as(
                eventually(
                  Effect.sync(() => ({ met: wanted(seen), events: seen.events.slice(-5) })),
                  ({ met }) => met
                ),
                seen
              ),
            ended: Effect.asVoid(
              eventually(
                Effect.sync(() => isOver),
                (isOver) => isOver
              )
            ),
            leave: () => asked.destroy(),
            pause: () => head.pause()
          })
        )
      })
      asked.end()
    }),
    ({ leave }) => Effect.sync(leave)
  )
