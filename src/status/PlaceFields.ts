import { given } from "../resource/Json.ts"
import type { Facts } from "./Facts.ts"
import * as Format from "./Format.ts"
import * as History from "./History.ts"
import type { Status } from "./Status.ts"

/** Where to look: at the data, and at the log of a run. Of a spec with problems the last place stays. */
export const next = (
  previous: Status,
  { active, location, namespace }: Pick<Facts, "active" | "location" | "namespace">,
  history: History.History
): Pick<Status, "location" | "logs"> => {
  const jobName = active?.jobName ?? History.lastRun(history)?.jobName
  return given({
    location: location ?? previous.location,
    logs: jobName === undefined || namespace === undefined ? undefined : `kubectl logs -n ${namespace} job/${jobName}`
  })
}

/** Stored bytes of all backups, as the last run that counted them reported. */
export const stored = (verification: Status["verification"]): Pick<Status, "storedSize" | "storedSizeText"> =>
  verification === undefined
    ? {}
    : { storedSize: verification.storedBytes, storedSizeText: Format.bytes(verification.storedBytes) }
