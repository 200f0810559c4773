import { Either } from "effect"
import * as Setting from "./Setting.ts"

const { flag, integer, oneOf, optional, secret, setting, text, url } = Setting

/** Where traces and figures go, by the standard's own variables. */
export const telemetrySettings = {
  otlpEndpoint: optional("OTEL_EXPORTER_OTLP_ENDPOINT", url, {
    example: "http://localhost:4318",
    about:
      "Turns OpenTelemetry on: the collector that gets traces and GenAI metrics over HTTP, at `/v1/traces` and `/v1/metrics` there. See docs/tracing.md."
  }),
  otlpTracesEndpoint: optional("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", url, {
    example: "http://localhost:4318/v1/traces",
    about: "The whole address for traces, where it is another."
  }),
  otlpMetricsEndpoint: optional("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", url, {
    example: "http://localhost:4318/v1/metrics",
    about: "The whole address for metrics, where it is another."
  }),
  otlpHeaders: optional("OTEL_EXPORTER_OTLP_HEADERS", secret, {
    example: "authorization=Bearer%20abc,x-team=media",
    about: "Headers for the collector, names and percent-encoded values, separated by commas."
  }),
  otlpProtocol: setting("OTEL_EXPORTER_OTLP_PROTOCOL", oneOf("http/protobuf", "http/json"), {
    fallback: "http/protobuf",
    example: "http/json",
    about: "`http/protobuf` or `http/json`."
  }),
  otlpTimeout: setting("OTEL_EXPORTER_OTLP_TIMEOUT", integer(1, 600_000), {
    fallback: "10000",
    example: "5000",
    about: "Longest wait for the collector, in milliseconds; requests never wait for it."
  }),
  otelServiceName: optional("OTEL_SERVICE_NAME", text, {
    example: "percept-eu",
    about: "The service's name in traces. Unset: `service.name` of the resource attributes, else `percept`."
  }),
  otelResourceAttributes: optional("OTEL_RESOURCE_ATTRIBUTES", text, {
    example: "deployment.environment.name=production,service.namespace=chat",
    about: "What else traces and metrics say of this process, names and values separated by commas."
  }),
  otelSampler: setting("OTEL_TRACES_SAMPLER", oneOf(...samplers()), {
    fallback: "parentbased_always_on",
    example: "parentbased_traceidratio",
    about: `Which requests are traced: ${samplers()
      .map((name) => `\`${name}\``)
      .join(", ")}.`
  }),
  otelSamplerArg: setting("OTEL_TRACES_SAMPLER_ARG", ratio, {
    fallback: "1",
    example: "0.1",
    about: "The part of the traces that `traceidratio` keeps, from 0 to 1."
  }),
  otelDisabled: setting("OTEL_SDK_DISABLED", flag, {
    fallback: "false",
    example: "true",
    about: "`true` turns traces and metrics off, whatever else is set."
  }),
  otelTracesExporter: setting("OTEL_TRACES_EXPORTER", oneOf("otlp", "none"), {
    fallback: "otlp",
    example: "none",
    about: "`none` sends no traces."
  }),
  otelMetricsExporter: setting("OTEL_METRICS_EXPORTER", oneOf("otlp", "none"), {
    fallback: "otlp",
    example: "none",
    about: "`none` sends no metrics; `/metrics` stays."
  }),
  otelSpanDelay: setting("OTEL_BSP_SCHEDULE_DELAY", integer(10, 600_000), {
    fallback: "5000",
    example: "1000",
    about: "How long ended requests wait for others to be sent along with, in milliseconds."
  }),
  otelMetricInterval: setting("OTEL_METRIC_EXPORT_INTERVAL", integer(10, 86_400_000), {
    fallback: "60000",
    example: "15000",
    about: "Milliseconds between two deliveries of metrics."
  }),
  captureContent: setting("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", flag, {
    fallback: "false",
    example: "true",
    about:
      "`true` puts prompts, answers and the words of errors into traces, scrubbed and shortened as in the record."
  }),
  traceUpstream: setting("TRACE_UPSTREAM", flag, {
    fallback: "false",
    example: "true",
    about:
      "`true` tells providers which trace a call belongs to; otherwise no trace leaves for third parties."
  })
}

function samplers() {
  return [
    "always_on",
    "always_off",
    "traceidratio",
    "parentbased_always_on",
    "parentbased_always_off",
    "parentbased_traceidratio"
  ] as const
}

function ratio(value: string): Either.Either<number, string> {
  const part = Number(value)
  return /^\d*\.?\d+$/.test(value) && part <= 1
    ? Either.right(part)
    : Either.left("must be a number from 0 to 1")
}
