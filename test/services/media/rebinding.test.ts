import { assert, beforeAll, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { build } from "esbuild"
import { spawn, spawnSync } from "node:child_process"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { selfSigned } from "../../support/Certificate.ts"
import type { Outcome, Play } from "../../support/RebindingStage.ts"
import { temporaryFolder } from "../../support/Router.ts"

/*
 * Names that lie can only be tried where the name server is ours and "public" addresses can be called without leaving
 * the machine: in a network of its own, which root may make, and most other users in a user namespace.
 */
const OWN_NETWORK = process.getuid?.() === 0 ? ["-nm"] : ["-rnm"]

const attempt = spawnSync("unshare", [...OWN_NETWORK, "ip", "link", "set", "lo", "up"], { encoding: "utf8" })
const hindrance =
  attempt.status === 0 ? undefined : (attempt.error?.message ?? attempt.stderr.trim()) || "unshare failed"

const play = (addresses: ReadonlyArray<string>, together: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    if (hindrance !== undefined) return yield* Effect.dieMessage(`no network of our own: ${hindrance}`)
    const folder = yield* temporaryFolder
    const script = join(folder, "stage.mjs")
    yield* Effect.promise(() =>
      build({
        entryPoints: ["test/support/RebindingStage.ts"],
        outfile: script,
        bundle: true,
        platform: "node",
        target: "node20",
        format: "esm",
        banner: { js: REQUIRE },
        logLevel: "error"
      })
    )
    const certificate = selfSigned("public.test", "public4.test")
    const trusted = join(folder, "trusted.pem")
    writeFileSync(trusted, certificate.cert)
    const env = { FETCH_CONNECT_TIMEOUT: "1", FETCH_TIMEOUT: "20" }
    const stage: Play = { ...certificate, addresses, together, env, folder }
    return yield* Effect.async<string, Error>((resume) => {
      const child = spawn("unshare", [...OWN_NETWORK, process.execPath, script, JSON.stringify(stage)], {
        env: { PATH: process.env["PATH"], NODE_EXTRA_CA_CERTS: trusted },
        stdio: ["ignore", "pipe", "inherit"]
      })
      const pieces: Array<Buffer> = []
      child.stdout.on("data", (piece: Buffer) => pieces.push(piece))
      // It ends itself, in a way that nothing holds up.
      child.on("close", (code, signal) =>
        resume(
          signal === "SIGKILL"
            ? Effect.succeed(Buffer.concat(pieces).toString())
            : Effect.fail(new Error(`the stage ended with ${code ?? signal}`))
        )
      )
      return Effect.sync(() => child.kill("SIGKILL"))
    })
  }).pipe(Effect.scoped, Effect.timeout("50 seconds"), Effect.runPromise)

const REQUIRE =
  'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);'

const FETCHED = [
  "http://public.test/a.png",
  "http://public4.test/a.png",
  "http://public6.test/a.png",
  "http://alias.test/a.png",
  "http://93.184.216.34/a.png",
  "http://[2606:2800:220:1:248:1893:25c8:1946]/a.png",
  "https://public.test/a.png",
  "https://public.test/?to=/a.png",
  "http://public.test/?to=https://public4.test/a.png"
]
const INWARD = [
  "home",
  "home6",
  "zero",
  "zero6",
  "metadata",
  "lan",
  "ula",
  "mapped",
  "compatible",
  "nat64",
  "6to4",
  "mixed",
  "mixed-last",
  "mixed6",
  "mixed-mapped",
  "alias-home",
  "hosts"
].flatMap((name) => [`http://${name}.test/`, `https://${name}.test/`, `http://${name}.test:8080/`])
const FICKLE = ["http://rebind.test/a.png", "http://rebind.test/a.png?again", "http://fickle.test/?to=/a.png"]
const DETOURS = [
  "http://public.test/?to=http://home.test/",
  "http://public.test/?to=//mapped.test/",
  "http://public.test/?to=http://127.0.0.1:8080/",
  "http://public.test/?to=http://[64:ff9b::7f00:1]/"
]
const PORTS = ["http://public.test:22/", "http://93.184.216.34:22/"]
const UNCERTAIN = [
  "https://public6.test/a.png",
  "https://93.184.216.34/a.png",
  "https://public.test/?to=http://public.test/a.png"
]
const UNKNOWN = ["http://nobody.test/"]
const SILENT = ["http://silent.test/", "http://silent2.test/", "http://silent3.test/"]

/** Where a network of our own cannot be had, that is said aloud; on a build machine it is a failure. */
describe.skipIf(hindrance !== undefined && process.env["CI"] !== "true")(
  `in a network where every name and address is ours${hindrance === undefined ? "" : ` - WHICH CANNOT BE HAD HERE: ${hindrance}`}`,
  () => {
    let outcomes: ReadonlyMap<string, Outcome> = new Map()
    let last = ""

    beforeAll(async () => {
      const addresses = [FETCHED, INWARD, FICKLE, DETOURS, PORTS, UNCERTAIN, UNKNOWN].flat()
      const lines = (await play(addresses, SILENT)).trim().split("\n")
      last = lines.pop() ?? ""
      outcomes = new Map(
        lines.map((line): Outcome => JSON.parse(line)).map((outcome) => [outcome.address, outcome])
      )
    })

    const of = (addresses: ReadonlyArray<string>): ReadonlyArray<Outcome> =>
      addresses.map((address) => {
        const outcome = outcomes.get(address)
        if (outcome === undefined) throw new Error(`${address} was not tried`)
        return outcome
      })

    const refused = (addresses: ReadonlyArray<string>, detail: RegExp) => {
      for (const outcome of of(addresses)) {
        const { address } = outcome
        assert.strictEqual(outcome.code, "unreachable", address)
        assert.strictEqual(outcome.message, "The address could not be reached.", address)
        assert.match(outcome.detail, detail, address)
        assert.strictEqual(outcome.canary, 0, address)
      }
    }

    it("public names are fetched from, over both kinds of addresses, aliases and TLS", () => {
      for (const { address, canary, code, detail } of of(FETCHED)) {
        assert.strictEqual(code, "fetched", `${address} ${detail}`)
        assert.strictEqual(canary, 0, address)
      }
    })

    it("a name with any answer that is not public is refused whole, and nobody is called", () =>
      refused(INWARD, /refused: name resolves to an address that is not allowed$/))

    it("a name that changes its mind is asked for once, and taken at that word", () => {
      const [first, second, hop] = of(FICKLE)
      assert.deepStrictEqual([first?.code, first?.resolved, first?.canary], ["fetched", 1, 0])
      assert.strictEqual(second?.resolved, 1)
      assert.strictEqual(hop?.resolved, 2)
      refused(FICKLE.slice(1), /refused: name resolves/)
    })

    it("a redirect leads nowhere its address would not", () => refused(DETOURS, /refused: /))

    it("another port is refused before its name is resolved", () => {
      refused(PORTS, /refused: /)
      assert.deepStrictEqual(
        of(PORTS).map(({ resolved }) => resolved),
        [0, 0]
      )
    })

    it("a certificate must be the name's own, and TLS is not left again", () =>
      refused(UNCERTAIN, /ERR_TLS_CERT_ALTNAME_INVALID|redirects from https to http$/))

    it("a name nobody knows, or whose server keeps silent, is one more address that could not be reached", () => {
      refused(UNKNOWN, /not connected: ENOTFOUND$/)
      refused(SILENT, /not connected: (?:timeout|ETIMEOUT)$/)
    })

    it("names of users that are waited for do not hold up those of providers", () =>
      assert.deepStrictEqual(JSON.parse(last), { address: "93.184.216.34", family: 4 }))
  }
)
