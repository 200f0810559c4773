import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "@effect/platform"

/** What is counted, for a Prometheus. */
export class Metrics extends HttpApiGroup.make("metrics")
  .add(
    HttpApiEndpoint.get("metrics", "/metrics")
      .addSuccess(HttpApiSchema.Text({ contentType: "text/plain" }))
      .annotate(OpenApi.Summary, "Counters, gauges and histograms, as Prometheus or OpenMetrics text")
      .annotate(
        OpenApi.Description,
        "Open to the same keys, and the same name and password, as the page. OpenMetrics goes to who accepts `application/openmetrics-text`."
      )
  )
  .annotate(OpenApi.Title, "Metrics") {}
