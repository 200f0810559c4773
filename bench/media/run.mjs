/**
 * What looking and listening cost: how far the two halves overlap, whether a long video costs more than a short one,
 * and what a video that has been seen before still costs.
 */
import { build } from "esbuild"
import { spawn, spawnSync } from "node:child_process"
import {
  createReadStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { createServer } from "node:http"
import { tmpdir } from "node:os"
import path from "node:path"

const root = path.join(import.meta.dirname, "..", "..")
const flag = (name, fallback) => {
  const at = process.argv.indexOf(`--${name}`)
  return at < 0 ? fallback : Number(process.argv[at + 1])
}
const rounds = flag("rounds", 3)
const folder = mkdtempSync(path.join(tmpdir(), "percept-bench-"))
const data = path.join(folder, "data")
// Beside it lie the programs that decode, as they do beside the router.
const halvesFolder = path.join(root, "node_modules", ".percept-bench")
const halves = path.join(halvesFolder, "halves.js")

const run = (command, ...args) => {
  const { error, status, stderr, stdout } = spawnSync(command, args, { encoding: "utf8" })
  if (error !== undefined || status !== 0)
    throw new Error(`${command} failed: ${error?.message ?? stderr.slice(-500)}`)
  return stdout
}
const ffmpeg = (...args) => run("ffmpeg", "-v", "error", "-nostdin", "-y", ...args)
const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]
const say = (text) => console.log(text)

/** Wall time of the work itself, in milliseconds, and the processor seconds of everything it started. */
const measure = (what, file, ...more) => {
  const script = `TIMEFORMAT='%U %S'; time "$@"`
  const { status, stderr, stdout } = spawnSync(
    "bash",
    ["-c", script, "bash", process.execPath, halves, what, file, data, ...more],
    { encoding: "utf8" }
  )
  if (status !== 0) throw new Error(`${what} failed: ${stderr.slice(-800)}`)
  const [user, system] = stderr.trim().split("\n").at(-1).split(" ").map(Number)
  return { wall: Number(stdout.trim()), cpu: user + system }
}

/** A minute of speech under a moving picture. */
const spokenClip = () => {
  const file = path.join(folder, "spoken.mp4")
  const sentences = [
    "The morning train leaves the old station when the sun comes up over the river.",
    "Children carry their books along the street, and the baker opens the heavy door.",
    "A gardener waters the roses while two dogs sleep in the shade of a large tree.",
    "Later in the day the market fills with people who buy bread, cheese and apples.",
    "When the rain begins everybody runs for shelter under the roof of the town hall.",
    "An old man tells a story about a ship that sailed around the world in winter."
  ]
  const text = path.join(folder, "spoken.txt")
  writeFileSync(text, [...sentences, ...sentences.toReversed(), ...sentences].join("\n"))
  const speech = path.join(folder, "speech.wav")
  run("espeak-ng", "-v", "en-us", "-s", "150", "-f", text, "-w", speech)
  ffmpeg(
    ...["-f", "lavfi", "-i", "testsrc2=s=1280x720:r=25:d=60", "-i", speech, "-t", "60"],
    ...["-c:v", "libx264", "-preset", "veryfast", "-c:a", "aac", "-shortest", file]
  )
  return file
}

/** The same two minutes, once and sixty times. */
const shortAndLong = () => {
  const short = path.join(folder, "short.mp4")
  const long = path.join(folder, "long.mp4")
  const scenes = Array.from(
    { length: 24 },
    (_, scene) => `testsrc2=s=1280x720:r=25:d=5,hue=h=${scene * 15}[s${scene}]`
  )
  const joined = scenes.map((_, scene) => `[s${scene}]`).join("")
  ffmpeg(
    ...["-filter_complex", `${scenes.join(";")};${joined}concat=n=24`],
    ...["-c:v", "libx264", "-preset", "veryfast", "-g", "250", short]
  )
  ffmpeg("-stream_loop", "59", "-i", short, "-c", "copy", long)
  return { short, long }
}

/** Milliseconds in Perception for a video that is known, over many requests, as the answer's header says. */
const remembered = async (file) => {
  const host = createServer((request, response) => {
    response.setHeader("content-length", statSync(file).size)
    response.setHeader("etag", '"one"')
    if (request.method === "HEAD") response.end()
    else createReadStream(file).pipe(response)
  })
  await new Promise((resolve) => host.listen(0, "127.0.0.1", resolve))
  const { port } = host.address()
  const router = spawn(process.execPath, [path.join(root, "dist", "main.js")], {
    env: {
      ...process.env,
      DATA_DIR: path.join(folder, "router"),
      LISTEN_PORT: "0",
      MEDIA_ALLOWED_HOSTS: `127.0.0.1:${port}`
    },
    stdio: ["ignore", "pipe", "inherit"]
  })
  const url = await new Promise((resolve) => {
    let said = ""
    router.stdout.on("data", (bytes) => {
      said += bytes
      const found = /listening on (\S+)/.exec(said)
      if (found !== null) resolve(found[1])
    })
  })
  const content = `What is this? http://127.0.0.1:${port}/clip.mp4`
  const body = JSON.stringify({ model: "percept/inspect", messages: [{ role: "user", content }] })
  const ask = async () => {
    const answer = await fetch(`${url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body
    })
    await answer.arrayBuffer()
    return Number(/(\d+) ms/.exec(answer.headers.get("x-percept-media") ?? "")?.[1])
  }
  const first = await ask()
  const times = []
  for (let count = 0; count < 40; count++) times.push(await ask())
  router.kill()
  await new Promise((resolve) => router.once("exit", resolve))
  host.close()
  return { first, again: median(times), worst: Math.max(...times) }
}

const weights = path.join(root, "node_modules", ".percept-test", "models")
mkdirSync(data, { recursive: true })
if (existsSync(weights)) symlinkSync(weights, path.join(data, "models"))

try {
  await build({
    absWorkingDir: root,
    entryPoints: ["bench/media/halves.ts"],
    outfile: halves,
    bundle: true,
    platform: "node",
    target: "node20",
    format: "esm",
    external: ["sharp", "@napi-rs/whisper"],
    alias: { "better-sqlite3": "./src/services/database/chosenSqlite.ts" },
    banner: {
      js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);'
    }
  })

  symlinkSync(path.join(root, "dist", "workers"), path.join(halvesFolder, "workers"))

  const { long, short } = shortAndLong()
  const ratios = []
  for (let round = 0; round < rounds; round++) {
    const [less, more] = [measure("look", short, "12").cpu, measure("look", long, "12").cpu]
    ratios.push(more / less)
    say(
      `12 pictures: 2 min ${less.toFixed(2)} s of CPU, 2 h ${more.toFixed(2)} s: ${(more / less).toFixed(2)}x`
    )
  }
  say(`a long video costs ${median(ratios).toFixed(2)}x a short one (goal 1.5x)\n`)

  const spoken = spokenClip()
  const overlaps = []
  for (let round = 0; round < rounds; round++) {
    const [look, listen, both] = ["look", "listen", "both"].map((what) => measure(what, spoken).wall)
    const ratio = both / Math.max(look, listen)
    overlaps.push(ratio)
    say(
      `60 s of speech: look ${look} ms, listen ${listen} ms, both ${both} ms: ${ratio.toFixed(2)}x the slower half`
    )
  }
  say(`both halves take ${median(overlaps).toFixed(2)}x the slower one (goal 1.15x)\n`)

  const { again, first, worst } = await remembered(short)
  say(`a video: ${first} ms; the same again: ${again} ms, at worst ${worst} ms (goal 20 ms)`)
} finally {
  rmSync(folder, { recursive: true, force: true })
  rmSync(halvesFolder, { recursive: true, force: true })
}
