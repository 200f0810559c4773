import type { Reporter, TestModule } from "vitest/node"

/** Ends every run with one plain line: how many tests passed, how many failed. */
export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: ReadonlyArray<TestModule>, unhandled: ReadonlyArray<unknown>): void {
    const tests = modules.flatMap((module) => Array.from(module.children.allTests()))
    const count = (state: string) => tests.filter((test) => test.result().state === state).length
    const broken = modules.filter((module) => module.errors().length > 0).length + unhandled.length
    const skipped = count("skipped")
    const rest = skipped === 0 ? "" : `, ${skipped} skipped`
    console.log(`\ntests: ${count("passed")} passed, ${count("failed") + broken} failed${rest}`)
  }
}
