import { Effect } from "effect"
import type { Scope } from "effect"
import { createSocket } from "node:dgram"
import { isIP } from "node:net"

/**
 * What a name is answered with when it is asked for the nth time: addresses of both kinds, behind another name if one
 * comes first. Undefined is no answer at all.
 */
export type Answers = (nth: number) => ReadonlyArray<string> | undefined

/** A name server of a few names that may change its mind from one question to the next. */
export interface NameServer {
  /** How often a name was asked for, in questions for one kind of address. */
  readonly asked: (name: string) => number
}

export const startNameServer = (
  names: { readonly [name: string]: Answers },
  at: { readonly address: string; readonly port: number }
): Effect.Effect<NameServer, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.async<NameServer & { readonly stop: () => void }>((resume) => {
      const asked = new Map<string, number>()
      const socket = createSocket("udp4")
      socket.on("message", (question, from) => {
        const { end, kind, name } = readQuestion(question)
        const nth = asked.get(`${name} ${kind}`) ?? 0
        asked.set(`${name} ${kind}`, nth + 1)
        const answers = names[name]
        const found = answers === undefined ? [] : answers(nth)
        if (found === undefined) return
        const records = recordsOf(name, kind, found)
        const head = Buffer.alloc(12)
        question.copy(head, 0, 0, 2)
        // An answer, or the news that there is no such name.
        head.writeUInt16BE(answers === undefined ? 0x8183 : 0x8180, 2)
        head.writeUInt16BE(1, 4)
        head.writeUInt16BE(records.length, 6)
        socket.send(Buffer.concat([head, question.subarray(12, end), ...records]), from.port, from.address)
      })
      socket.bind(at.port, at.address, () =>
        resume(
          Effect.succeed({ asked: (name) => asked.get(`${name} ${A}`) ?? 0, stop: () => socket.close() })
        )
      )
    }),
    ({ stop }) => Effect.sync(stop)
  )

const readQuestion = (question: Buffer) => {
  const labels: Array<string> = []
  let at = 12
  for (let length = question[at] ?? 0; length > 0; length = question[at] ?? 0) {
    labels.push(question.toString("latin1", at + 1, at + 1 + length))
    at += 1 + length
  }
  return { name: labels.join(".").toLowerCase(), kind: question.readUInt16BE(at + 1), end: at + 5 }
}

const recordsOf = (name: string, kind: number, answers: ReadonlyArray<string>): ReadonlyArray<Buffer> => {
  let owner = name
  return answers.flatMap((answer) => {
    const found = isIP(answer) === 4 ? A : isIP(answer) === 6 ? AAAA : CNAME
    if (found === CNAME) {
      const alias = record(owner, CNAME, nameBytes(answer))
      owner = answer
      return [alias]
    }
    if (found !== kind) return []
    return [record(owner, kind, found === A ? Buffer.from(answer.split(".").map(Number)) : bytes6(answer))]
  })
}

/** Not to be kept for a second. */
const record = (owner: string, kind: number, data: Buffer): Buffer => {
  const fixed = Buffer.alloc(10)
  fixed.writeUInt16BE(kind, 0)
  fixed.writeUInt16BE(1, 2)
  fixed.writeUInt16BE(data.length, 8)
  return Buffer.concat([nameBytes(owner), fixed, data])
}

const nameBytes = (name: string): Buffer =>
  Buffer.concat([
    ...name.split(".").map((label) => Buffer.concat([Buffer.of(label.length), Buffer.from(label)])),
    Buffer.of(0)
  ])

const bytes6 = (address: string): Buffer => {
  const [front = [], back = []] = new URL(`http://[${address}]/`).hostname
    .slice(1, -1)
    .split("::")
    .map((half) => half.split(":").filter((group) => group !== ""))
  const groups = [...front, ...Array<string>(8 - front.length - back.length).fill("0"), ...back]
  return Buffer.from(groups.map((group) => group.padStart(4, "0")).join(""), "hex")
}

const A = 1
const CNAME = 5
const AAAA = 28
