import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync, spawnSync } from "node:child_process"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { root } from "../scripts/fresh.mjs"
import { settings } from "../src/services/config/settings.ts"
import { temporaryFolder } from "./support/TemporaryFolder.ts"
import { parseUnit, secondsIn } from "./support/UnitFile.ts"

const source = readFileSync(join(root, "deploy/percept.service"), "utf8")
const hasAnalyzer = existsSync("/usr/bin/systemd-analyze")

describe("the systemd unit", () => {
  const unit = parseUnit(source)
  const service = (name: string): string => unit.get("Service")?.get(name)?.join(" ") ?? ""

  it("has its three sections and names nothing twice", () => {
    assert.deepStrictEqual([...unit.keys()], ["Unit", "Service", "Install"])
    for (const section of unit.values()) for (const values of section.values()) assert.lengthOf(values, 1)
  })

  it("lets running answers end before it kills", () =>
    assert.isAbove(secondsIn(service("TimeoutStopSec")), secondsIn(settings.drainTimeout.fallback)))

  it("sets what is a setting", () => {
    const known = new Set<string>(Object.values(settings).map(({ name }) => name))
    const named = Array.from(service("Environment").matchAll(/(\w+)=/g), ([, name = ""]) => name)
    assert.sameMembers(
      named.filter((name) => !known.has(name)),
      ["NODE_ENV"]
    )
  })

  it("runs as nobody else, sees nothing else and keeps one folder", () => {
    for (const name of ["DynamicUser", "ProtectHome", "PrivateTmp", "PrivateDevices", "NoNewPrivileges"])
      assert.strictEqual(service(name), "yes", name)
    assert.strictEqual(service("ProtectSystem"), "strict")
    assert.strictEqual(service("CapabilityBoundingSet"), "")
    assert.include(service("Environment"), `DATA_DIR=%S/${service("StateDirectory")}`)
  })

  it("lets decoders have the namespaces they are locked in with", () => {
    const asked = readFileSync(join(root, "src/services/media/Sandbox.ts"), "utf8")
    for (const [flag, namespace] of [
      ["--map-root-user", "user"],
      ["--net", "net"],
      ["--pid", "pid"]
    ] as const) {
      assert.include(asked, flag)
      assert.include(service("RestrictNamespaces").split(" "), namespace)
    }
    assert.notMatch(asked, /--mount|--ipc|--uts/)
  })
})

describe.skipIf(!hasAnalyzer)("systemd itself", () => {
  const checked = Effect.map(temporaryFolder, (folder) => {
    const path = join(folder, "percept.service")
    writeFileSync(path, source.replace(/^ExecStart=\S+/m, `ExecStart=${process.execPath}`))
    return path
  })

  it.scopedLive("has nothing against it", () =>
    Effect.gen(function* () {
      const path = yield* checked
      const verify = () => spawnSync("systemd-analyze", ["verify", path], { encoding: "utf8" })
      const { status, stderr } = verify()
      assert.deepStrictEqual([status, stderr], [0, ""])
      writeFileSync(path, readFileSync(path, "utf8").replace("ProtectSystem=strict", "ProtectSystem=very"))
      assert.match(verify().stderr, /protect system.*very/i)
    })
  )

  it.scopedLive("finds it little exposed", () =>
    Effect.gen(function* () {
      const path = yield* checked
      const analyzed = execFileSync("systemd-analyze", ["security", "--offline=true", path], {
        encoding: "utf8"
      })
      const [, level = ""] = /exposure level for \S+: ([\d.]+)/.exec(analyzed) ?? []
      assert.isBelow(Number(level), 2.5, analyzed)
    })
  )
})

describe("the reader of units", () => {
  it("refuses a line that is none", () => assert.throws(() => parseUnit("[Unit]\nDescription\n"), /line 2/))

  it("refuses what stands in no section", () => assert.throws(() => parseUnit("User=me\n"), /line 1/))
})
