import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"

/**
 * A memory cgroup of its own for one process, below the folder that KBO_CGROUP names: of version 2 (with the memory
 * controller delegated to it) or of version 1. The kernel then kills the process as it kills a container.
 */
export class MemoryCgroup {
  readonly folder: string

  private constructor(folder: string) {
    this.folder = folder
  }

  /** Undefined where KBO_CGROUP is not set. */
  static make(name: string, limitBytes: number): MemoryCgroup | undefined {
    const parent = process.env["KBO_CGROUP"]
    if (parent === undefined) return undefined
    const folder = join(parent, name)
    mkdirSync(folder)
    const isSecond = existsSync(join(folder, "memory.max"))
    writeFileSync(join(folder, isSecond ? "memory.max" : "memory.limit_in_bytes"), String(limitBytes))
    return new MemoryCgroup(folder)
  }

  /** The command line that runs a command inside. */
  inside(command: ReadonlyArray<string>): ReadonlyArray<string> {
    return ["sh", "-c", `echo $$ > "$0" && exec "$@"`, join(this.folder, "cgroup.procs"), ...command]
  }

  /** How many processes the kernel has killed here. */
  kills(): number {
    const file = ["memory.events", "memory.oom_control"].map((name) => join(this.folder, name)).find(existsSync) ?? ""
    return Number(/^oom_kill (\d+)$/m.exec(readFileSync(file, "utf8"))?.[1])
  }

  [Symbol.dispose](): void {
    rmdirSync(this.folder)
  }
}
