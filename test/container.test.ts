import { assert, describe, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { parse } from "yaml"
import { root } from "../scripts/fresh.mjs"
import { isAtLeast } from "../src/domain/media/SiteVersion.ts"
import { settings } from "../src/services/config/settings.ts"
import { lintCompose } from "./support/ComposeLint.ts"
import { parseDockerfile } from "./support/Dockerfile.ts"
import { lintDockerfile } from "./support/DockerLint.ts"

const file = (name: string): string => readFileSync(join(root, name), "utf8")

const { stages } = parseDockerfile(file("Dockerfile"))
const final = stages.at(-1)?.instructions ?? []

describe("the Dockerfile", () => {
  it("keeps the rules", () => assert.deepStrictEqual(lintDockerfile(file("Dockerfile")), []))

  it("copies what is there and what .dockerignore lets through", () => {
    const let_ = new Set(Array.from(file(".dockerignore").matchAll(/^!(.+)$/gm), ([, name = ""]) => name))
    const copied = stages
      .flatMap(({ instructions }) => instructions)
      .filter(({ flags, name }) => name === "COPY" && flags["from"] === undefined)
      .flatMap(({ text }) => text.split(/\s+/).slice(0, -1))
    assert.isNotEmpty(copied)
    assert.sameMembers(copied, [...let_])
    for (const name of copied) assert.isTrue(existsSync(join(root, name)), name)
  })

  it("lets nothing else into an image", () =>
    assert.match(file(".dockerignore"), /^(#.*\n)*\*\n(![^\n]+\n)+$/))

  it("sets only what is a setting, and the port it exposes", () => {
    const known = new Set<string>(Object.values(settings).map(({ name }) => name))
    const env = final.filter(({ name }) => name === "ENV").flatMap(({ text }) => text.split(/\s+/))
    const values = new Map(env.map((pair) => [pair.split("=")[0] ?? "", pair.split("=")[1]]))
    assert.sameMembers(
      [...values.keys()].filter((name) => !known.has(name)),
      ["NODE_ENV"]
    )
    assert.strictEqual(final.find(({ name }) => name === "EXPOSE")?.text, values.get("LISTEN_PORT"))
    assert.strictEqual(final.find(({ name }) => name === "VOLUME")?.text, values.get("DATA_DIR"))
  })

  it("has a yt-dlp that is trusted with links", () => {
    const [, version = ""] = /yt-dlp\/releases\/download\/([\d.]+)\/yt-dlp /.exec(file("Dockerfile")) ?? []
    assert.isTrue(isAtLeast(version, settings.ytDlpMinVersion.fallback), version)
  })

  it("asks a health check of an address that there is", () => {
    const [program, flag, script = ""] = final.find(({ name }) => name === "HEALTHCHECK")?.words ?? []
    assert.deepStrictEqual([program, flag], ["node", "-e"])
    assert.include(script, "/healthz")
  })

  it("takes every package along that the build leaves outside, but the engine that whisper-cli stands for", () => {
    const list = (name: string, start: RegExp) =>
      Array.from((start.exec(file(name))?.[1] ?? "").matchAll(/"([^"]+)"/g), ([, each]) => each)
    const outside = list("scripts/build.mjs", /external: \[(.*?)\]/s)
    assert.isNotEmpty(outside)
    assert.sameMembers(
      [...list("scripts/image-modules.mjs", /OUTSIDE = \[driver, (.*?)\]/s), "@napi-rs/whisper"],
      outside
    )
  })
})

describe("the linter of Dockerfiles", () => {
  const digest = `node:24-slim@sha256:${"a".repeat(64)}`
  const good = `FROM ${digest}\nUSER 1000\nHEALTHCHECK CMD ["true"]\nENTRYPOINT ["true"]\n`

  it("has nothing against a good one", () => assert.deepStrictEqual(lintDockerfile(good), []))

  for (const [what, sample, complaint] of [
    ["no digest", good.replace(/@\S+/, ""), /not pinned by digest/],
    ["the latest", good.replace("24-slim", "latest"), /DL3007/],
    ["no tag", good.replace(":24-slim", ""), /DL3006/],
    ["an argument without a digest", `ARG BASE=node:24\n${good.replace(digest, "${BASE}")}`, /not pinned/],
    ["sudo", `${good}RUN sudo true\n`, /DL3004/],
    ["cd", `${good}RUN true && cd /tmp\n`, /DL3003/],
    ["apt", `${good}RUN apt update\n`, /DL3027/],
    [
      "apt's lists",
      `${good}RUN apt-get update && apt-get install -y --no-install-recommends a\n`,
      /lists in the image/
    ],
    [
      "an old list",
      `${good}RUN apt-get install -y --no-install-recommends a \\\n  && rm -rf /var/lib/apt/lists/*\n`,
      /fresh list/
    ],
    [
      "recommended packages",
      `${good}RUN apt-get update && apt-get install -y a && rm -rf /var/lib/apt/lists/*\n`,
      /DL3015/
    ],
    [
      "a question",
      `${good}RUN apt-get update && apt-get install --no-install-recommends a && rm -rf /var/lib/apt/lists/*\n`,
      /DL3014/
    ],
    ["an install without a lock", `${good}RUN npm install -g a\n`, /DL3016/],
    ["an unchecked download", `${good}RUN curl -fsSLO https://a.example/b\n`, /without a checksum/],
    ["a pipe", `${good}RUN true | cat\n`, /DL4006/],
    ["a file added", `${good}ADD a /b\n`, /DL3020/],
    ["a link added unchecked", `${good}ADD https://a.example/b /b\n`, /DL3020/],
    ["a command for a shell", `${good}CMD percept serve\n`, /DL3025/],
    ["a health check for a shell", good.replace('["true"]', "true"), /DL3025/],
    ["a relative folder", `${good}WORKDIR app\n`, /DL3000/],
    ["a secret", `${good}ENV OPENROUTER_API_KEY=sk-1\n`, /secret/],
    ["a stage that is not there", `${good}COPY --from=nobody /a /b\n`, /DL3022/],
    ["root", good.replace("USER 1000", "USER root"), /DL3002/],
    ["no user", good.replace("USER 1000\n", ""), /DL3002/],
    ["no health check", good.replace(/HEALTHCHECK.*\n/, ""), /no HEALTHCHECK/],
    ["no entry point", good.replace(/ENTRYPOINT.*\n/, ""), /no ENTRYPOINT/]
  ] as const)
    it(`finds ${what}`, () => {
      const found = lintDockerfile(sample)
      assert.strictEqual(found.filter((each) => complaint.test(each)).length, 1, found.join("\n"))
    })
})

describe("docker-compose.yml", () => {
  const source = file("docker-compose.yml")
  const script = String(parse(source).services.percept.command[0])

  it("keeps the rules", () => assert.deepStrictEqual(lintCompose(source, Object.values(settings)), []))

  for (const [what, from, to, complaint] of [
    ["YAML that is none", "name: percept", "name: percept\nname: other", /unique/],
    ["an image without a digest", /@sha256:3d0ac\w+/, "", /jaeger: .* not pinned/],
    ["a port for everybody", "127.0.0.1:8000:8000", "8000:8000", /percept: .* for everybody/],
    ["a volume nobody declares", "  percept-data:\n", "", /percept-data/],
    ["capabilities", "    cap_drop:\n      - ALL\n", "", /percept: .* capabilities/],
    ["a root that can be written", "read_only: true", "read_only: false", /percept: .* written/],
    ["a setting that does not exist", "DATA_DIR: /data", "DATA_FOLDER: /data", /DATA_FOLDER/],
    ["no key", /API_KEYS: .*/, 'API_KEYS: ""', /without a key/],
    [
      "a service nobody has",
      "      postgres:\n        condition",
      "      redis:\n        condition",
      /redis/
    ],
    ["too short a farewell", "stop_grace_period: 45s", "stop_grace_period: 10s", /DRAIN_TIMEOUT/],
    ["a profile that is always on", "    profiles: [tracing]\n", "", /jaeger: .* profile/]
  ] as const)
    it(`is not accepted with ${what}`, () => {
      const changed = source.replace(from, to)
      assert.notStrictEqual(changed, source)
      const found = lintCompose(changed, Object.values(settings))
      assert.isTrue(
        found.some((each) => complaint.test(each)),
        found.join("\n")
      )
    })

  it("starts the program as the image does", () => {
    const entry = final.find(({ name }) => name === "ENTRYPOINT")?.words ?? []
    const command = final.find(({ name }) => name === "CMD")?.words ?? []
    assert.include(script, `exec ${[...entry.slice(2), ...command].join(" ")}\n`)
  })

  for (const [where, hosts, env, wanted] of [
    ["to Jaeger where there is one", 0, {}, "http://jaeger:4318/v1/traces"],
    ["nowhere where there is none", 1, {}, ""],
    ["where .env says", 0, { OTEL_EXPORTER_OTLP_ENDPOINT: "http://other:4318" }, ""]
  ] as const)
    it(`sends traces ${where}`, () => {
      const around = `getent() { return ${hosts}; }; exec() { echo "$OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"; }\n`
      const seen = execFileSync("bash", ["--norc", "-ec", around + script.replaceAll("$$", "$")], {
        encoding: "utf8",
        env: { PATH: process.env["PATH"], ...env }
      })
      assert.strictEqual(seen.trim(), wanted)
    })
})

describe("deploy", () => {
  it("holds what the documents speak of", () => {
    const there = readdirSync(join(root, "deploy"))
    assert.include(there, "percept.service")
  })
})
