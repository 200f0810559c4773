/** A program of its own: reads jobs from stdin and writes pictures to stdout, one at a time, until stdin ends. */
import { readFile } from "node:fs/promises"
import type { ImageAnswer, ImageJob } from "./imageMessages.ts"
import { encodeMessage, MessageReader } from "./messages.ts"
import type { Message } from "./messages.ts"
import { lockDown, pictures, Unfit } from "./pictures.ts"

const answer = async ({ body, header }: Message): Promise<Buffer> => {
  // Only the router speaks to this program.
  const job = header as ImageJob
  try {
    const made = await pictures(job.path === undefined ? body : await readFile(job.path), job)
    const facts = made.map(({ bytes, height, mime, width }) => ({ mime, width, height, bytes: bytes.length }))
    return encodeMessage({ pictures: facts } satisfies ImageAnswer, ...made.map(({ bytes }) => bytes))
  } catch (error) {
    const problem = error instanceof Unfit ? error.problem : "broken"
    return encodeMessage({ problem, detail: String(error).slice(0, 1000) } satisfies ImageAnswer)
  }
}

lockDown()
const reader = new MessageReader()
for await (const chunk of process.stdin)
  for (const message of reader.push(chunk)) process.stdout.write(await answer(message))
