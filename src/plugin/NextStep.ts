import { retryAnnotation } from "../resource/KafkaRestore.ts"
import type { View } from "../status/View.ts"

/** What its user does next about a resource, as commands. Pure. */

const quoted = (text: string): string => (/^[\w./:@%+=,-]+$/u.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`)

/** A command of the plugin on this resource, with its namespace. */
export const command = (words: string, { kind, name, namespace }: Pick<View, "kind" | "name" | "namespace">): string =>
  `kubectl kafka-backup ${words} -n ${quoted(namespace)} ${kind === "KafkaRestore" ? `restore/${quoted(name)}` : quoted(name)}`

const ofBackup = (view: Extract<View, { readonly kind: "KafkaBackup" }>): ReadonlyArray<string> => {
  const { status, verdict } = view
  const reason = verdict.because?.reason
  if (verdict.because === undefined) {
    return ["see whether the operator runs, and whether it watches this namespace: docs/guides/install.md"]
  }
  if (reason === "Suspended") return [`to let it run again: ${command("resume", view)}`]
  if (status.activeRun !== undefined) return [`to follow the run: ${command("logs --follow", view)}`]
  if (!verdict.isBad) return []
  if (verdict.word === "failed") {
    return [
      `to see why: ${command("logs", view)}`,
      `when that is repaired: ${command("check --wait", view)}, then ${command("trigger --wait", view)}`
    ]
  }
  return [`when that is repaired: ${command("check --wait", view)}`]
}

const ofRestore = (view: Extract<View, { readonly kind: "KafkaRestore" }>): ReadonlyArray<string> => {
  switch (view.verdict.word) {
    case "running":
      return [`to follow it: ${command("logs --follow", view)}`]
    case "failed":
      return [
        `to see why: ${command("logs", view)}`,
        // The message says where a new value helps; a restore that is over for good names no annotation.
        view.verdict.sentence.includes(retryAnnotation)
          ? `when that is repaired: kubectl annotate -n ${quoted(view.namespace)} kafkarestore/${quoted(view.name)} --overwrite ${retryAnnotation}=VALUE, with a VALUE that it never had`
          : "this KafkaRestore is over: correct its manifest, and create it under another name"
      ]
    default:
      return []
  }
}

/** Sentences; none where nothing is to be done. */
export const of = (view: View): ReadonlyArray<string> =>
  view.kind === "KafkaBackup" ? ofBackup(view) : view.kind === "KafkaRestore" ? ofRestore(view) : []
