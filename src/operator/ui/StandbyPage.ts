import { html, type Markup } from "./Markup.ts"
import type { Setting } from "./Pieces.ts"
import * as Shell from "./Shell.ts"

/** The name of the pod in the identity of a leader, which has a part of its own for each process. */
const podOf = (leader: string): string => leader.replace(/_[0-9a-f-]{36}$/, "")

/** The page of a replica that watches nothing: resources are read by the leader alone. */
export const page = (setting: Setting, leader: string | undefined, namespace = "NAMESPACE"): Markup => {
  const pod = leader === undefined ? undefined : podOf(leader)
  const content = html` <h1 class="idle">This replica shows nothing</h1>
    ${
      pod === undefined
        ? html`<p class="note" role="status">It does not lead, and reads no resources: ${setting.standing}.</p>`
        : html`<p class="note" role="status">It stands by: <b>${pod}</b> leads, and it alone reads the resources.</p>
            <p>Open the page there:</p>
            <pre tabindex="0"><code>kubectl port-forward -n ${namespace} pod/${pod} 8080</code></pre>`
    }`
  return Shell.page(setting, "standing by – kafka-backup", "", content)
}
