/** `npm start`: from a bare clone to a running router. */
import { buildIfStale, installIfStale, requireNode } from "./fresh.mjs"

requireNode()
installIfStale()
buildIfStale()
process.env.NODE_ENV ??= "production"
await import("../dist/main.js")
