import { Effect } from "effect"
import { stat } from "node:fs/promises"
import { createRequire } from "node:module"
import { join } from "node:path"
import { isAtLeast } from "../../domain/media/SiteVersion.ts"
import { AppConfig } from "../AppConfig.ts"
import { MediaTools } from "./MediaTools.ts"
import type { ToolCheck } from "./MediaTools.ts"
import { Subprocess } from "./Subprocess.ts"
import { modelFile } from "./whisper/ModelTable.ts"

/** How it stands with one thing that eyes and ears need. */
export interface Finding {
  readonly name: string
  readonly state: "ok" | "missing" | "old" | "failing"
  /** Found where, which version; or what is missing without it. */
  readonly text: string
  /** What mends it. */
  readonly remedy?: string
}

/** Looks at what this host has for eyes and ears. */
export class Doctor extends Effect.Service<Doctor>()("percept/Doctor", {
  effect: Effect.gen(function* () {
    const { dataDir, whisperCli, whisperModel, whisperUrl, ytDlpMinVersion } = yield* AppConfig
    const subprocess = yield* Subprocess
    const tools = yield* MediaTools

    const examine = Effect.fn("Doctor.examine")(function* () {
      const checks = yield* tools.all
      const of = (name: ToolCheck["name"]) => checks.find((check) => check.name === name)
      return [
        toolFinding(of("ffmpeg"), "videos and sound cannot be decoded"),
        toolFinding(of("ffprobe"), "videos and sound cannot be read"),
        speechFinding(of("whisper-cli")),
        yield* modelFinding,
        siteFinding(of("yt-dlp")),
        yield* imageFinding,
        yield* sandboxFinding
      ] satisfies ReadonlyArray<Finding>
    })

    /** A program of the host goes before the bundled engine, and an address before both. */
    const speechFinding = (check: ToolCheck | undefined): Finding => {
      if (whisperUrl !== undefined)
        return { name: "speech", state: "ok", text: `${whisperUrl.origin} (WHISPER_URL)` }
      // Who names a program means that one and no other.
      if (check?.tool !== undefined || whisperCli !== undefined)
        return { ...toolFinding(check, "videos are looked at, not listened to"), name: "speech" }
      if (hasBundledEngine()) return { name: "speech", state: "ok", text: "the bundled engine" }
      return {
        name: "speech",
        state: "missing",
        text: "no speech engine: videos are looked at, not listened to",
        remedy: "percept models build-engine"
      }
    }

    const modelFinding: Effect.Effect<Finding> = Effect.gen(function* () {
      const name = "speech model"
      if (whisperUrl !== undefined) return { name, state: "ok", text: "the one at WHISPER_URL" }
      const known = modelFile(whisperModel)
      const path = known === undefined ? whisperModel : join(dataDir, "models", known.file)
      const size = yield* Effect.promise(() =>
        stat(path).then(
          ({ size }) => size,
          () => undefined
        )
      )
      if (size !== undefined && (known === undefined || size === known.bytes))
        return { name, state: "ok", text: `${whisperModel}  ${path}` }
      return known === undefined
        ? {
            name,
            state: "missing",
            text: `there is no model ${whisperModel}`,
            remedy: "set WHISPER_MODEL_NAME"
          }
        : {
            name,
            state: "missing",
            text: `${whisperModel} will be fetched when it is first needed (${Math.round(known.bytes / 1e6)} MB)`,
            remedy: "percept models fetch"
          }
    })

    const siteFinding = (check: ToolCheck | undefined): Finding => {
      const found = toolFinding(check, "links to YouTube and other sites cannot be followed")
      const version = check?.tool?.version
      if (version === undefined || isAtLeast(version, ytDlpMinVersion)) return found
      return {
        ...found,
        state: "old",
        text: `${found.text}: too old to be trusted with links, ${ytDlpMinVersion} or newer is needed`,
        ...(check === undefined ? {} : { remedy: check.install })
      }
    }

    const imageFinding = Effect.sync((): Finding =>
      isInstalled("sharp")
        ? { name: "images", state: "ok", text: "sharp" }
        : { name: "images", state: "missing", text: "sharp is not installed", remedy: "npm install" }
    )

    const sandboxFinding = Effect.map(
      subprocess.sandbox,
      ({ death, limits, network, processes }): Finding => {
        const missing = [
          ...(network === "none" ? ["they can reach the network"] : []),
          ...(limits === "none" ? ["their memory has no limit"] : []),
          ...(death === "none" || processes === "none" ? ["they may outlive a router that is killed"] : [])
        ]
        return missing.length === 0
          ? {
              name: "sandbox",
              state: "ok",
              text: "decoders have limits and no network, and die with the router"
            }
          : { name: "sandbox", state: "missing", text: `decoders are not locked in: ${missing.join(", ")}` }
      }
    )

    return { examine }
  })
}) {}

const toolFinding = (check: ToolCheck | undefined, without: string): Finding =>
  check?.tool === undefined
    ? {
        name: check?.name ?? "",
        state: "missing",
        text: `${sentence(check?.problem ?? "It was not found")} Without it ${without}.`,
        ...(check === undefined ? {} : { remedy: check.install })
      }
    : {
        name: check.name,
        state: "ok",
        text: `${check.tool.version}  ${check.tool.path} (${check.tool.from})`
      }

/** What a program wrote as it died may be long, and have many lines. */
const sentence = (text: string): string => text.replace(/\s+/g, " ").trim().slice(0, 300).replace(/\.?$/, ".")

/** The engine is a package for all hosts, and another one with what only one kind of host can run. */
const hasBundledEngine = (): boolean => {
  const host = `@napi-rs/whisper-${process.platform}-${process.arch}`
  return isInstalled("@napi-rs/whisper") && [host, `${host}-gnu`, `${host}-musl`].some(isInstalled)
}

const isInstalled = (name: string): boolean => {
  try {
    fromHere.resolve(name)
    return true
  } catch {
    return false
  }
}

const fromHere = createRequire(import.meta.url)
