import type { Delivery } from "./Collector.ts"
import { arrayField, field, isObject, parseJson, stringField } from "../../src/domain/Json.ts"

/** A span, whichever form it came in; times are nanoseconds since 1970. */
export interface Span {
  readonly traceId: string
  readonly spanId: string
  readonly parentId: string
  readonly state: string
  readonly name: string
  readonly kind: number
  readonly from: bigint
  readonly to: bigint
  readonly attributes: Attributes
  readonly status: number
  readonly message: string
  readonly resource: Attributes
}

/** One point of a histogram. */
export interface MetricPoint {
  readonly name: string
  readonly unit: string
  readonly attributes: Attributes
  readonly count: number
  readonly sum: number
  readonly buckets: ReadonlyArray<number>
  readonly bounds: ReadonlyArray<number>
  readonly resource: Attributes
}

export type Attributes = Readonly<Record<string, unknown>>

export const spansIn = (delivery: Delivery): ReadonlyArray<Span> => {
  const isJson = delivery.headers["content-type"] === "application/json"
  return isJson ? spansInJson(parseJson(delivery.body.toString("utf8"))) : spansInProtobuf(delivery.body)
}

export const metricsIn = ({ body, headers }: Delivery): ReadonlyArray<MetricPoint> =>
  headers["content-type"] === "application/json"
    ? metricsInJson(parseJson(body.toString("utf8")))
    : metricsInProtobuf(body)

const spansInJson = (value: unknown): ReadonlyArray<Span> =>
  arrayField(value, "resourceSpans").flatMap((group) =>
    arrayField(group, "scopeSpans")
      .flatMap((scope) => arrayField(scope, "spans"))
      .map((span) => ({
        traceId: stringField(span, "traceId") ?? "",
        spanId: stringField(span, "spanId") ?? "",
        parentId: stringField(span, "parentSpanId") ?? "",
        state: stringField(span, "traceState") ?? "",
        name: stringField(span, "name") ?? "",
        kind: Number(field(span, "kind")),
        from: BigInt(stringField(span, "startTimeUnixNano") ?? ""),
        to: BigInt(stringField(span, "endTimeUnixNano") ?? ""),
        attributes: jsonAttributes(span),
        status: Number(field(field(span, "status"), "code") ?? 0),
        message: stringField(field(span, "status"), "message") ?? "",
        resource: jsonAttributes(field(group, "resource"))
      }))
  )

const metricsInJson = (value: unknown): ReadonlyArray<MetricPoint> =>
  arrayField(value, "resourceMetrics").flatMap((group) =>
    arrayField(group, "scopeMetrics")
      .flatMap((scope) => arrayField(scope, "metrics"))
      .flatMap((metric) =>
        arrayField(field(metric, "histogram"), "dataPoints").map((point) => ({
          name: stringField(metric, "name") ?? "",
          unit: stringField(metric, "unit") ?? "",
          attributes: jsonAttributes(point),
          count: Number(field(point, "count")),
          sum: Number(field(point, "sum")),
          buckets: arrayField(point, "bucketCounts").map(Number),
          bounds: arrayField(point, "explicitBounds").map(Number),
          resource: jsonAttributes(field(group, "resource"))
        }))
      )
  )

const jsonAttributes = (holder: unknown): Attributes =>
  Object.fromEntries(
    arrayField(holder, "attributes").map((pair) => [
      stringField(pair, "key") ?? "",
      jsonValue(field(pair, "value"))
    ])
  )

const jsonValue = (value: unknown): unknown => {
  if (!isObject(value)) throw new Error(`no value: ${JSON.stringify(value)}`)
  const [[type, inner] = ["nothing", undefined]] = Object.entries(value)
  if (type === "arrayValue") return arrayField(inner, "values").map(jsonValue)
  return type === "intValue" ? Number(inner) : inner
}

const spansInProtobuf = (bytes: Uint8Array): ReadonlyArray<Span> =>
  messages(bytes, 1).flatMap((group) =>
    messages(group, 2)
      .flatMap((scope) => messages(scope, 2))
      .map((span) => {
        const status = messages(span, 15)[0] ?? new Uint8Array()
        return {
          traceId: hex(bytesAt(span, 1)),
          spanId: hex(bytesAt(span, 2)),
          parentId: hex(bytesAt(span, 4)),
          state: textAt(span, 3),
          name: textAt(span, 5),
          kind: Number(numberAt(span, 6)),
          from: numberAt(span, 7),
          to: numberAt(span, 8),
          attributes: attributesAt(span, 9),
          status: Number(numberAt(status, 3)),
          message: textAt(status, 2),
          resource: attributesAt(messages(group, 1)[0] ?? new Uint8Array(), 1)
        }
      })
  )

const metricsInProtobuf = (bytes: Uint8Array): ReadonlyArray<MetricPoint> =>
  messages(bytes, 1).flatMap((group) =>
    messages(group, 2)
      .flatMap((scope) => messages(scope, 2))
      .flatMap((metric) =>
        messages(metric, 9)
          .flatMap((histogram) => messages(histogram, 1))
          .map((point) => ({
            name: textAt(metric, 1),
            unit: textAt(metric, 3),
            attributes: attributesAt(point, 9),
            count: Number(numberAt(point, 4)),
            sum: doubleOf(numberAt(point, 5)),
            buckets: numbers(point, 6).map(Number),
            bounds: numbers(point, 7).map(doubleOf),
            resource: attributesAt(messages(group, 1)[0] ?? new Uint8Array(), 1)
          }))
      )
  )

const attributesAt = (bytes: Uint8Array, number: number): Attributes =>
  Object.fromEntries(
    messages(bytes, number).map((pair) => [textAt(pair, 1), protobufValue(messages(pair, 2)[0])])
  )

const protobufValue = (bytes: Uint8Array = new Uint8Array()): unknown => {
  const [first] = fieldsOf(bytes)
  if (first === undefined) throw new Error("no value")
  const { number, value } = first
  if (typeof value === "bigint")
    return number === 2 ? value === 1n : number === 4 ? doubleOf(value) : Number(value)
  return number === 5 ? messages(value, 1).map((item) => protobufValue(item)) : decoder.decode(value)
}

interface Field {
  readonly number: number
  readonly value: bigint | Uint8Array
}

/** The wire format: what a message holds, field by field. */
const fieldsOf = (bytes: Uint8Array): ReadonlyArray<Field> => {
  const fields: Array<Field> = []
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = 0
  const varint = (): bigint => {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = view.getUint8(at++)
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
  }
  while (at < bytes.length) {
    const tag = Number(varint())
    const number = tag >> 3
    switch (tag & 7) {
      case 0:
        fields.push({ number, value: varint() })
        break
      case 1:
        fields.push({ number, value: view.getBigUint64(at, true) })
        at += 8
        break
      case 2: {
        const length = Number(varint())
        if (at + length > bytes.length) throw new Error("a message that is longer than its bytes")
        fields.push({ number, value: bytes.subarray(at, at + length) })
        at += length
        break
      }
      case 5:
        fields.push({ number, value: BigInt(view.getUint32(at, true)) })
        at += 4
        break
      default:
        throw new Error(`an unknown wire type in ${tag}`)
    }
  }
  return fields
}

const messages = (bytes: Uint8Array, number: number): ReadonlyArray<Uint8Array> =>
  fieldsOf(bytes).flatMap((field) =>
    field.number === number && typeof field.value !== "bigint" ? [field.value] : []
  )

const numbers = (bytes: Uint8Array, number: number): ReadonlyArray<bigint> =>
  fieldsOf(bytes).flatMap((field) =>
    field.number === number && typeof field.value === "bigint" ? [field.value] : []
  )

const bytesAt = (bytes: Uint8Array, number: number): Uint8Array =>
  messages(bytes, number).at(-1) ?? new Uint8Array()
const textAt = (bytes: Uint8Array, number: number): string => decoder.decode(bytesAt(bytes, number))
const numberAt = (bytes: Uint8Array, number: number): bigint => numbers(bytes, number).at(-1) ?? 0n
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")
const decoder = new TextDecoder("utf-8", { fatal: true })

const doubleOf = (bits: bigint): number => {
  const view = new DataView(new ArrayBuffer(8))
  view.setBigUint64(0, bits)
  return view.getFloat64(0)
}
