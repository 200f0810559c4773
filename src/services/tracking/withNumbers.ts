import type { RequestRecord } from "../../domain/RequestRecord.ts"

/** A row as it was written: Postgres gives its large integers as text. */
export const withNumbers = <Row extends RequestRecord>(row: Row): Row => {
  const read = { ...row }
  for (const column of LARGE) read[column] = row[column] === null ? null : Number(row[column])
  return read
}

const LARGE = [
  "prompt_tokens",
  "completion_tokens",
  "total_tokens",
  "cached_tokens",
  "reasoning_tokens",
  "cost_nano_usd",
  "shape_id"
] as const
