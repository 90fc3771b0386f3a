import { roomOf } from "./Catalogue.ts"
import type { Message } from "./Extraction.ts"

/** The catalogue for reading: by room and file, each text with what it belongs to. */
export const page = (messages: ReadonlyArray<Message>): string => {
  const lines: Array<string> = []
  let room = ""
  let file = ""
  for (const message of messages) {
    if (roomOf(message.file) !== room) lines.push("", `# ${(room = roomOf(message.file))}`)
    if (message.file !== file) lines.push("", `## ${(file = message.file)}`)
    lines.push(line(message))
  }
  return `${lines.join("\n").trimStart()}\n`
}

/** `12 advice [TargetMissing]  create the bucket`. */
export const line = ({ line: at, reasons, shown, slot }: Message): string =>
  `${String(at).padStart(4)} ${slot} [${reasons.slice(0, 2).join(" < ")}]  ${shown.replaceAll("\n", "⏎")}`
