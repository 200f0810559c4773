import { createServer } from "node:http"
import { startPostgres } from "./PostgresServer.ts"

declare module "vitest" {
  export interface ProvidedContext {
    /** Where to ask for the place of the server of all test files. */
    readonly postgres: string
  }
}

/** One server for all processes of a run: started when one of them first asks where it is. */
export const lendPostgres = async (): Promise<{
  readonly url: string
  readonly close: () => Promise<void>
}> => {
  let started: ReturnType<typeof startPostgres> | undefined
  const lender = createServer((_, response) => {
    started ??= startPostgres()
    started.then(
      ({ folder, port }) => response.end(`${port} ${folder}`),
      (error) => response.writeHead(500).end(String(error))
    )
  })
  await new Promise<void>((resolve) => lender.listen(0, "127.0.0.1", resolve))
  const address = lender.address()
  const port = typeof address === "object" && address !== null ? address.port : 0
  return {
    url: `http://127.0.0.1:${port}`,
    close: async () => {
      lender.close()
      await (await started)?.close()
    }
  }
}
