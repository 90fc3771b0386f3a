import type { Cause } from "effect"
import { BrokerUnreachable, KafkaAuthenticationFailed, type KafkaReason } from "../KafkaError.ts"
import type { BrokerAddress } from "./Opener.ts"

/**
 * One failure for all of them, with the advice of the first that a person must act on; once the cluster has answered in
 * this run, of the first for which waiting may help.
 */
export const summarize = (failures: ReadonlyArray<KafkaReason>, hasServed: boolean): KafkaReason => {
  const [only] = failures
  if (only !== undefined && failures.length === 1) return only
  // No broker was asked: the same failure for each of them is said once.
  const token = failures.find((failure) => failure._tag === "TokenUnavailable")
  if (token !== undefined) return token
  const messages = [...new Set(failures.map((failure) => failure.message))]
  const detail = `no broker could be used: ${messages.join("; ")}`
  const passing = failures.find((failure) => failure._tag === "BrokerUnreachable" && failure.transient)
  const leading =
    (hasServed ? passing : undefined) ??
    failures.find((failure) => failure._tag === "KafkaAuthenticationFailed") ??
    failures.find((failure) => failure._tag === "BrokerUnreachable" && !failure.transient) ??
    only
  if (leading?._tag === "KafkaAuthenticationFailed")
    return new KafkaAuthenticationFailed({ detail, advice: leading.advice })
  if (leading !== undefined && leading._tag !== "BrokerUnreachable") return leading
  return new BrokerUnreachable({
    detail,
    advice: leading?.advice ?? "give at least one server in bootstrapServers",
    transient: passing !== undefined
  })
}

/** The connection that a request was to be sent over is not the one that is open now. */
export const replaced = ({ where }: BrokerAddress): KafkaReason =>
  new BrokerUnreachable({
    detail: `${where}: the connection was lost before the request was sent`,
    advice: "check the broker's log and the network",
    transient: true
  })

export const firstFailure = (cause: Cause.Cause<KafkaReason>): KafkaReason | undefined =>
  cause.reasons.find((reason) => reason._tag === "Fail")?.error
