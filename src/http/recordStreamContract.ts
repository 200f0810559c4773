import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "@effect/platform"
import { Schema } from "effect"
import { FILTERS, taking } from "./recordContract.ts"

const Text = Schema.String

const file = <const Name extends string>(name: Name, path: `/${string}`, format: string) =>
  HttpApiEndpoint.get(name, path)
    .addSuccess(Text)
    .annotate(OpenApi.Summary, `Requests as a ${format} file`)
    .annotate(
      OpenApi.Description,
      "All rows that match, up to EXPORT_MAX_ROWS. `x-total` says how many the file has, `x-truncated` whether there are more. Money is in decimals. A file that cannot be finished breaks off: its connection ends without the last chunk."
    )

const ORDER = [
  { name: "sort_by", description: "A column; timestamp where it is left out." },
  { name: "sort_order", description: "desc or asc." }
]

/** What is sent of the record in a stream: files, and news. */
export class RecordStreams extends HttpApiGroup.make("recordStreams")
  .add(
    HttpApiEndpoint.get("live", "/ui/tracking_live")
      .addSuccess(Text)
      .annotate(OpenApi.Summary, "What happens, as server-sent events")
      .annotate(
        OpenApi.Description,
        "Events of the process that answers, four batches a second at most. `snapshot`: the requests under way and the figures since the start; whoever gets one has no other news to count on, and reads the list again. `stage`: a request is new or goes on. `done`: its row, as it is listed. `stats`: the figures, once a second. With `Last-Event-ID` the stream goes on from there if no more than 1,000 events lie between; else it begins with a snapshot."
      )
      .annotate(
        OpenApi.Transform,
        taking([{ name: "last_event_id", description: "Instead of the header Last-Event-ID." }])
      )
  )
  .add(
    file("csv", "/ui/tracking_export.csv", "CSV").annotate(OpenApi.Transform, taking([...ORDER, ...FILTERS]))
  )
  .add(
    file("jsonl", "/ui/tracking_export.jsonl", "JSONL").annotate(
      OpenApi.Transform,
      taking([
        { name: "bodies", description: "true adds the texts of requests and answers." },
        ...ORDER,
        ...FILTERS
      ])
    )
  )
  .annotate(OpenApi.Title, "Record, in streams") {}
