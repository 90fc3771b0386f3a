import * as BackupPage from "./BackupPage.ts"
import * as Conditions from "./Conditions.ts"
import { html, type Markup } from "./Markup.ts"
import * as OncePage from "./OncePage.ts"
import { age, badge, href, pathOf, type Setting } from "./Pieces.ts"
import * as Shell from "./Shell.ts"
import type { View } from "../../status/View.ts"

/** The page of one resource: everything that its status says, and nothing of its spec but the schedule. */
export const page = (setting: Setting, view: View): Markup => {
  const { created, kind, name, namespace, status, verdict } = view
  const { nowMillis } = setting
  const details =
    view.kind === "KafkaBackup"
      ? [BackupPage.progress(view, nowMillis), BackupPage.summary(view, nowMillis), BackupPage.history(view, nowMillis)]
      : [
          OncePage.progress(view, nowMillis),
          OncePage.summary(view, nowMillis),
          view.kind === "KafkaRestore" ? OncePage.topics(view) : undefined
        ]
  const because = verdict.because === undefined ? undefined : `${verdict.because.type}: ${verdict.because.reason}`
  const content = html` <p class="crumbs"><a href="${href(setting, "")}">All resources</a> / ${namespace} / ${kind}</p>
    <h1 class="name">${name} ${badge(verdict)}</h1>
    <p class="lead">${verdict.sentence} <span class="quiet mono">${because}</span></p>
    ${details} ${Conditions.section(status.conditions ?? [], nowMillis)}
    <p class="quiet">
      Created ${age(created, nowMillis)}. More:
      <code>kubectl describe -n ${namespace} ${kind.toLowerCase()} ${name}</code>
    </p>`
  return Shell.page(setting, `${name}: ${verdict.word} – kafka-backup`, pathOf(view), content)
}

/** The page for an address that names nothing. */
export const missing = (setting: Setting, path: string): Markup =>
  Shell.page(
    setting,
    "not found – kafka-backup",
    path,
    html`<h1 class="idle">There is no such resource</h1>
      <p class="note" role="status">
        It does not exist, was deleted, or is not in a namespace that this operator watches.
      </p>
      <p><a href="${href(setting, "")}">All resources</a></p>`
  )
