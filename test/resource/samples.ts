import { readdirSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"

const folder = fileURLToPath(new URL("../../deploy/samples/", import.meta.url))

/** One file of deploy/samples. */
export interface Sample {
  readonly name: string
  readonly file: string
  readonly text: string
}

const all = readdirSync(folder)
  .filter((name) => name.endsWith(".yaml"))
  .map((name): Sample => ({ name, file: `${folder}${name}`, text: readFileSync(`${folder}${name}`, "utf8") }))

const isOfRestore = ({ name }: Sample) => name.startsWith("restore-")

const isOfOffsets = ({ name }: Sample) => name.startsWith("offset-")

/** The KafkaBackups. */
export const backupSamples = all.filter((sample) => !isOfRestore(sample) && !isOfOffsets(sample))

/** The KafkaRestores. */
export const restoreSamples = all.filter(isOfRestore)

/** The KafkaOffsetResets and KafkaOffsetRollbacks. */
export const offsetSamples = all.filter(isOfOffsets)
