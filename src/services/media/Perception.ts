import { Duration, Effect, Either } from "effect"
import * as ChatRequest from "../../domain/chat/ChatRequest.ts"
import { rewrite, withoutKey } from "../../domain/chat/Rewrite.ts"
import { MediaFailure } from "../../domain/Errors.ts"
import type { InvalidRequest } from "../../domain/Errors.ts"
import type { Exchange } from "../../domain/Exchange.ts"
import { choose } from "../../domain/media/Choice.ts"
import type { Item } from "../../domain/media/Choice.ts"
import { editsFor } from "../../domain/media/Edits.ts"
import type { MediaType } from "../../domain/media/Media.ts"
import { findMedia, mayHoldMedia } from "../../domain/media/MediaRef.ts"
import type { MediaRef } from "../../domain/media/MediaRef.ts"
import { readWishes } from "../../domain/media/Wishes.ts"
import type { Wishes } from "../../domain/media/Wishes.ts"
import { contextOf, takes } from "../../domain/Model.ts"
import type { Model } from "../../domain/Model.ts"
import { AppConfig } from "../AppConfig.ts"
import { Catalogue } from "../gateway/Catalogue.ts"
import { ModelRouter } from "../gateway/ModelRouter.ts"
import type { Route } from "../gateway/ModelRouter.ts"
import { noteStep } from "../tracking/noteStep.ts"
import type { Recording } from "../tracking/Recording.ts"
import { Redaction } from "../tracking/Redaction.ts"
import { stepping } from "../tracking/stepping.ts"
import { announcing } from "./Announcer.ts"
import type { Tell } from "./Announcer.ts"
import { MediaQueue } from "./MediaQueue.ts"
import { Observer, keyOf } from "./Observer.ts"
import type { Want } from "./Observer.ts"
import { isPictured, isVisible, sightingsOf, summaryOf } from "./perceived.ts"
import type { Seen } from "./perceived.ts"
import { Presentation } from "./Presentation.ts"
import type { Audience } from "./Presentation.ts"

/** Where a request's media become what the model can take. */
export class Perception extends Effect.Service<Perception>()("percept/Perception", {
  effect: Effect.gen(function* () {
    const config = yield* AppConfig
    const catalogue = yield* Catalogue
    const observer = yield* Observer
    const { jobs } = yield* MediaQueue
    const presentation = yield* Presentation
    const redaction = yield* Redaction
    const router = yield* ModelRouter
    const fallback: Wishes = { policy: config.mediaPolicy, frames: config.videoFrames, window: undefined }
    const finding = { roles: config.mediaRoles, sites: config.mediaSites, sniff: config.mediaSniff }

    /** Nearly all requests hold no media, and pass as they are. */
    const perceive = (
      request: ChatRequest.ChatRequest,
      exchange: Exchange,
      recording: Recording
    ): Effect.Effect<ChatRequest.ChatRequest, InvalidRequest | MediaFailure> => {
      const asks = request.body["percept"] !== undefined
      if (!asks && !mayHoldMedia(request.text)) return Effect.succeed(request)
      return Either.match(readWishes(request.body, exchange.header("x-percept-policy"), fallback), {
        onLeft: (problem) => Effect.fail(problem),
        onRight: (wishes) => {
          const bare = asks ? withoutKey(request, "percept") : request
          const refs = wishes.policy === "off" ? [] : findMedia(bare.messages, finding)
          if (refs.length === 0) return Effect.succeed(bare)
          return stepping(recording)(look(bare, refs, wishes, exchange, recording))
        }
      })
    }

    /** Looks at what there is, decides who answers, and puts it into the form that model takes. */
    const look = Effect.fn("Perception.look")(function* (
      request: ChatRequest.ChatRequest,
      refs: ReadonlyArray<MediaRef>,
      wishes: Wishes,
      exchange: Exchange,
      recording: Recording
    ) {
      const asked = yield* targetOf(request.model)
      // A model that does not exist is no reason to look at anything; the gateway will say so.
      if (asked === undefined) return request
      const eyes = yield* router.eyes
      const vision = eyes && asTarget(eyes)
      const first = wishes.policy === "reroute" ? (vision ?? asked) : asked
      const { items, skipped } = choose(refs, keyOf, config.mediaMaxItems)
      const started = performance.now()

      return yield* announcing(exchange, request, (news) =>
        Effect.gen(function* () {
          const tell = (line: string) => {
            recording.stage = line
            news(line)
          }
          const observing = { recording, tell }
          const found = yield* observeAll(items, wantOf(first, wishes), observing)
          const needsEyes =
            wishes.policy === "reroute"
              ? found.some(isVisible)
              : wishes.policy === "auto" && !asked.sees && found.some(isPictured)
          const audience = (needsEyes ? vision : undefined) ?? asked
          const rerouted = audience !== asked
          const seen = audience === first ? found : yield* takenBy(audience, found, wishes, observing)
          if (seen.length + skipped.length === 0) return request
          news("writing it down")
          const sees = audience.sees && wishes.policy !== "describe"
          const { presented, toldWhy } = yield* presentAll(
            seen,
            { ...audience, sees },
            {
              ...{ id: exchange.id, path: exchange.path, clientIp: exchange.clientIp, trace: exchange.trace },
              ...{ keyId: recording.row.key_id, allowance: { pictures: MOST_DESCRIBED } }
            }
          )
          const passedOver = yield* presentation.passOver(skipped)
          recording.perceived({
            ...summaryOf(seen, skipped.length, performance.now() - started),
            rerouted
          })
          recording.sighted(sightingsOf(seen, skipped, sees || vision === undefined, toldWhy))
          const rewritten = rewrite(request, editsFor(request.messages, [...presented, ...passedOver]))
          return rerouted ? ChatRequest.withModel(rewritten, config.visionModel) : rewritten
        })
      )
    })

    /** What is known of the model a request would be answered by. */
    const targetOf = Effect.fnUntraced(function* (model: string | undefined) {
      if (model !== undefined) yield* catalogue.find(model)
      const route = Either.getOrUndefined(router.route(model))
      return route && asTarget(route)
    })

    /** What the model takes whole; a request for certain pictures or a certain stretch gets those. */
    const wantOf = ({ listed }: Target, { frames, policy, window }: Wishes): Want => {
      const asksForMore = frames !== fallback.frames || window !== undefined
      return {
        frames,
        window,
        whole: ({ kind, mime }: MediaType) =>
          !asksForMore && policy !== "describe" && takes(listed, kind) === true && WHOLE.has(mime)
      }
    }

    /** What was taken whole for another reader than the one who answers in the end is looked at once more. */
    const takenBy = Effect.fnUntraced(function* (
      audience: Target,
      found: ReadonlyArray<Seen>,
      wishes: Wishes,
      observing: Observing
    ) {
      const want = wantOf(audience, wishes)
      const isUnfit = ({ result }: Seen) =>
        Either.isRight(result) &&
        result.right.observed.form === "whole" &&
        !want.whole(result.right.observed.type)
      const unfit = found.filter(isUnfit).map(({ item }) => item)
      const anew = yield* observeAll(unfit, want, observing)
      return found.map((one) => anew.find(({ item }) => item === one.item) ?? one)
    })

    const observeAll = Effect.fnUntraced(function* (
      items: ReadonlyArray<Item>,
      want: Want,
      { recording, tell }: Observing
    ) {
      const observe = Effect.fn("Perception.observe")(function* (item: Item, at: number) {
        const which = `${item.ref.kind} ${at + 1}/${items.length}`
        yield* noteStep(which)
        const sighting = yield* observer.observe(item.ref, want, (line) => tell(`${which} ${line}`))
        if (sighting.remembered) yield* noteStep(`${which}, remembered`)
        return sighting
      })
      const seen = yield* Effect.forEach(
        items,
        (item, at) =>
          Effect.map(Effect.timed(Effect.either(observe(item, at))), ([took, result]): Seen => ({
            item,
            result,
            ms: Duration.toMillis(took)
          })),
        // One request alone cannot be more than the queue takes.
        { concurrency: jobs }
      )
      const told = seen.filter(({ item, result }) => Either.isRight(result) || item.ref.kind !== "unknown")
      for (const { item, result } of told) {
        if (Either.isRight(result)) continue
        const { code, detail, message } = result.left
        if (config.mediaStrict || code === "busy" || code === "no_space") {
          recording.sighted(sightingsOf(told, [], true))
          return yield* new MediaFailure({
            ...{ code, message: `The medium at '${item.ref.param}' cannot be used. ${message}` },
            ...{ param: item.ref.param, ...(detail === undefined ? {} : { detail }) }
          })
        }
        // The model is told in plain words alone; what really happened is for the operator.
        const happened = `A medium became a note: ${message} (${code}) ${redaction.scrub(detail ?? "")}`
        yield* code === "tool_missing" ? Effect.logWarning(happened) : Effect.logDebug(happened)
      }
      return told
    })

    const presentAll = (
      seen: ReadonlyArray<Seen>,
      audience: Audience,
      parent: Parameters<typeof presentation.present>[3]
    ) => {
      const toldWhy = new Map<Item, string>()
      const excuse = (item: Item, why: string) => {
        toldWhy.set(item, why)
        return presentation.excuse(item, why)
      }
      const presented = Effect.forEach(
        seen,
        ({ item, result }) =>
          Effect.map(
            Either.isRight(result)
              ? Effect.catchTag(
                  presentation.present(item, result.right.observed, audience, parent),
                  "MediaFailure",
                  ({ message }) => excuse(item, message)
                )
              : excuse(item, result.left.message),
            (shown) => ({ item, shown })
          ),
        { concurrency: PRESENTED_AT_ONCE }
      )
      return Effect.map(presented, (presented) => ({ presented, toldWhy }))
    }

    return { perceive }
  })
}) {}

/** Who is told how it goes. */
interface Observing {
  readonly recording: Recording
  readonly tell: Tell
}

/** A model that may answer. */
interface Target {
  readonly sees: boolean
  readonly context: number | undefined
  readonly listed: Model | undefined
}

/** Who keeps no catalogue may well see: what it does with a picture is better than a picture kept from it. */
const asTarget = ({ listed }: Route): Target => ({
  sees: takes(listed, "image") ?? true,
  context: contextOf(listed),
  listed
})

/** Pictures that one request may have described anew; what is remembered costs nothing. */
const MOST_DESCRIBED = 64

const PRESENTED_AT_ONCE = 8

/** What providers take as it is. */
const WHOLE = new Set(["video/mp4", "video/webm", "audio/wav", "audio/mpeg"])
