import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "@effect/platform"
import { Schema } from "effect"
import { taking } from "./recordContract.ts"

const Anything = Schema.Record({ key: Schema.String, value: Schema.Unknown })

const ID = { name: "id", in: "path", description: "As in the list." } as const

/** What is remembered of media. */
export class Remembered extends HttpApiGroup.make("remembered")
  .add(
    HttpApiEndpoint.get("list", "/ui/media_data")
      .addSuccess(Anything)
      .annotate(OpenApi.Summary, "The media that are remembered, those used last first")
      .annotate(
        OpenApi.Description,
        "One item for each medium. `bytes` is what it takes in the memory; `saved_ms` is how long it would have taken to look at it again each time it was remembered."
      )
      .annotate(
        OpenApi.Transform,
        taking([
          { name: "q", description: "Words in titles, sites, links and what is said first." },
          { name: "kind", description: "image, video or audio." },
          { name: "cursor", description: "next_cursor of an answer." },
          { name: "page_size", description: "50; 100 at most." }
        ])
      )
  )
  .add(
    HttpApiEndpoint.get("detail", "/ui/media_data/:id")
      .addSuccess(Anything)
      .annotate(OpenApi.Summary, "One medium: what was seen and heard of it, and which requests had it")
      .annotate(OpenApi.Transform, taking([ID]))
  )
  .add(
    HttpApiEndpoint.del("forget", "/ui/media_data/:id")
      .addSuccess(Schema.Struct({ deleted: Schema.Boolean }))
      .annotate(OpenApi.Summary, "Forgets a medium, its pictures and their descriptions")
      .annotate(OpenApi.Transform, taking([ID]))
  )
  .add(
    HttpApiEndpoint.post("again", "/ui/media_data/:id/again")
      .addSuccess(
        Schema.Struct({ started: Schema.Boolean }).annotations(HttpApiSchema.annotations({ status: 202 }))
      )
      .annotate(OpenApi.Summary, "Forgets a medium and looks at it once more, if its link is known")
      .annotate(OpenApi.Transform, taking([ID]))
  )
  .annotate(OpenApi.Title, "Memory of media") {}
