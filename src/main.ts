#!/usr/bin/env -S UV_THREADPOOL_SIZE=16 node --max-semi-space-size=32
import { setFlagsFromString } from "node:v8"
import { run } from "./cli.ts"

// What lives as long as a request would soon be allocated among the old, where its garbage waits for a full
// collection and keeps young objects alive: see bench/README.md.
setFlagsFromString("--no-allocation-site-pretenuring")

run(process.argv.slice(2))
