import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import { Console, Effect, Either, Schema } from "effect"
import { statSync } from "node:fs"
import { basename } from "node:path"
import * as ChatRequest from "../domain/chat/ChatRequest.ts"
import { rewrite } from "../domain/chat/Rewrite.ts"
import { MediaFailure } from "../domain/Errors.ts"
import { choose } from "../domain/media/Choice.ts"
import { editsFor } from "../domain/media/Edits.ts"
import { Evidence } from "../domain/media/Evidence.ts"
import { findMedia } from "../domain/media/MediaRef.ts"
import type { MediaRef } from "../domain/media/MediaRef.ts"
import { readWishes } from "../domain/media/Wishes.ts"
import { AppConfig } from "../services/AppConfig.ts"
import { describe } from "../services/gateway/providers/Inspect.ts"
import { ImagePipeline } from "../services/media/ImagePipeline.ts"
import { localFile } from "../services/media/LocalFile.ts"
import { keyOf, Observer } from "../services/media/Observer.ts"
import type { Observed, Want } from "../services/media/Observer.ts"
import { Presentation } from "../services/media/Presentation.ts"
import { VideoPipeline } from "../services/media/VideoPipeline.ts"
import { Workspace } from "../services/media/Workspace.ts"
import { inspecting } from "./inspecting.ts"
import { keepInspected } from "./keepInspected.ts"
import { progressOn } from "./progress.ts"
import type { Progress } from "./progress.ts"
import { NotDone, oneLine, said } from "./words.ts"

/** `percept inspect`: what a model would be given of a file or a link. */
export const inspect = Command.make(
  "inspect",
  {
    source: Args.text({ name: "file or link" }),
    out: said("out", "A folder for the frames, the transcript and the evidence."),
    frames: said("frames", "How many pictures to take, at most."),
    from: said("from", "Where to begin: seconds, or a time such as 1:30."),
    to: said("to", "Where to end."),
    json: Options.boolean("json").pipe(Options.withDescription("Prints what was found as JSON."))
  },
  (asked) => Effect.flatMap(wantIn(asked), (want) => inspecting(Effect.scoped(inspected(asked, want))))
).pipe(Command.withDescription("Shows what a model would be given of a file or a link."))

interface Asked {
  readonly source: string
  readonly out: string | undefined
  readonly json: boolean
}

const inspected = Effect.fnUntraced(function* (asked: Asked, wished: Wished) {
  const { videoFrames } = yield* AppConfig
  const { asksFrames, ...rest } = wished
  const want: Want = { ...rest, frames: asksFrames ? rest.frames : videoFrames, whole: () => false }
  const { name, ref, request } = yield* requestFor(asked.source)
  const progress = progressOn(process.stderr)
  const look = Effect.gen(function* () {
    return name === undefined
      ? yield* lookAtLink(ref, want, progress)
      : yield* lookAtFile(asked.source, want, progress)
  })
  const observed = yield* Effect.ensuring(look, Effect.sync(progress.end)).pipe(
    Effect.mapError(({ detail = "", message }) => new NotDone({ message: oneLine(`${message} ${detail}`) }))
  )
  const [item] = choose([ref], keyOf, 1).items
  if (item === undefined) return yield* NOTHING
  const { present } = yield* Presentation
  const shown = yield* present(item, observed, { sees: true, context: undefined }, NOBODY)
  const text = describe(rewrite(request, editsFor(request.messages, [{ item, shown }])))
  const files = asked.out === undefined ? [] : yield* keepInspected(observed, asked.out)
  yield* asked.json
    ? Console.log(JSON.stringify({ source: asked.source, ...factsOf(observed), shown: text, files }, null, 2))
    : Console.log(text)
  if (asked.out !== undefined && !asked.json)
    yield* Console.error(`${files.length} files are in ${asked.out}.`)
})

/** What of a medium is asked for. */
interface Wished extends Pick<Want, "frames" | "window"> {
  readonly asksFrames: boolean
}

/** In the words in which a request asks for it, and by the same rules. */
export const wantIn = ({
  frames,
  from,
  to
}: {
  readonly [name in "frames" | "from" | "to"]: string | undefined
}): Either.Either<Wished, NotDone> => {
  const percept = {
    ...(frames === undefined ? {} : { frames: /^\d+$/.test(frames) ? Number(frames) : frames }),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to })
  }
  const wishes = readWishes({ percept }, undefined, { policy: "auto", frames: undefined, window: undefined })
  return Either.mapBoth(wishes, {
    onLeft: ({ message }) => new NotDone({ message: message.replace(/'percept\.(\w+)'/g, "--$1") }),
    onRight: ({ frames: wanted, window }) => ({ frames: wanted, window, asksFrames: frames !== undefined })
  })
}

/** A chat about the medium, as a client would send it. */
const requestFor = Effect.fnUntraced(function* (source: string) {
  if (isFile(source)) {
    const name = basename(source)
    const message = { role: "user", content: [{ type: "file", file: { filename: name } }] }
    const ref: MediaRef = {
      ...{ message: 0, part: 0, kind: "unknown", param: source, inText: false, name },
      source: { data: source, declared: undefined }
    }
    return { name, ref, request: yield* ChatRequest.fromBody({ model: MODEL, messages: [message] }) }
  }
  const { mediaSites } = yield* AppConfig
  const messages = [{ role: "user", content: source }]
  const [ref] = findMedia(messages, { roles: ["user"], sites: mediaSites, sniff: true })
  if (ref === undefined || !("link" in ref.source))
    return yield* new NotDone({ message: `There is no file ${source}, and it is no link either.` })
  return { name: undefined, ref, request: yield* ChatRequest.fromBody({ model: MODEL, messages }) }
})

const lookAtLink = (ref: MediaRef, want: Want, { tell }: Progress) =>
  Effect.flatMap(Observer, ({ observe }) => Effect.map(observe(ref, want, tell), ({ observed }) => observed))

/** The operator's own file; it is looked at anew each time. */
const lookAtFile = Effect.fnUntraced(function* (source: string, want: Want, { tell }: Progress) {
  const folder = yield* (yield* Workspace).folder
  tell("reading", 0)
  const file = yield* localFile(source, folder)
  if (file.type.kind === "image") {
    const { normalise } = yield* ImagePipeline
    return { form: "pictures", pictures: yield* normalise(file) } satisfies Observed
  }
  const { analyse } = yield* VideoPipeline
  const { frames, window } = want
  const found = yield* analyse(file, file.sha256, { folder, frames, window, report: tell })
  const blobs = new Map(found.blobs.map((blob) => [blob.sha256, blob]))
  return { form: "evidence", evidence: found.evidence, blobs } satisfies Observed
})

const factsOf = (observed: Observed) => {
  switch (observed.form) {
    case "evidence":
      return { kind: observed.evidence.kind, evidence: Schema.encodeSync(Evidence)(observed.evidence) }
    case "pictures":
      return {
        kind: "image",
        pictures: observed.pictures.map(({ height, mime, sha256, width }) => ({
          height,
          mime,
          sha256,
          width
        }))
      }
    case "whole":
      return { kind: observed.type.kind }
  }
}

const isFile = (source: string): boolean => statSync(source, { throwIfNoEntry: false })?.isFile() ?? false

const MODEL = "percept/inspect"

/** Nobody pays for anything here: nothing is put into words by a model. */
const NOBODY = { id: "inspect", path: "inspect", clientIp: "", keyId: null, allowance: { pictures: 0 } }

const NOTHING = new MediaFailure({ code: "not_media", message: "There is nothing to look at." })
