import type { ListenAddress } from "./SharedFlags.ts"
import { UsageError } from "./UsageError.ts"

/** Why nothing is served at the address of `--listen`. */
export const of = ({ host, port }: ListenAddress, cause: unknown, example: string): UsageError =>
  new UsageError({
    detail: `--listen: cannot listen on ${host ?? ""}:${port} (${cause instanceof Error ? cause.message : String(cause)})`,
    advice: `give an address of this machine and a free port, such as --listen ${example}`
  })
