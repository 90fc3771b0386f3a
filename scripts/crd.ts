import { readFileSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import * as Crd from "../src/resource/Crd.ts"

/*
 * npm run crd             writes crds/kafkabackup.yaml from the schema in src/resource
 * npm run crd -- --check  checks that it is up to date; exits with 1 if it is not
 */

const file = fileURLToPath(new URL("../crds/kafkabackup.yaml", import.meta.url))
const wanted = Crd.yaml()

const present = (): string | undefined => {
  try {
    return readFileSync(file, "utf8")
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined
    throw error
  }
}

if (process.argv.includes("--check")) {
  if (present() !== wanted) {
    console.error(
      "crds/kafkabackup.yaml does not match the schema in src/resource: run `npm run crd` and commit the result"
    )
    process.exitCode = 1
  }
} else {
  writeFileSync(file, wanted)
}
