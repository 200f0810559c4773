import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "@effect/platform"
import { Schema } from "effect"

const Anything = Schema.Record({ key: Schema.String, value: Schema.Unknown })
const Things = Schema.Array(Anything)

interface Parameter {
  readonly name: string
  readonly description: string
  readonly in?: "path"
  readonly repeated?: boolean
}

/** The handlers read parameters themselves, so that what is wrong with one is said with its name. */
export const taking = (parameters: ReadonlyArray<Parameter>) => (operation: Record<string, unknown>) => ({
  ...operation,
  parameters: parameters.map(({ description, in: where = "query", name, repeated }) => ({
    name,
    in: where,
    required: where === "path",
    description,
    schema: repeated === true ? { type: "array", items: { type: "string" } } : { type: "string" }
  }))
})

const repeated = (name: string, description: string): Parameter => ({ name, description, repeated: true })

/** Which requests: understood wherever rows are listed, counted or exported. */
export const FILTERS: ReadonlyArray<Parameter> = [
  { name: "range", description: "15m, 1h, 6h, 24h, 7d, 30d or all." },
  { name: "from", description: "Instead of a range: the first moment, as ISO 8601 or seconds since 1970." },
  { name: "to", description: "The moment before which they came." },
  { name: "q", description: "Words in prompts, answers, errors, model names and ids." },
  repeated("model", "The model that was asked for."),
  repeated("routed", "The model that answered."),
  repeated("provider", "The provider."),
  repeated("endpoint", "The path that was called."),
  repeated("status", "A status, or a class such as 5xx."),
  repeated("source", "Who is to blame: client, router, upstream, or (none)."),
  repeated("media", "A kind of media: image, video, audio, or (none)."),
  repeated("state", "running, done, failed, cancelled or interrupted."),
  repeated("kind", "main, describe, transcribe or all; main where it is left out."),
  repeated("key", "The id of the key."),
  repeated("stream", "true or false."),
  repeated("ip", "The client's address."),
  { name: "min_cost", description: "Dollars at least." },
  { name: "min_ms", description: "Milliseconds at least." },
  { name: "cache", description: "Whether its media were remembered: hit or miss." }
]

const PAGING: ReadonlyArray<Parameter> = [
  { name: "page", description: "From 1 on; 10,000 rows at most are skipped." },
  { name: "page_size", description: "50; 100 at most." },
  { name: "sort_by", description: "A column; timestamp where it is left out." },
  { name: "sort_order", description: "desc or asc." },
  { name: "cursor", description: "next_cursor or prev_cursor of an answer to the same question." }
]

const ID: Parameter = { name: "id", in: "path", description: "Of a request, or the number of its row." }

const list = <const Name extends string>(name: Name, path: `/${string}`) =>
  HttpApiEndpoint.get(name, path)
    .addSuccess(Anything)
    .annotate(OpenApi.Summary, "Requests, newest first, by page or from a cursor on")
    .annotate(OpenApi.Transform, taking([...PAGING, ...FILTERS]))

/** What is kept of requests, for the page and for programs. */
export class Recorded extends HttpApiGroup.make("record")
  .add(list("list", "/ui/tracking_data"))
  .add(list("listAlias", "/api/ui/tracking_data"))
  .add(
    HttpApiEndpoint.get("detail", "/ui/tracking_data/:id")
      .addSuccess(Anything)
      .annotate(OpenApi.Summary, "One request: all columns, its side calls, its texts")
      .annotate(OpenApi.Transform, taking([ID]))
  )
  .add(
    HttpApiEndpoint.get("body", "/ui/tracking_data/:id/body/:which")
      .addSuccess(Anything)
      .annotate(OpenApi.Summary, "The whole text of a request or an answer, as a file")
      .annotate(
        OpenApi.Transform,
        taking([ID, { name: "which", in: "path", description: "request or response." }])
      )
  )
  .add(
    HttpApiEndpoint.get("picture", "/ui/media/:sha256")
      .addSuccess(Anything)
      .annotate(OpenApi.Summary, "A picture that is remembered: JPEG, WebP or PNG")
      .annotate(OpenApi.Transform, taking([{ name: "sha256", in: "path", description: "Of its bytes." }]))
  )
  .add(
    HttpApiEndpoint.get("logs", "/api/logs")
      .addSuccess(Things)
      .annotate(OpenApi.Summary, "The last requests, as SmolRouter lists them")
      .annotate(
        OpenApi.Transform,
        taking([
          { name: "limit", description: "100; 1000 at most." },
          { name: "offset", description: "How many of the newest are skipped; 10,000 at most." },
          { name: "service_type", description: "openai or ollama." }
        ])
      )
  )
  .add(
    HttpApiEndpoint.get("inflight", "/api/inflight")
      .addSuccess(Things)
      .annotate(OpenApi.Summary, "The requests under way, as SmolRouter lists them")
  )
  .annotate(OpenApi.Title, "Record") {}
