import { execFile, execFileSync, spawn } from "node:child_process"
import { chownSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { join } from "node:path"
import { promisify } from "node:util"
import { binaries } from "./PostgresPrograms.ts"

/** A real server, with nothing in it at first. */
export interface PostgresServer {
  readonly port: number
  /** Another user, password or database may be named. */
  readonly url: (database: string, user?: string) => string
  /** Runs statements of an administrator, and gives what psql says. */
  readonly psql: (statements: string, database?: string) => string
  /** As an administrator would: `pg_ctl restart`, `stop` or `start`. */
  readonly control: (action: "restart" | "stop" | "start", mode?: "fast" | "immediate") => Promise<void>
}

/** Where a server is that was started, by this process or another. */
export interface PostgresPlace {
  readonly port: number
  readonly folder: string
}

/** Starts a server that ends with this process, or before. */
export const startPostgres = async (): Promise<PostgresPlace & { readonly close: () => Promise<void> }> => {
  const { bin, owner } = programs()
  const folder = mkdtempSync("/tmp/percept-postgres-")
  const data = join(folder, "data")
  if (owner.uid !== undefined && owner.gid !== undefined) chownSync(folder, owner.uid, owner.gid)
  writeFileSync(join(folder, "password"), PASSWORD, { mode: 0o644 })
  await promisify(execFile)(
    join(bin, "initdb"),
    [
      ...["-D", data, "-U", "percept", "--pwfile", join(folder, "password"), "-E", "UTF8", "--locale=C"],
      ...["--auth-local=trust", "--auth-host=scram-sha-256", "--no-sync", "--no-instructions"]
    ],
    { ...owner, cwd: folder }
  )
  const port = await freePort()
  const settings = {
    port,
    listen_addresses: "'127.0.0.1'",
    unix_socket_directories: `'${folder}'`,
    fsync: "off",
    full_page_writes: "off",
    shared_buffers: "16MB",
    max_connections: 200
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
  const close = async (): Promise<void> => {
    keeper.stdin.end()
    await ended
    rmSync(folder, { recursive: true, force: true })
  }
  return { port, folder, close }
}

/** The server at a place, whoever started it. */
export const postgresAt = ({ folder, port }: PostgresPlace): PostgresServer => {
  const { bin, owner } = programs()
  return {
    port,
    url: (database, user = `percept:${PASSWORD}`) => `postgresql://${user}@127.0.0.1:${port}/${database}`,
    psql: (statements, database = "postgres") =>
      execFileSync(
        join(bin, "psql"),
        [
          ...["-h", folder, "-p", String(port), "-U", "percept", "-d", database],
          ...["-v", "ON_ERROR_STOP=1", "-qAtc", statements]
        ],
        { ...owner, cwd: folder, stdio: ["ignore", "pipe", "pipe"] }
      )
        .toString()
        .trim(),
    control: (action, mode = "fast") =>
      new Promise((resolve, reject) => {
        const log = ["-l", join(folder, "log")]
        const data = join(folder, "data")
        const args = ["-D", data, "-w", ...log, ...(action === "start" ? [] : ["-m", mode]), action]
        spawn(join(bin, "pg_ctl"), args, { ...owner, cwd: folder, stdio: "ignore" }).once("close", (code) =>
          code === 0 ? resolve() : reject(new Error(`pg_ctl ${action} ended with ${code}: ${logOf(folder)}`))
        )
      })
  }
}

const programs = () => {
  if (binaries === undefined) throw new Error("Postgres is not installed: apt-get install -y postgresql")
  return { bin: binaries, owner: ownerOf() }
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
