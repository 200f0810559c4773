import { Effect } from "effect"
import type { Scope } from "effect"
import { execFileSync, spawn } from "node:child_process"
import { chownSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { join } from "node:path"
import { afterAll } from "vitest"
import { binaries, hasPostgres } from "./PostgresPrograms.ts"
import { temporaryFolder } from "./Router.ts"

export { hasPostgres }

/** A real server, made for a test file, with nothing in it. */
export interface PostgresServer {
  readonly port: number
  /** Another user, password or database may be named. */
  readonly url: (database: string, user?: string) => string
  /** Runs statements of an administrator, and gives what psql says. */
  readonly psql: (statements: string, database?: string) => string
  /** As an administrator would: `pg_ctl restart`, `stop` or `start`. */
  readonly control: (action: "restart" | "stop" | "start", mode?: "fast" | "immediate") => Promise<void>
  readonly close: () => Promise<void>
}

/** The server of a test file, started when it is first asked for, stopped after the last test. */
export const sharedPostgres = (): Effect.Effect<PostgresServer> => {
  let started: Promise<PostgresServer> | undefined
  afterAll(async () => (await started)?.close())
  return Effect.promise(() => (started ??= start()))
}

/** For suites that hold on every database: what names a fresh one of each kind. */
export const everyDatabase = (): ReadonlyArray<{
  readonly name: string
  readonly fresh: Effect.Effect<{ readonly [setting: string]: string }, never, Scope.Scope>
}> => {
  const sqlite = Effect.map(temporaryFolder, (folder) => ({ DB_PATH: join(folder, "kept.db") }))
  if (!hasPostgres) return [{ name: "SQLite", fresh: sqlite }]
  const server = sharedPostgres()
  const postgres = Effect.map(server, (server) => ({ DATABASE_URL: freshDatabase(server) }))
  return [
    { name: "SQLite", fresh: sqlite },
    { name: "Postgres", fresh: postgres }
  ]
}

/** A server that one test may stop and restart. */
export const ownPostgres: Effect.Effect<PostgresServer, never, Scope.Scope> = Effect.acquireRelease(
  Effect.promise(() => start()),
  (server) => Effect.promise(server.close)
)

let made = 0

/** A new database's address. */
export const freshDatabase = (server: PostgresServer): string => {
  const name = `test_${process.pid}_${++made}`
  server.psql(`CREATE DATABASE ${name} TEMPLATE template0 STRATEGY file_copy`)
  return server.url(name)
}

const start = async (): Promise<PostgresServer> => {
  if (binaries === undefined) throw new Error("Postgres is not installed: apt-get install -y postgresql")
  const bin = binaries
  const owner = ownerOf()
  const folder = mkdtempSync("/tmp/percept-postgres-")
  const data = join(folder, "data")
  if (owner.uid !== undefined && owner.gid !== undefined) chownSync(folder, owner.uid, owner.gid)
  writeFileSync(join(folder, "password"), PASSWORD, { mode: 0o644 })
  const run = (name: string, args: ReadonlyArray<string>) =>
    execFileSync(join(bin, name), args, {
      ...owner,
      cwd: folder,
      stdio: ["ignore", "pipe", "pipe"]
    }).toString()
  run("initdb", [
    ...["-D", data, "-U", "percept", "--pwfile", join(folder, "password"), "-E", "UTF8", "--locale=C"],
    ...["--auth-local=trust", "--auth-host=scram-sha-256", "--no-sync", "--no-instructions"]
  ])
  const port = await freePort()
  const settings = {
    port,
    listen_addresses: "'127.0.0.1'",
    unix_socket_directories: `'${folder}'`,
    fsync: "off",
    full_page_writes: "off",
    shared_buffers: "16MB",
    max_connections: 60
  }
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}`)
  writeFileSync(join(data, "postgresql.auto.conf"), lines.join("\n"))
  // It stops when this process does, however that ends.
  const script = `"$0/pg_ctl" -D "$1/data" -l "$1/log" -w start && cat >/dev/null
    "$0/pg_ctl" -D "$1/data" -m immediate stop; rm -rf "$1"`
  const keeper = spawn("/bin/sh", ["-c", script, bin, folder], {
    ...owner,
    cwd: "/",
    detached: true,
    stdio: ["pipe", "pipe", "ignore"]
  })
  const ended = new Promise<void>((resolve) => keeper.once("close", () => resolve()))
  await new Promise<void>((resolve, reject) => {
    let said = ""
    keeper.stdout.on("data", (bytes: Buffer) => {
      said += bytes.toString()
      if (said.includes("server started")) resolve()
    })
    keeper.once("close", () => reject(new Error(`Postgres did not start: ${said}`)))
  })
  return {
    port,
    url: (database, user = `percept:${PASSWORD}`) => `postgresql://${user}@127.0.0.1:${port}/${database}`,
    psql: (statements, database = "postgres") =>
      run("psql", [
        ...["-h", folder, "-p", String(port), "-U", "percept", "-d", database],
        ...["-v", "ON_ERROR_STOP=1", "-qAtc", statements]
      ]).trim(),
    control: (action, mode = "fast") =>
      new Promise((resolve, reject) => {
        const log = ["-l", join(folder, "log")]
        const args = ["-D", data, "-w", ...log, ...(action === "start" ? [] : ["-m", mode]), action]
        spawn(join(bin, "pg_ctl"), args, { ...owner, cwd: folder, stdio: "ignore" }).once("close", (code) =>
          code === 0 ? resolve() : reject(new Error(`pg_ctl ${action} ended with ${code}: ${logOf(folder)}`))
        )
      }),
    close: async () => {
      keeper.stdin.end()
      await ended
      rmSync(folder, { recursive: true, force: true })
    }
  }
}

const logOf = (folder: string): string => readFileSync(join(folder, "log"), "utf8").slice(-2000)

/** The server refuses to run as root. */
const ownerOf = (): { readonly uid?: number; readonly gid?: number } => {
  if (process.getuid?.() !== 0) return {}
  const users = readFileSync("/etc/passwd", "utf8")
  const [, uid, gid] =
    /^postgres:[^:]*:(\d+):(\d+):/m.exec(users) ?? /^nobody:[^:]*:(\d+):(\d+):/m.exec(users) ?? []
  return { uid: Number(uid), gid: Number(gid) }
}

/** Below those that are given to whoever asks for any: it must still be free after a restart. */
const freePort = async (): Promise<number> => {
  for (let tries = 0; tries < 50; tries++) {
    const port = 20_000 + Math.floor(Math.random() * 12_000)
    const isFree = await new Promise<boolean>((resolve) => {
      const probe = createServer()
      probe.once("error", () => resolve(false))
      probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)))
    })
    if (isFree) return port
  }
  throw new Error("no port is free")
}

const PASSWORD = "s3cret-of-the-tests"
