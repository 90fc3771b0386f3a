import * as Quantity from "../../resource/Quantity.ts"
import type { ResourcesSpec } from "../../resource/ResourcesSpec.ts"

type Amounts = Readonly<Record<string, string | number>>

/** Enough for a small cluster; a run sizes its buffers from limits.memory, so there is always one. */
export const defaults: ResourcesSpec = {
  requests: { cpu: "100m", memory: "256Mi" },
  limits: { memory: "1Gi" }
}

/**
 * What the container gets: every amount unchanged that the user wrote, and defaults for the others, adjusted where they
 * would contradict it (a pod whose request exceeds its limit is refused).
 */
export const completed = (
  spec: ResourcesSpec | undefined,
  configured: ResourcesSpec = {}
): { readonly requests: Amounts; readonly limits: Amounts } => {
  const limits = merged(
    spec?.limits,
    { ...defaults.limits, ...configured.limits },
    { bound: spec?.requests, keep: "larger" }
  )
  return {
    limits,
    requests: merged(
      spec?.requests,
      { ...defaults.requests, ...configured.requests },
      { bound: limits, keep: "smaller" }
    )
  }
}

const merged = (
  given: Amounts | undefined,
  defaults: Amounts,
  { bound, keep }: { readonly bound: Amounts | undefined; readonly keep: "larger" | "smaller" }
): Amounts => {
  const moved = Object.entries(defaults).map(([name, amount]): [string, string | number] => {
    const other = bound?.[name]
    if (other === undefined) return [name, amount]
    const order = Quantity.compare(String(other), String(amount))
    return [name, order === (keep === "larger" ? 1 : -1) ? other : amount]
  })
  return { ...Object.fromEntries(moved), ...given }
}
