/** The parts of OpenTelemetry's protocol that are spoken here, as its JSON has them. */
export interface Span {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string | undefined
  readonly traceState?: string
  readonly name: string
  readonly kind: number
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes: ReadonlyArray<KeyValue>
  readonly droppedAttributesCount: number
  readonly events: ReadonlyArray<never>
  readonly droppedEventsCount: number
  readonly links: ReadonlyArray<never>
  readonly droppedLinksCount: number
  readonly status: { readonly code: number; readonly message?: string }
}

export interface KeyValue {
  readonly key: string
  readonly value: Value
}

export type Value =
  | { readonly stringValue: string }
  | { readonly intValue: number }
  | { readonly doubleValue: number }
  | { readonly boolValue: boolean }
  | { readonly arrayValue: { readonly values: ReadonlyArray<Value> } }

export const KIND = { internal: 1, server: 2, client: 3 } as const

export const STATUS = { unset: 0, ok: 1, error: 2 } as const

/** Of a sum or a histogram: counted since the start, not since the last delivery. */
export const CUMULATIVE = 2

/** A number that may have a fraction, whether or not it has one now. */
export const double = (value: number): Value => ({ doubleValue: value })

/** What is undefined or null is left out; numbers are whole ones. */
export const attributesOf = (values: {
  readonly [key: string]: string | number | boolean | ReadonlyArray<string> | Value | undefined | null
}): Array<KeyValue> => {
  const found: Array<KeyValue> = []
  for (const [key, value] of Object.entries(values))
    if (value !== undefined && value !== null) found.push({ key, value: valueOf(value) })
  return found
}

const valueOf = (value: string | number | boolean | ReadonlyArray<string> | Value): Value => {
  if (typeof value === "string") return { stringValue: value }
  if (typeof value === "number") return { intValue: value }
  if (typeof value === "boolean") return { boolValue: value }
  if (isTexts(value)) return { arrayValue: { values: value.map((text) => ({ stringValue: text })) } }
  return value
}

const isTexts = (value: ReadonlyArray<string> | Value): value is ReadonlyArray<string> => Array.isArray(value)
