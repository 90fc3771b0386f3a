import { Option } from "effect"
import { Flag } from "effect/cli"
import { resolve } from "node:path"

const absolute = (directory: Option.Option<string>) =>
  Option.getOrUndefined(Option.map(directory, (given) => resolve(given)))

/** Options that every command on a resource takes. */
export const shared = {
  file: Flag.String("file").pipe(
    Flag.withAlias("f"),
    Flag.withMetavar("FILE"),
    Flag.withDescription("KafkaBackup manifest, exactly as for kubectl apply; - reads standard input")
  ),
  secrets: Flag.String("secrets").pipe(
    Flag.withMetavar("DIR"),
    Flag.optional,
    Flag.map(absolute),
    Flag.withDescription("directory with DIR/<secret name>/<key> files, as a pod would see its Secrets mounted")
  ),
  volumes: Flag.String("volumes").pipe(
    Flag.withMetavar("DIR"),
    Flag.optional,
    Flag.map(absolute),
    Flag.withDescription("directory with DIR/<claim name>/ for storageType pvc")
  )
}

/** `--output text|json` of the commands that show something. */
export const output = Flag.Literals("output", ["text", "json"]).pipe(
  Flag.withAlias("o"),
  Flag.withDefault("text" as const),
  Flag.withDescription("text for people, json for programs")
)
