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
    Flag.withDescription(
      "KafkaBackup manifest, exactly as for kubectl apply; - reads standard input, env:NAME what the operator put into that environment variable of a Job (required)"
    )
  ),
  secrets: Flag.String("secrets").pipe(
    Flag.withMetavar("DIR"),
    Flag.optional,
    Flag.map(absolute),
    Flag.withDescription("the manifest's Secrets: files DIR/<secret name>/<key>, as a pod sees them mounted")
  ),
  volumes: Flag.String("volumes").pipe(
    Flag.withMetavar("DIR"),
    Flag.optional,
    Flag.map(absolute),
    Flag.withDescription("for storageType pvc: the claim is the directory DIR/<claim name>")
  )
}

/** `--output text|json` of the commands that show something. */
export const output = Flag.Literals("output", ["text", "json"]).pipe(
  Flag.withAlias("o"),
  Flag.withMetavar("FORMAT"),
  Flag.withDefault("text" as const),
  Flag.withDescription("text for people (default), json for programs")
)

/** `--summary FILE` of the commands that a Job runs. */
export const summary = Flag.String("summary").pipe(
  Flag.withMetavar("FILE"),
  Flag.optional,
  Flag.map(Option.getOrUndefined),
  Flag.withDescription(
    "write how the command ended there, whatever the outcome: JSON of at most 4096 bytes, for a container's /dev/termination-log"
  )
)
