import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { build } from "rolldown"

/*
 * The plugin of kubectl as one file. It is CommonJS, since a file without an extension is that in every version of
 * Node: so an old one reads far enough to say that it is too old.
 */

/** As kubectl looks for it: `kubectl kafka-backup`. */
export const fileName = "kubectl-kafka_backup"

/** Oldest version of Node that runs it. */
const oldestNode = 24

const head = `#!/usr/bin/env node
if (Number(process.versions.node.split(".")[0]) < ${oldestNode}) {
  process.stderr.write("kubectl kafka-backup: Node ${oldestNode} or newer is needed, this is " + process.version + "\\n");
  process.exit(1);
}
`

/** Writes the plugin into the folder; gives the ids of the modules that are in it. */
export const write = async (root: string, folder: string): Promise<ReadonlyArray<string>> => {
  mkdirSync(folder, { recursive: true })
  const { output } = await build({
    cwd: root,
    input: "src/plugin.ts",
    platform: "node",
    write: false,
    output: { format: "cjs", codeSplitting: false }
  })
  const [only, ...others] = output.filter((part) => part.type === "chunk")
  if (only === undefined || others.length > 0) throw new Error("the plugin is not one file")
  writeFileSync(join(folder, fileName), `${head}${only.code}`, { mode: 0o755 })
  // Beside this checkout's package.json it would be read as a module.
  writeFileSync(join(folder, "package.json"), `${JSON.stringify({ type: "commonjs" })}\n`)
  return only.moduleIds
}
