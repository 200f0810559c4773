import { Assembly, answerLength, promptLength } from "../../domain/chat/Assembly.ts"
import type { ChatRequest } from "../../domain/chat/ChatRequest.ts"
import type { Failure } from "../../domain/Errors.ts"
import type { Exchange } from "../../domain/Exchange.ts"
import { stringField } from "../../domain/Json.ts"
import type { JsonObject } from "../../domain/Json.ts"
import type { Pricing } from "../../domain/Pricing.ts"
import type { Reply } from "../../domain/Reply.ts"
import type { RequestTrace } from "../../domain/TraceContext.ts"
import type { RequestKind, RequestRecord, RequestState } from "../../domain/RequestRecord.ts"
import * as Preview from "../../domain/record/Preview.ts"
import { figuresOf } from "../../domain/record/Figures.ts"
import type { Sighting } from "../../domain/record/Sighting.ts"
import * as Usage from "../../domain/Usage.ts"
import { freshRow } from "./freshRow.ts"
import { lastAttemptOf } from "./lastAttempt.ts"
import { notePerceived } from "./notePerceived.ts"
import { Steps } from "./Steps.ts"
import type { AskedElse, Perceived, RoutedTo, ToldElse } from "./told.ts"

/** One request's row while it lives: filled in by the flow, closed exactly once. */
export class Recording {
  readonly row: RequestRecord
  /** Whether a row of this request has been handed to the database. */
  written = false
  /** Whether log, metrics and trace have been told of its end. */
  told = false
  failure: Failure | undefined
  // Texts alone: what was read of them would be kept alive until the row is written.
  request: string | undefined
  /** The client's bytes where they were no request. */
  rejected: Uint8Array | undefined
  private answer: string | undefined
  private usage: Usage.Usage | undefined
  /** The answer, where it comes in pieces. */
  assembly: Assembly | undefined
  /** The router is going down and has ended this request. */
  cut = false
  /** What the request is at, in a few words. */
  stage = "reading"
  /** What was done about its media, in one line; undefined where it has none. */
  media: string | undefined
  /** Kept only where there is more to tell than its columns do: of media, and of what was tried again. */
  steps: Steps | undefined
  sightings: ReadonlyArray<Sighting> | undefined
  private rerouted = false
  private isSeveral = false
  readonly startedAt = performance.now()
  /** When it was on its way to a provider; 0 where it never was. */
  upstreamAt = 0
  /** The model's name in the catalogue, where it is in there. */
  listedAs: string | undefined
  readonly trace: RequestTrace | undefined
  private pricing: Pricing | undefined
  /** Characters of a text that are kept; 0 where none are. */
  readonly bodyLimit: number

  constructor(exchange: Exchange, instanceId: string, bodyLimit: number) {
    this.bodyLimit = bodyLimit
    this.trace = exchange.trace
    this.row = freshRow(exchange, instanceId)
  }

  admitted(caller: { readonly keyId: string | null }): void {
    this.row.key_id = caller.keyId
  }

  received(bytes: Uint8Array): Uint8Array {
    this.rejected = bytes
    return bytes
  }

  asked(request: ChatRequest): ChatRequest {
    if (this.bodyLimit > 0) {
      this.request = request.text
      this.row.preview = Preview.ofMessages(request.messages)
    }
    this.rejected = undefined
    this.row.model_requested_by_client = request.model?.slice(0, 200) ?? null
    this.row.is_streaming = request.stream ? 1 : 0
    this.row.input_char_length = promptLength(request.messages)
    return request
  }

  /** Told once for each prompt of a request that has several, of which some are looked at side by side. */
  perceived(media: Perceived): void {
    this.media = this.media === undefined ? media.line : `${this.media} + ${media.line}`.slice(0, 1000)
    this.rerouted ||= media.rerouted
    notePerceived(this.row, media)
  }

  /** Its media one by one; said once for each prompt of a request that has several. */
  sighted(sightings: ReadonlyArray<Sighting>): void {
    this.sightings = [...(this.sightings ?? []), ...sightings].slice(0, MOST_SIGHTINGS)
  }

  /** What is being done for it is worth keeping from now on. */
  watched(): Steps {
    if (this.steps === undefined) {
      this.steps = new Steps()
      this.steps.add("read", 0, this.upstreamAt === 0 ? this.elapsed() : this.sinceStart(this.upstreamAt))
    }
    return this.steps
  }

  /** This is no client's request but a call made for one. */
  onBehalf(kind: RequestKind, parentId: string, keyId: string | null): void {
    this.row.kind = kind
    this.row.parent_request_id = parentId
    this.row.key_id = keyId
  }

  routed<To extends RoutedTo>(to: To): To {
    this.stage = "answering"
    this.row.provider = to.provider.name
    this.row.model_routed_to_openrouter = to.model.slice(0, 200)
    this.row.route_rule = this.rerouted ? "vision" : to.mapped === undefined ? to.rule : `map+${to.rule}`
    this.pricing = to.pricing
    this.listedAs = to.listed?.id
    this.upstreamAt = performance.now()
    return to
  }

  /** It is answered by several answers: what one of them cost is not what it cost. */
  inParts(): void {
    this.isSeveral = true
  }

  /** A request that is no chat: what was asked, as JSON text. */
  askedElse({ characters, model, stream, text }: AskedElse): void {
    if (this.bodyLimit > 0) {
      this.request = text
      this.row.preview = Preview.ofJson(text)
    }
    this.rejected = undefined
    this.row.model_requested_by_client = model?.slice(0, 200) ?? null
    this.row.is_streaming = stream ? 1 : 0
    this.row.input_char_length = characters ?? null
  }

  /** Its answer, as JSON text. */
  answeredElse(text: string, characters: number | null): void {
    if (this.bodyLimit > 0) this.answer = text
    this.row.output_char_length = characters
  }

  /** The same reply, overheard. */
  overhearing(reply: Reply): Reply {
    return {
      opened: (generation, headers) => {
        this.row.openrouter_request_id = generation?.slice(0, 200) ?? null
        reply.opened(generation, headers)
      },
      priced: (pricing) => {
        this.pricing = pricing
      },
      whole: (bytes, text, value) => {
        this.firstByte()
        this.trace?.hear(value)
        if (this.bodyLimit > 0) this.answer = text
        this.usage = Usage.fromAnswer(value["usage"])
        this.row.openrouter_request_id ??= stringField(value, "id") ?? null
        this.row.output_char_length = answerLength(value)
        reply.whole(bytes, text, value)
      },
      events: (bytes, chunks) => {
        if (this.assembly === undefined) {
          this.firstByte()
          this.assembly = new Assembly(this.bodyLimit)
        }
        for (const chunk of chunks) {
          if (this.row.time_to_first_token_ms === null) this.row.time_to_first_token_ms = this.elapsed()
          this.assembly.add(chunk)
          this.trace?.hear(chunk)
        }
        return reply.events(bytes, chunks)
      },
      onDrain: (resume) => reply.onDrain(resume),
      end: () => reply.end(),
      again: (failure, wait) =>
        this.watched().again(failure, this.sinceStart(this.upstreamAt), this.elapsed(), wait)
    }
  }

  /** The same for the reply to a request that is no chat; `told` is asked about whatever is said. */
  overhearingElse(reply: Reply, told: (said: JsonObject) => ToldElse | undefined): Reply {
    const hear = (said: JsonObject) => {
      this.trace?.hear(said)
      const found = told(said)
      if (found === undefined) return
      this.answeredElse(JSON.stringify(found.kept), found.characters)
      this.usage = Usage.fromAnswer(found.usage)
      this.row.openrouter_request_id ??= stringField(said, "id") ?? null
    }
    return {
      ...this.overhearing(reply),
      whole: (bytes, text, value) => {
        this.firstByte()
        hear(value)
        reply.whole(bytes, text, value)
      },
      plain: (bytes, contentType, said) => {
        this.firstByte()
        hear(said)
        reply.plain?.(bytes, contentType, said)
      },
      events: (bytes, chunks) => {
        if (this.row.openrouter_latency_ms === null) this.firstByte()
        if (chunks.length > 0) this.row.time_to_first_token_ms ??= this.elapsed()
        chunks.forEach(hear)
        return reply.events(bytes, chunks)
      }
    }
  }

  close(state: RequestState, status: number, failure: Failure | undefined): void {
    const { row } = this
    row.state = state
    row.status_code_returned_to_client = status
    row.processing_duration_ms = this.elapsed()
    if (failure !== undefined) {
      row.error_source = failure.source
      row.error_message = failure.message
    }
    if (this.assembly !== undefined) {
      row.output_char_length = this.assembly.characters
      row.openrouter_request_id ??= this.assembly.id ?? null
      this.usage = Usage.fromAnswer(this.assembly.usage)
    }
    this.steps?.finish(lastAttemptOf(this, failure))
    if (this.usage !== undefined) Object.assign(row, figuresOf(this.usage, this.pricing, row.timestamp))
    else if (this.isSeveral) row.openrouter_request_id = null
  }

  /** The answer as JSON text, put together if it came in pieces; undefined where there was none. */
  answerText(): string | undefined {
    return this.assembly === undefined ? this.answer : JSON.stringify(this.assembly.completion())
  }

  private firstByte(): void {
    this.row.openrouter_latency_ms = Math.round(performance.now() - this.upstreamAt)
  }

  /** Milliseconds since the request came. */
  elapsed(): number {
    return this.sinceStart(performance.now())
  }

  private sinceStart(moment: number): number {
    return Math.round(moment - this.startedAt)
  }
}

const MOST_SIGHTINGS = 300
