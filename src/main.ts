#!/usr/bin/env -S node --max-semi-space-size=32
import { run } from "./cli.ts"

run(process.argv.slice(2))
