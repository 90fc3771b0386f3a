import { Option } from "effect"
import { Flag } from "effect/cli"
import { resolve } from "node:path"

const absolute = (directory: Option.Option<string>) =>
  Option.getOrUndefined(Option.map(directory, (given) => resolve(given)))

/** Options of every command that takes a manifest. */
export const shared = {
  file: Flag.String("file").pipe(
    Flag.withAlias("f"),
    Flag.withMetavar("FILE"),
    Flag.withDescription(
      "manifest, as for kubectl apply (required); - reads standard input, env:NAME the run spec that the operator " +
        "puts into the environment of a Job"
    )
  ),
  secrets: Flag.String("secrets").pipe(
    Flag.withMetavar("DIR"),
    Flag.optional,
    Flag.map(absolute),
    Flag.withDescription("directory of the manifest's Secrets: DIR/<secret name>/<key>, as mounted in a pod")
  ),
  volumes: Flag.String("volumes").pipe(
    Flag.withMetavar("DIR"),
    Flag.optional,
    Flag.map(absolute),
    Flag.withDescription("directory of the claims of storageType pvc: DIR/<claim name>")
  )
}

/** `--output text|json` of the commands that print results. */
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
    "write the result to FILE, whatever the outcome: JSON of at most 4096 bytes, for a container's /dev/termination-log"
  )
)

/** An address to listen on. */
export interface ListenAddress {
  /** Absent: every interface. */
  readonly host: string | undefined
  /** 0: any free port. */
  readonly port: number
}

/** `127.0.0.1:9090`, `[::1]:9090`, or `:9090` for every interface; undefined for any other text. */
export const parseListenAddress = (text: string): ListenAddress | undefined => {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([^\s:[\]]*)):(\d{1,5})$/u.exec(text)
  const port = Number(match?.[3])
  return match === null || port > 65_535 ? undefined : { host: match[1] ?? (match[2] || undefined), port }
}

/** The text of `--listen ADDRESS` as an address. */
export const listenAddress = Flag.filterMap(
  (text: string) => Option.fromUndefinedOr(parseListenAddress(text)),
  () => "an address and port, such as 127.0.0.1:8080, or :8080 for every interface"
)

/** `--listen ADDRESS` of the commands that a Job runs for long. */
export const listen = Flag.String("listen").pipe(
  Flag.withMetavar("ADDRESS"),
  listenAddress,
  Flag.optional,
  Flag.map(Option.getOrUndefined),
  Flag.withDescription(
    "serve /metrics (Prometheus), /progress (JSON) and /healthz at ADDRESS during the run, such as 127.0.0.1:9090, or " +
      ":9090 for every interface"
  )
)

/** `--report FILE` of the same commands. */
export const report = Flag.String("report").pipe(
  Flag.withMetavar("FILE"),
  Flag.optional,
  Flag.map(Option.getOrUndefined),
  Flag.withDescription("write the run's report to FILE as JSON, whatever the outcome")
)
