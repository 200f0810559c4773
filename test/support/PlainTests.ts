import { effect, flakyTest, it, layer, prop, scoped } from "@effect/vitest"

// `layer` leaves its own ways to run a test on the one `it` there is, and files that share modules share that as well.
Object.assign(it, { effect, flakyTest, layer, prop, scoped })
