import { Effect } from "effect"

/** What this host can take away from a program that reads hostile media. */
export interface SandboxReport {
  /** Programs without `network` see no network at all. */
  readonly network: "unshare" | "none"
  /** Memory, file size and processor time can be limited. */
  readonly limits: "prlimit" | "none"
  /** Programs die with the router even when the router is killed. */
  readonly death: "setpriv" | "none"
  /** Programs live in a process tree of their own, which ends as a whole. */
  readonly processes: "unshare" | "none"
  /** Programs leave the processor to the router when both want it. */
  readonly priority: "nice" | "none"
}

export interface Limits {
  readonly memoryMb?: number
  readonly fileMb?: number
  readonly cpuSeconds?: number
}

interface Wanted {
  readonly network?: boolean | undefined
  readonly limits?: Limits | undefined
}

/** How programs are locked in on this host. */
export interface Sandbox {
  readonly report: SandboxReport
  /** The command line that runs a program with everything there is around it. */
  readonly wrap: (argv: ReadonlyArray<string>, wanted: Wanted) => ReadonlyArray<string>
}

/** Finds out what there is by running it: a tool that is installed may still be forbidden. */
export const probe = (
  works: (argv: ReadonlyArray<string>) => Effect.Effect<boolean>
): Effect.Effect<Sandbox> =>
  Effect.gen(function* () {
    const holds = ({ wrap }: Sandbox) => works(wrap(["true"], { limits: { memoryMb: 512 } }))
    // Most hosts allow everything, and where the whole works each part of it does.
    for (const entry of [[], AS_ANYONE]) {
      const whole = make(EVERYTHING, entry)
      if (yield* holds(whole)) return whole
    }
    const runs = (...argv: ReadonlyArray<string>) => works([...argv, "true"])
    const [asRoot, asAnyone, limits, death, priority] = yield* Effect.all(
      [
        runs("unshare", "--net"),
        runs(...AS_ANYONE, "--net"),
        runs(...withLimits({ memoryMb: 512 })),
        runs(...DYING),
        runs(...YIELDING)
      ],
      { concurrency: 2 }
    )
    const found = { network: asRoot || asAnyone, limits, death, processes: true, priority }
    const own = asRoot ? [] : AS_ANYONE
    // Each alone may be allowed and all together not, so the whole is tried as well.
    for (const sandbox of [make(found, own), make({ ...found, processes: false }, own)])
      if (yield* holds(sandbox)) return sandbox
    return make({ network: false, limits: false, death: false, processes: false, priority: false }, own)
  })

const make = (
  found: { readonly [Key in keyof SandboxReport]: boolean },
  /** How a namespace may be entered at all. */
  entry: ReadonlyArray<string>
): Sandbox => ({
  report: {
    network: found.network ? "unshare" : "none",
    limits: found.limits ? "prlimit" : "none",
    death: found.death ? "setpriv" : "none",
    processes: found.processes ? "unshare" : "none",
    priority: found.priority ? "nice" : "none"
  },
  wrap: (argv, { limits = {}, network = false }) => {
    const offline = found.network && !network
    const entered = offline || found.processes ? entry : []
    return [
      ...(found.priority ? YIELDING : []),
      ...(offline ? [...(entered.length === 0 ? ["unshare"] : entered), "--net"] : entered),
      // Entering a user namespace forgets the wish to die with the parent, so the wish comes after it.
      ...(found.death ? DYING : []),
      ...(found.processes ? IN_A_TREE : []),
      ...(found.limits ? withLimits(limits) : []),
      ...argv
    ]
  }
})

const withLimits = ({ cpuSeconds, fileMb, memoryMb }: Limits): ReadonlyArray<string> => [
  "prlimit",
  "--core=0",
  "--nofile=256",
  ...(memoryMb === undefined ? [] : [`--as=${Math.ceil(memoryMb * MB)}`]),
  ...(fileMb === undefined ? [] : [`--fsize=${Math.ceil(fileMb * MB)}`]),
  ...(cpuSeconds === undefined ? [] : [`--cpu=${Math.ceil(cpuSeconds)}`])
]

const EVERYTHING = { network: true, limits: true, death: true, processes: true, priority: true }

const AS_ANYONE = ["unshare", "--map-root-user"]

const DYING = ["setpriv", "--pdeathsig", "KILL"]

const YIELDING = ["nice", "-n", "5"]

/** The shell is the tree's first process, since that one does not hear a TERM it has not asked for. */
const IN_A_TREE = [
  ...["unshare", "--pid", "--fork", "--kill-child"],
  // What shells put into the environment by themselves is taken out of it again.
  ...["sh", "-c", 'unset PWD OLDPWD SHLVL; "$@"; exit "$?"', "sh", "env", "-u", "_"]
]

const MB = 1024 * 1024
