import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "@effect/platform"
import { Schema } from "effect"
import { taking } from "./recordContract.ts"

const Document = Schema.String.pipe(HttpApiSchema.withEncoding({ kind: "Text", contentType: "text/html" }))

/** The page itself, which holds nothing that is worth a key; what it shows it asks for with one. */
export class Page extends HttpApiGroup.make("page")
  .add(
    HttpApiEndpoint.get("list", "/ui/tracking")
      .addSuccess(Document)
      .annotate(OpenApi.Summary, "The page: requests, figures and media")
  )
  .add(
    HttpApiEndpoint.get("request", "/ui/tracking/:id")
      .addSuccess(Document)
      .annotate(OpenApi.Summary, "The page with one request")
      .annotate(
        OpenApi.Transform,
        taking([{ name: "id", in: "path", description: "Of a request, or the number of its row." }])
      )
  )
  .add(
    HttpApiEndpoint.get("asset", "/ui/assets/:name")
      .addSuccess(Schema.String)
      .annotate(OpenApi.Summary, "A file of the page")
      .annotate(
        OpenApi.Transform,
        taking([{ name: "name", in: "path", description: "With the hash of its contents." }])
      )
  )
  .annotate(OpenApi.Title, "Page") {}
