import { Redacted } from "effect"
import type { AppConfigValues } from "../AppConfig.ts"
import { version } from "../version.ts"
import { attributesOf } from "./otlp.ts"
import type { KeyValue } from "./otlp.ts"

/** A collector, and how it is spoken to. */
export interface Destination {
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly isJson: boolean
  /** Milliseconds. */
  readonly timeout: number
}

/** Where traces go; undefined where they go nowhere. */
export const tracesTo = (config: AppConfigValues): Destination | undefined =>
  config.otelDisabled || config.otelTracesExporter === "none"
    ? undefined
    : destination(config, config.otlpTracesEndpoint, "v1/traces")

/** Where metrics go; undefined where they go nowhere. */
export const metricsTo = (config: AppConfigValues): Destination | undefined =>
  config.otelDisabled || config.otelMetricsExporter === "none"
    ? undefined
    : destination(config, config.otlpMetricsEndpoint, "v1/metrics")

/** What every trace and metric says of the process it comes from. */
export const resourceOf = (config: AppConfigValues, instance: string): { attributes: Array<KeyValue> } => {
  const given = Object.fromEntries(pairsIn(config.otelResourceAttributes ?? ""))
  return {
    attributes: attributesOf({
      "service.version": version,
      "service.instance.id": instance,
      ...given,
      "service.name": config.otelServiceName ?? given["service.name"] ?? "percept"
    })
  }
}

/** Whether a request is traced that nobody has decided about, or whose caller has. */
export const samplerOf = ({ otelSampler, otelSamplerArg }: AppConfigValues): Sampler => {
  const own = otelSampler.replace("parentbased_", "")
  const decide = (traceId: string): boolean => {
    if (own === "traceidratio") return parseInt(traceId.slice(-13), 16) < otelSamplerArg * 16 ** 13
    return own === "always_on"
  }
  const asksParent = otelSampler.startsWith("parentbased_")
  return (traceId, parent) => (asksParent && parent !== undefined ? parent : decide(traceId))
}

export type Sampler = (traceId: string, parent: boolean | undefined) => boolean

const destination = (
  config: AppConfigValues,
  whole: URL | undefined,
  path: string
): Destination | undefined => {
  const url = whole === undefined ? below(config.otlpEndpoint, path) : new URL(whole)
  if (url === undefined) return undefined
  const login = `${decoded(url.username)}:${decoded(url.password)}`
  url.username = url.password = ""
  const isJson = config.otlpProtocol === "http/json"
  return {
    ...{ url, isJson, timeout: config.otlpTimeout },
    headers: {
      "user-agent": `percept/${version}`,
      ...(login === ":" ? {} : { authorization: `Basic ${Buffer.from(login).toString("base64")}` }),
      ...Object.fromEntries(
        config.otlpHeaders === undefined
          ? []
          : pairsIn(Redacted.value(config.otlpHeaders)).map(([name, value]) => [name.toLowerCase(), value])
      ),
      "content-type": isJson ? "application/json" : "application/x-protobuf"
    }
  }
}

const below = (base: URL | undefined, path: string): URL | undefined => {
  if (base === undefined) return undefined
  const url = new URL(base)
  url.pathname = `${url.pathname.replace(/\/+$/, "")}/${path}`
  return url
}

/** `a=b,c=d`, values percent-encoded; what is no pair is passed over, as the standard wants it. */
const pairsIn = (text: string): ReadonlyArray<readonly [name: string, value: string]> =>
  text.split(",").flatMap((pair) => {
    const at = pair.indexOf("=")
    const name = pair.slice(0, Math.max(0, at)).trim()
    const value = decoded(pair.slice(at + 1).trim())
    return /^[\w!#$%&'*+.^`|~/-]+$/.test(name) && !UNSAFE.test(value) ? [[decoded(name), value] as const] : []
  })

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Control characters have no place in a header. */
const UNSAFE = /[^\t\u0020-\u007e\u0080-\uffff]/
