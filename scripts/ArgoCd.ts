import { readFileSync } from "node:fs"
import { join } from "node:path"
import { stringify } from "yaml"
import { group } from "../src/resource/KafkaBackup.ts"
import * as Cache from "./services/Cache.ts"

/** The kinds, which scripts of deploy/argocd are theirs, and the actions that those define. */
export const kinds = {
  KafkaBackup: { scripts: "kafkabackup", actions: ["trigger-backup", "check", "drill", "suspend", "resume"] },
  KafkaRestore: { scripts: "one-time", actions: ["retry"] },
  KafkaOffsetReset: { scripts: "one-time", actions: ["retry"] },
  KafkaOffsetRollback: { scripts: "one-time", actions: ["retry"] }
} as const

/** A script, as it stands in deploy/argocd. */
export const script = (scripts: string, name: string): string =>
  readFileSync(join(Cache.root, "deploy", "argocd", `${scripts}-${name}.lua`), "utf8")

const head = `# Made by \`npm run reference\` from the scripts in this folder: change those, not this file.
`

/** deploy/argocd/argocd-cm.yaml: what has to be in Argo CD's own ConfigMap. Its own keys stay as they are. */
export const configMap = (): string => {
  const data: Record<string, string> = {}
  for (const [kind, { actions, scripts }] of Object.entries(kinds)) {
    data[`resource.customizations.health.${group}_${kind}`] = script(scripts, "health")
    data[`resource.customizations.actions.${group}_${kind}`] = stringify(
      {
        "discovery.lua": script(scripts, "discovery"),
        definitions: actions.map((name) => ({ name, "action.lua": script(scripts, name) }))
      },
      { lineWidth: 0 }
    )
  }
  return (
    head + stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "argocd-cm" }, data }, { lineWidth: 0 })
  )
}
