import { HttpApiBuilder } from "@effect/platform"
import type { HttpServerRequest } from "@effect/platform"
import { Effect } from "effect"
import { PathNotFound } from "../domain/Errors.ts"
import type { Exchange, HeaderList } from "../domain/Exchange.ts"
import { AppConfig } from "../services/AppConfig.ts"
import { Api } from "./contract.ts"
import { Exchanges } from "./Exchanges.ts"
import { formFor, readPageFiles } from "./pageFiles.ts"
import type { PageFile } from "./pageFiles.ts"

/** Sends the page to anybody: it is the same for all, and shows nothing before it has asked with a key. */
export const page = HttpApiBuilder.group(Api, "page", (handlers) =>
  Effect.gen(function* () {
    const { uiEnabled } = yield* AppConfig
    const { answered } = yield* Exchanges
    const files = yield* Effect.cached(readPageFiles)

    const sending =
      (nameIn: (path: string) => string, headers: HeaderList) =>
      ({ request }: { readonly request: HttpServerRequest.HttpServerRequest }) =>
        answered(request, (exchange) =>
          Effect.gen(function* () {
            if (!uiEnabled) return exchange.fail(OFF)
            const file = (yield* files).get(nameIn(exchange.path))
            if (file === undefined) return exchange.fail(GONE)
            send(exchange, file, headers)
          })
        )

    const whole = sending(() => "index.html", DOCUMENT)
    return handlers
      .handleRaw("list", whole)
      .handleRaw("request", whole)
      .handleRaw(
        "asset",
        sending((path) => path.slice("/ui/assets/".length), ASSET)
      )
  })
)

const send = (exchange: Exchange, file: PageFile, headers: HeaderList): void => {
  const form = formFor(file, exchange.header("accept-encoding"))
  const head = [
    ...["vary", "accept-encoding", "etag", form.tag, ...headers],
    ...(form.encoding === "identity" ? [] : ["content-encoding", form.encoding])
  ]
  const known = exchange.header("if-none-match")?.split(",") ?? []
  if (known.some((tag) => tag.trim().replace(/^W\//, "") === form.tag))
    exchange.text(304, file.contentType, NOTHING, head)
  else exchange.text(200, file.contentType, form.bytes, head)
}

const OFF = new PathNotFound({ message: "The page is off here (UI_ENABLED=false)." })
const GONE = new PathNotFound({ message: "The page has no such file; load it anew." })
const NOTHING = new Uint8Array()

/** Nothing but what the page brings itself, and no way to make code or styles of text. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  // Pictures that want a key are fetched by the page.
  "img-src 'self' blob:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types lit-html"
].join("; ")

const GUARDED: HeaderList = [
  ...["x-content-type-options", "nosniff", "referrer-policy", "no-referrer"],
  ...["cross-origin-resource-policy", "same-origin"]
]
const DOCUMENT: HeaderList = [
  ...["content-security-policy", POLICY, "x-frame-options", "DENY", "cache-control", "no-cache"],
  ...["cross-origin-opener-policy", "same-origin", ...GUARDED]
]
const ASSET: HeaderList = [
  ...["content-security-policy", "default-src 'none'; sandbox"],
  ...["cache-control", "public, max-age=31536000, immutable", ...GUARDED]
]
