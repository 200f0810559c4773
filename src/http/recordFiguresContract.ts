import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "@effect/platform"
import { Schema } from "effect"
import { FILTERS, taking } from "./recordContract.ts"

const Anything = Schema.Record({ key: Schema.String, value: Schema.Unknown })

/** `If-None-Match` spares what is known already. */
const Unchanged = Schema.Void.pipe(HttpApiSchema.asEmpty({ status: 304, decode: () => undefined }))

const about = <const Name extends string>(
  name: Name,
  path: `/${string}`,
  summary: string,
  description: string
) =>
  HttpApiEndpoint.get(name, path)
    .addSuccess(Anything)
    .addSuccess(Unchanged)
    .annotate(OpenApi.Summary, summary)
    .annotate(
      OpenApi.Description,
      `${description} Where ip, q, min_cost, min_ms or cache are asked for, the newest 20,000 rows are counted, and \`is_partial\` says whether there are more.`
    )
    .annotate(OpenApi.Transform, taking(FILTERS))

/** What the record comes to. */
export class RecordFigures extends HttpApiGroup.make("recordFigures")
  .add(
    about(
      "stats",
      "/ui/tracking_stats",
      "Totals of a range, and of the one before it",
      "Requests, errors, tokens, money, durations, and who they belong to. Side calls are counted apart, but their tokens and cost are part of all sums. Money is in decimal dollars; `cost_unknown` counts answers whose price nobody told. Percentiles come from a histogram whose buckets grow by half, so each lies in the bucket of the true value; of the time to the first token there is the mean."
    )
  )
  .add(
    about(
      "series",
      "/ui/tracking_series",
      "A range over time, by minute, hour or day",
      "400 buckets at most, empty ones too, in UTC. `cost_by_model_usd` is in the order of `models`, with all others last."
    )
  )
  .add(
    about(
      "facets",
      "/ui/tracking_facets",
      "How many requests each value of a filter would leave",
      "Every filter is applied but the facet's own. The 50 most common values of each, and those that are chosen."
    )
  )
  .add(
    about(
      "errors",
      "/ui/tracking_errors",
      "What goes wrong, alike with alike",
      "Failures by state, source, status, endpoint and provider, the 20 commonest groups. `models` counts the models a group befell, `model` is the one it befell most, `newest` its newest request, null where that is no longer kept. `first` is known to the hour or day where sums answer."
    )
  )
  .add(
    HttpApiEndpoint.get("earlier", "/api/stats")
      .addSuccess(Anything)
      .annotate(OpenApi.Summary, "Figures of all time and of the last day, with SmolRouter's names")
  )
  .annotate(OpenApi.Title, "Record, in figures") {}
