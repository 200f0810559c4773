/**
 * Goes through the Dockerfile without an engine, by hand: `node scripts/container-check.mjs [--whisper]`.
 *
 * Each stage gets a folder of its own. COPY copies, RUN runs what belongs to the project (packages, build, what the
 * image holds; with `--whisper` also the compiler), and what belongs to a distribution or the network is named and
 * passed over. What comes out is started as the Dockerfile says, as its user and with its environment, asked for its
 * health, given a request, and ended as an engine ends it.
 */
import { build } from "esbuild"
import { execFileSync, spawn, spawnSync } from "node:child_process"
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import { basename, dirname, join } from "node:path"
import { root } from "./fresh.mjs"

const { chmodSync, chownSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } =
  fs

const withWhisper = process.argv.includes("--whisper")
const say = (text) => console.log(text)

const { outputFiles } = await build({
  entryPoints: [join(root, "test/support/Dockerfile.ts")],
  bundle: true,
  write: false,
  format: "esm"
})
const { parseDockerfile } = await import(
  `data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`
)
const { stages } = parseDockerfile(readFileSync(join(root, "Dockerfile"), "utf8"))

const scratch = mkdtempSync(join(tmpdir(), "percept-container-"))
chmodSync(scratch, 0o755)
const folderOf = new Map(stages.map((stage, at) => [stage, join(scratch, stage.name ?? `final-${at}`)]))
const named = (name) => stages.find((stage) => stage.name === name)

/** What a command line belongs to that is no part of this project. */
const FOREIGN = [
  [/^apt-get /, "the distribution's"],
  [/^rm -rf \/var\/lib\/apt/, "the distribution's"],
  ...(withWhisper ? [] : [[/^(cmake|strip|rm -rf \/whisper)/, "the compiler's; --whisper compiles"]])
]

/** Sources that the image of whisper.cpp would bring. */
const provideWhisper = (folder) => {
  mkdirSync(folder, { recursive: true })
  const [{ filename }] = JSON.parse(
    execFileSync("npm", ["pack", "--json", "nodejs-whisper@0.3.1"], { cwd: folder, encoding: "utf8" })
  )
  execFileSync("tar", ["xzf", filename, "--strip-components=3", "package/cpp/whisper.cpp"], { cwd: folder })
}

const run = (stage, command, workdir, env) => {
  const folder = folderOf.get(stage)
  for (const part of command.split(/\s*&&\s*/)) {
    const foreign = FOREIGN.find(([pattern]) => pattern.test(part))
    if (foreign !== undefined) {
      say(`  passed over (${foreign[1]}): ${part}`)
      continue
    }
    // Every path of the image is one below the stage's folder; the links it makes say where they lead in the image.
    const own = part.replace(/(^|[\s=])\/(?=[\w.])/g, `$1${folder}/`)
    say(`  ${part}`)
    const { status } = spawnSync("sh", ["-ec", own], {
      cwd: join(folder, workdir),
      stdio: ["ignore", "ignore", "inherit"],
      // The headers that came with the Node that is used here.
      env: { ...process.env, ...env, npm_config_nodedir: dirname(dirname(process.execPath)) }
    })
    if (status !== 0) throw new Error(`failed with ${status}: ${part}`)
  }
}

/** As COPY does: what is in a folder goes into the target, a file goes into it or becomes it. */
const copy = (source, target) => {
  const isFile = statSync(source).isFile()
  const place = isFile && target.endsWith("/") ? join(target, basename(source)) : target
  mkdirSync(dirname(place), { recursive: true })
  cpSync(source, place, { recursive: true })
}

const follow = (stage) => {
  const folder = folderOf.get(stage)
  const env = {}
  let workdir = "/"
  for (const { flags, name, text } of stage.instructions) {
    if (name === "WORKDIR") mkdirSync(join(folder, (workdir = text)), { recursive: true })
    else if (name === "ENV")
      Object.assign(env, Object.fromEntries(text.split(/\s+/).map((pair) => pair.split("="))))
    else if (name === "ADD") say(`  passed over (a download): ${text}`)
    else if (name === "RUN") run(stage, text, workdir, env)
    else if (name === "COPY" && flags.from?.startsWith("whisper") && !withWhisper)
      say(`  passed over (the compiler's): COPY ${text}`)
    else if (name === "COPY") {
      say(`  COPY ${text}`)
      const words = text.split(/\s+/)
      const target = words.pop()
      const from = flags.from === undefined ? root : folderOf.get(named(flags.from))
      const place = join(folder, target.startsWith("/") ? target : join(workdir, target))
      for (const source of words) copy(join(from, source), place)
    }
  }
  return { env, workdir }
}

const check = (condition, text, seen = "") => {
  if (!condition) throw new Error(`not so: ${text} ${seen}`)
  say(`  ✓ ${text}`)
}

const start = async ({ env, workdir }) => {
  const final = stages.at(-1)
  const folder = folderOf.get(final)
  const of = (name) => final.instructions.findLast((each) => each.name === name)
  const [uid, gid] = of("USER").text.split(":").map(Number)
  const data = join(folder, env.DATA_DIR)
  chownSync(data, uid, gid)
  const own = {
    ...env,
    PATH: `${join(folder, "usr/local/bin")}:${process.env.PATH}`,
    DATA_DIR: data,
    LISTEN_PORT: "18713",
    API_KEYS: "of-the-check"
  }
  const program = join(folder, "opt/percept/dist/main.js")
  const as = { cwd: join(folder, workdir), env: own, uid, gid }

  const words = [...of("ENTRYPOINT").words, ...of("CMD").words]
  check(words.join(" ") === "tini -- percept serve", "tini starts percept, which serves")
  const alone = spawnSync(process.execPath, [program, "serve"], {
    ...as,
    encoding: "utf8",
    timeout: 60_000,
    env: { ...own, API_KEYS: "" }
  })
  const refusal = `${alone.status} ${alone.stderr}`
  check(/^1 [^]*API_KEYS/.test(refusal), `without a key it does not start, and says why (${refusal.trim()})`)

  const child = spawn(process.execPath, ["--max-semi-space-size=32", program, "serve"], {
    ...as,
    stdio: ["ignore", "pipe", "inherit"]
  })
  const ended = new Promise((resolve) => child.on("close", (code, signal) => resolve({ code, signal })))
  try {
    await new Promise((resolve, reject) => {
      child.stdout.on("data", (bytes) => /listening on/.test(String(bytes)) && resolve())
      ended.then(() => reject(new Error("it ended by itself")))
    })
    const uids = /^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))?.[1]
    check(uids === String(uid) && uid !== 0, `it runs as user ${uids}`)
    const [health, ...asking] = of("HEALTHCHECK").words
    const ask = (env) =>
      spawnSync(health === "node" ? process.execPath : health, asking, { ...as, env }).status
    check(ask(own) === 0, "the health check is content")
    check(ask({ ...own, LISTEN_PORT: "1" }) === 1, "the health check is not content where nobody listens")
    const answer = await fetch("http://127.0.0.1:18713/v1/chat/completions", {
      method: "POST",
      headers: { "content-type": "application/json", authorization: "Bearer of-the-check" },
      body: JSON.stringify({ model: "percept/inspect", messages: [{ role: "user", content: "Hello!" }] })
    })
    check(answer.status === 200, "it answers")
    check(existsSync(join(data, "percept.db")), "its record lies in the volume")
    const doctor = spawnSync(process.execPath, [program, "doctor"], { ...as, encoding: "utf8" })
    check(/✓ images/.test(doctor.stdout), "it can work on pictures, with the packages that are in the image")
    if (withWhisper)
      check(/✓ speech .*whisper-cli/.test(doctor.stdout), "it listens with the compiled whisper-cli")
  } finally {
    child.kill("SIGTERM")
  }
  check((await ended).code === 0, "it ends with 0 when it is told to")
}

process.on("exit", () => rmSync(scratch, { recursive: true, force: true }))
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(1))

for (const stage of stages) {
  say(`${stage.name ?? "the image"}   (${stage.image.replace(/@.*/, "")})`)
  // What every base image has.
  mkdirSync(join(folderOf.get(stage), "usr/local/bin"), { recursive: true })
  if (stage.name === "whisper-image") {
    if (withWhisper) provideWhisper(join(folderOf.get(stage), "app"))
  } else stage.outcome = follow(stage)
}
const image = folderOf.get(stages.at(-1))
say(
  `what the image adds of ours: ${execFileSync("du", ["-sh", join(image, "opt")], { encoding: "utf8" }).trim()}`
)
await start(stages.at(-1).outcome)
say("all is well")
