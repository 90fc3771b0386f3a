import { readFileSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import * as Crd from "../src/resource/Crd.ts"
import * as OffsetCrds from "../src/resource/OffsetCrds.ts"
import * as RestoreCrd from "../src/resource/RestoreCrd.ts"

/*
 * npm run crd             writes the definitions in crds/ from the schemas in src/resource
 * npm run crd -- --check  checks that they are up to date; exits with 1 if one is not
 */

const files = {
  "kafkabackup.yaml": Crd.yaml,
  "kafkarestore.yaml": RestoreCrd.yaml,
  "kafkaoffsetreset.yaml": () => OffsetCrds.yaml("KafkaOffsetReset"),
  "kafkaoffsetrollback.yaml": () => OffsetCrds.yaml("KafkaOffsetRollback")
}

const present = (file: string): string | undefined => {
  try {
    return readFileSync(file, "utf8")
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined
    throw error
  }
}

for (const [name, yaml] of Object.entries(files)) {
  const file = fileURLToPath(new URL(`../crds/${name}`, import.meta.url))
  const wanted = yaml()
  if (!process.argv.includes("--check")) writeFileSync(file, wanted)
  else if (present(file) !== wanted) {
    console.error(`crds/${name} does not match the schema in src/resource: run \`npm run crd\` and commit the result`)
    process.exitCode = 1
  }
}
