import { type Block, compact, same, without } from "./Block.ts"

const positive = (value: unknown): unknown => (value === 0 ? undefined : value)

/** There 0 was no limit, which here is the absence of the field. */
export const rateLimit = (block: Block | undefined) => {
  if (block === undefined) return undefined
  const limits = {
    bytesPerSecond: positive(block.take("bytesPerSec")),
    recordsPerSecond: positive(block.take("recordsPerSec"))
  }
  without(block, { maxConcurrentPartitions: ["has no counterpart: it follows from the memory limit", 4] })
  block.end()
  return compact(limits)
}

export const circuitBreaker = (block: Block | undefined) => {
  if (block === undefined) return undefined
  const fields = same(block, "enabled", "failureThreshold", "resetTimeoutSecs")
  without(block, {
    successThreshold: ["has no counterpart: one success closes the circuit", 3],
    operationTimeoutMs: ["has no counterpart: each kind of request has its own time limit", 30_000]
  })
  block.end()
  return compact(fields)
}
