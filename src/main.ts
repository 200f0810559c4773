#!/usr/bin/env -S UV_THREADPOOL_SIZE=16 node --max-semi-space-size=32
import { Effect } from "effect"
import { setFlagsFromString } from "node:v8"
import { serve } from "./cli/serve.ts"
import { runMain } from "./runMain.ts"
import { forgetRoots } from "./services/lightFibers.ts"

// What lives as long as a request would soon be allocated among the old, where its garbage waits for a full
// collection and keeps young objects alive: see bench/README.md.
setFlagsFromString("--no-allocation-site-pretenuring")
forgetRoots()

const words = process.argv.slice(2)

if (words.length === 0 || (words.length === 1 && words[0] === "serve"))
  runMain(serve, "Percept cannot start: ")
// A server has no use for what reads commands.
else
  runMain(
    Effect.flatMap(
      Effect.promise(() => import("./cli.ts")),
      ({ obey }) => obey(words)
    ),
    "",
    false
  )
