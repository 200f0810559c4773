import * as Setting from "./Setting.ts"

const { flag, integer, optional, secret, setting, text } = Setting

/** How long the record is kept, how much room it may take, and who may look at it. */
export const recordSettings = {
  maxLogAgeDays: setting("MAX_LOG_AGE_DAYS", integer(1, 36500), {
    fallback: "7",
    example: "30",
    about: "How many days requests are kept; sums by day stay for ever."
  }),
  bodyMaxAgeDays: optional("BODY_MAX_AGE_DAYS", integer(1, 36500), {
    example: "2",
    about: "How many days the texts of requests and answers are kept. Unset: as long as their requests."
  }),
  rollupMaxAgeDays: setting("ROLLUP_MAX_AGE_DAYS", integer(1, 36500), {
    fallback: "90",
    example: "365",
    about: "How many days sums by the hour are kept."
  }),
  dbMaxMb: setting("DB_MAX_MB", integer(0, 16777216), {
    fallback: "4096",
    example: "1024",
    about:
      "Room the record may take in its database, beside `MEDIA_CACHE_MB`; the oldest requests make room for new ones. 0: no limit."
  }),
  searchIndex: setting("SEARCH_INDEX", flag, {
    fallback: "true",
    example: "false",
    about: "Keeps an index of prompts, answers and errors, so that the record can be searched by text."
  }),
  exportMaxRows: setting("EXPORT_MAX_ROWS", integer(1, 100_000_000), {
    fallback: "1000000",
    example: "100000",
    about:
      "Most requests that one CSV or JSONL file of the record has; `x-truncated` says that there are more."
  }),
  uiEnabled: setting("UI_ENABLED", flag, {
    fallback: "true",
    example: "false",
    about:
      "`false` takes the page away, and everything under `/ui`, `/api/logs`, `/api/stats`, `/api/inflight` and `/metrics`."
  }),
  uiUsername: optional("UI_USERNAME", text, {
    example: "admin",
    about: "With `UI_PASSWORD`: who may look at the record, beside those who have a key."
  }),
  uiPassword: optional("UI_PASSWORD", secret, {
    example: "a-long-password",
    about: "With `UI_USERNAME`: what the page asks for. Neither set: keys alone, or nothing on loopback."
  })
}
