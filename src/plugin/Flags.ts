import { Option } from "effect"
import { Argument, Flag } from "effect/cli"
import { output } from "../cli/SharedFlags.ts"

const optional = (flag: Flag.Flag<string>) => flag.pipe(Flag.optional, Flag.map(Option.getOrUndefined))

/** Options of every command that works on resources of one namespace. */
export const cluster = {
  namespace: optional(Flag.String("namespace")).pipe(
    Flag.withAlias("n"),
    Flag.withMetavar("NAMESPACE"),
    Flag.withDescription("namespace of the resource (default: that of the kubeconfig's context)")
  ),
  context: optional(Flag.String("context")).pipe(
    Flag.withMetavar("CONTEXT"),
    Flag.withDescription("context of the kubeconfig (default: its current one)")
  )
}

export interface ClusterFlags {
  readonly namespace: string | undefined
  readonly context: string | undefined
}

export { output }

/** Milliseconds of `90s`, `10m`, `2h`; undefined for any other text. */
export const durationMillis = (text: string): number | undefined => {
  const [, amount = "", unit = ""] = /^([1-9]\d{0,5})(s|m|h)$/u.exec(text) ?? []
  const unitMillis: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000 }
  return amount === "" ? undefined : Number(amount) * unitMillis[unit]!
}

/** `--timeout DURATION`: how long a command waits for what it asked for. */
export const timeout = (usual: string) =>
  Flag.String("timeout").pipe(
    Flag.withMetavar("DURATION"),
    Flag.withDefault(usual),
    Flag.filterMap(
      (text) => Option.fromUndefinedOr(durationMillis(text)),
      () => "must be a duration such as 90s, 10m or 2h"
    ),
    Flag.withDescription(
      `how long to wait, such as 90s, 10m or 2h (default: ${usual}); what was asked for goes on in the cluster after that`
    )
  )

/** `--wait`. */
export const wait = (description: string) =>
  Flag.Boolean("wait").pipe(Flag.withDefault(false), Flag.withDescription(description))

/** `kafkabackup/orders` as kubectl prints it, and `backup/orders` as status takes it, are `orders`. */
export const withoutKind = (text: string): string => text.replace(/^(kafkabackups?(\.kafka\.oso\.sh)?|backup)\//iu, "")

/** The name of a KafkaBackup. */
export const backupName = Argument.String("NAME").pipe(
  Argument.map(withoutKind),
  Argument.withDescription("name of the KafkaBackup")
)
