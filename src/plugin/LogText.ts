import { Option, Schema } from "effect"
import * as Format from "../status/Format.ts"

/** Lines of a pod's log for people. Pure and total: what is not known here stays as it is. */

const decode = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Record(Schema.String, Schema.Unknown)))

const textOf = (value: unknown): string => (typeof value === "string" ? value : (JSON.stringify(value) ?? ""))

/** `12:00:00.250` of an RFC 3339 text. */
const clock = (time: unknown): string =>
  typeof time === "string" && /T\d\d:\d\d:\d\d/u.test(time) ? time.slice(11, 23).replace(/Z$/u, "") : ""

const quoted = (text: string): string => (/^[^\s"=]+$/u.test(text) ? text : JSON.stringify(text))

type Line = Readonly<Record<string, unknown>>

const entry = ({ error, level, msg, time, ...facts }: Line): string => {
  const named = Object.entries(facts).map(([name, value]) => `${name}=${quoted(textOf(value))}`)
  const head = [clock(time), textOf(level).toUpperCase().padEnd(5), textOf(msg), ...named].filter((part) => part !== "")
  return [
    head.join(" "),
    ...(error === undefined
      ? []
      : textOf(error)
          .split("\n")
          .map((line) => `    ${line}`))
  ].join("\n")
}

/** What a run says of itself every five seconds: the status has the same, rarer. */
const progress = (found: Line): string => {
  const number = (name: string): number | undefined =>
    typeof found[name] === "number" && Number.isFinite(found[name]) ? found[name] : undefined
  const [percent, done, all, pace] = ["percent", "partitionsDone", "partitions", "bytesPerSecond"].map(number)
  const parts = [
    percent === undefined ? undefined : `${percent} %`,
    found["step"],
    done === undefined || all === undefined ? undefined : `${Format.count(done)} of ${Format.count(all)} partitions`,
    pace === undefined ? undefined : `${Format.bytes(pace)}/s`
  ]
  return `progress: ${parts.filter((part) => typeof part === "string").join(", ")}`
}

/** The report of a run or a restore at its end: the words of it; `kafka-backup report` shows the rest. */
const report = ({ message, outcome, reason }: Line): string =>
  ["report:", outcome, reason, message]
    .filter((part) => part !== undefined && part !== "")
    .map(textOf)
    .join(" ")

export const pretty = (line: string): string => {
  const found = line.startsWith("{") ? Option.getOrUndefined(decode(line)) : undefined
  if (found === undefined) return line
  if (found["type"] === "progress") return progress(found)
  if (found["type"] === "report") return report(found)
  return typeof found["msg"] === "string" && typeof found["level"] === "string" ? entry(found) : line
}
