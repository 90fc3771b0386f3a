import {
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  VariableRefresh,
  VariableSort
} from "@grafana/grafana-foundation-sdk/dashboard"
import { prefix } from "../../src/telemetry/OperatorFamilies.ts"
import { activeRuns } from "./ActiveRuns.ts"
import { drills } from "./Drills.ts"
import { growth } from "./Growth.ts"
import { operatorHealth } from "./OperatorHealth.ts"
import type { Plan } from "./Panels.ts"
import { restores } from "./Restores.ts"
import { runs } from "./Runs.ts"
import { safety } from "./Safety.ts"
import { storedData } from "./StoredData.ts"

/** The rows, in the order of the questions that a person asks. */
const rows: ReadonlyArray<readonly [title: string, plans: ReadonlyArray<Plan>]> = [
  ["Am I safe?", safety],
  ["Runs", runs],
  ["Active runs", activeRuns],
  ["Data growth", growth],
  ["Retention, verification, damage", storedData],
  ["Drills", drills],
  ["Restores and offsets", restores],
  ["The operator", operatorHealth]
]

/** A gauge of each kind that has one series for each resource. */
const ofEach = `${prefix}(ready|restore_ready|offset_reset_failed|offset_rollback_failed)`

const choice = (name: string, label: string, query: string) =>
  new QueryVariableBuilder(name)
    .label(label)
    .datasource({ type: "prometheus", uid: "${datasource}" })
    .query(query)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc)
    .multi(true)
    .includeAll(true)
    .allValue(".*")
    .current({ selected: true, text: ["All"], value: ["$__all"] })

/** The dashboard, as Grafana loads it. */
export const dashboard = (): Dashboard => {
  const made = new DashboardBuilder("Kafka backups")
    .uid("kafka-backup-operator")
    .description("Are the backups made, whole and restorable? Every panel says what it means and what to do.")
    .tags(["kafka", "backup"])
    .time({ from: "now-7d", to: "now" })
    .refresh("1m")
    .tooltip(DashboardCursorSync.Crosshair)
    .readonly()
    .annotations([])
    .withVariable(new DatasourceVariableBuilder("datasource").label("Data source").type("prometheus"))
    .withVariable(choice("namespace", "Namespace", `label_values({__name__=~"${ofEach}"}, resource_namespace)`))
    .withVariable(
      choice("resource", "Resource", `label_values({__name__=~"${ofEach}", resource_namespace=~"$namespace"}, name)`)
    )
  let id = 0
  for (const [title, plans] of rows) {
    made.withRow(new RowBuilder(title).id(++id))
    for (const plan of plans) made.withPanel({ build: () => ({ ...plan.build(), id: ++id }) })
  }
  return made.build()
}

/** deploy/monitoring/dashboard.json. */
export const dashboardJson = (): string => `${JSON.stringify(dashboard(), null, 2)}\n`
