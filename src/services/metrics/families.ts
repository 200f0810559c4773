import type { Family } from "./Registry.ts"

const family =
  (type: Family["type"]) =>
  (name: string, help: string, labels: ReadonlyArray<string> = []): Family => ({ name, type, help, labels })

const counter = family("counter")
const gauge = family("gauge")

const histogram = (
  name: string,
  bounds: ReadonlyArray<number>,
  help: string,
  labels: ReadonlyArray<string> = []
): Family => ({ name, type: "histogram", help, labels, bounds })

/** Seconds, for what waits for a model. */
const LONG = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300]

/** Seconds, for what the router itself takes. */
const SHORT = [0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1]

/** Seconds, for a picture as for four hours of film. */
const WIDE = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800]

/** What `/metrics` tells of requests; `docs/metrics.md` says the same. */
export const COUNTED = {
  requests: counter("percept_requests_total", "Requests and side calls that have ended.", [
    ...["kind", "endpoint", "provider", "status", "state"]
  ]),
  errors: counter("percept_request_errors_total", "Requests that failed, by who is to blame.", [
    ...["endpoint", "provider", "source"]
  ]),
  retries: counter("percept_upstream_retries_total", "Calls to a provider after the first.", ["provider"]),
  tokens: counter("percept_tokens_total", "Tokens, as the providers count them.", [
    ...["provider", "model", "type"]
  ]),
  cost: counter("percept_cost_dollars_total", "What requests have cost.", ["provider", "model", "source"]),
  unpriced: counter(
    "percept_cost_unknown_total",
    "Answered requests whose cost was not known at their end.",
    ["provider"]
  ),
  duration: histogram("percept_request_duration_seconds", LONG, "From a request to the end of its answer.", [
    ...["endpoint", "provider"]
  ]),
  firstToken: histogram(
    "percept_time_to_first_token_seconds",
    LONG,
    "From a request to the first piece of its streamed answer.",
    ["provider"]
  ),
  overhead: histogram(
    "percept_router_overhead_seconds",
    SHORT,
    "From a request to its first call to a provider, without the work on its media.",
    ["endpoint"]
  ),
  mediaStep: histogram("percept_media_step_seconds", WIDE, "What is done for media, step by step.", [
    ...["step", "outcome"]
  ]),
  mediaHits: counter("percept_media_cache_hits_total", "Media that were remembered.", ["kind"]),
  mediaMisses: counter("percept_media_cache_misses_total", "Media that had to be looked at.", ["kind"]),
  mediaFailures: counter("percept_media_failures_total", "Media that could not be had.", ["kind"])
} satisfies Record<string, Family>

/** What it tells of the process, asked when somebody wants to know. */
export const ASKED = {
  inFlight: gauge("percept_in_flight_requests", "Requests and side calls under way."),
  draining: gauge("percept_draining", "1 once the router goes down."),
  queueWaiting: gauge("percept_media_queue_waiting", "Media that wait for their turn."),
  queueWorking: gauge("percept_media_queue_working", "Media that are being worked on."),
  viewers: gauge("percept_live_viewers", "Who follows the live feed."),
  viewersDropped: counter("percept_live_viewers_dropped_total", "Viewers that did not read in time."),
  recordFailing: gauge("percept_record_failing", "1 while the record cannot be written."),
  logFailing: gauge("percept_log_failing", "1 while the request log cannot be written."),
  rowsLost: counter("percept_record_rows_lost_total", "Requests whose rows were never written."),
  linesLost: counter("percept_log_lines_lost_total", "Lines of the request log that were never written."),
  databaseBytes: gauge("percept_database_bytes", "Size of the database, its journal included."),
  searchBehind: gauge("percept_search_index_behind_rows", "Rows that cannot be searched yet."),
  tracesSent: counter("percept_telemetry_requests_sent_total", "Requests whose spans a collector has taken."),
  tracesDropped: counter(
    "percept_telemetry_requests_dropped_total",
    "Requests whose spans no collector has taken."
  ),
  delayMedian: gauge(
    "percept_event_loop_delay_p50_seconds",
    "Delay of the event loop, half the time at most."
  ),
  delayHigh: gauge("percept_event_loop_delay_p99_seconds", "The same for all but one moment in a hundred."),
  delayMost: gauge("percept_event_loop_delay_max_seconds", "The longest delay of the event loop."),
  loopBusy: counter("percept_event_loop_busy_seconds_total", "Time the event loop had something to do."),
  cpu: counter("process_cpu_seconds_total", "Processor time of all threads.", []),
  memory: gauge("process_resident_memory_bytes", "Memory of the process."),
  started: gauge("process_start_time_seconds", "When the process started, since 1970."),
  heap: gauge("nodejs_heap_size_used_bytes", "Memory of objects, garbage included."),
  external: gauge("nodejs_external_memory_bytes", "Memory of buffers and of native code."),
  build: family("info")("percept_build_info", "Always 1.", ["version", "node"])
} satisfies Record<string, Family>
