import type { Builder } from "@grafana/grafana-foundation-sdk/cog"
import * as common from "@grafana/grafana-foundation-sdk/common"
import {
  FieldColorBuilder,
  FieldColorModeId,
  MappingType,
  type Panel,
  type Threshold,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  type ValueMapping
} from "@grafana/grafana-foundation-sdk/dashboard"
import { DataqueryBuilder, PromQueryFormat } from "@grafana/grafana-foundation-sdk/prometheus"
import * as stat from "@grafana/grafana-foundation-sdk/stat"
import * as table from "@grafana/grafana-foundation-sdk/table"
import * as timeseries from "@grafana/grafana-foundation-sdk/timeseries"

/** A query of a panel, and how its series are called. */
export interface Query {
  readonly expr: string
  readonly legend?: string
}

/** What every panel has. */
export interface Common {
  readonly title: string
  /** What it means, and what to do when it is not as it should be. */
  readonly description: string
  readonly queries: ReadonlyArray<Query>
  /** A unit of Grafana: `s`, `bytes`, `short`. */
  readonly unit?: string
  readonly min?: number
  readonly max?: number
  /** The colours from a value on; green below the first. */
  readonly from?: ReadonlyArray<readonly [value: number, color: "orange" | "red" | "green"]>
  /** Of 24 columns. */
  readonly width?: number
}

/** A panel before it has its place. */
export type Plan = { readonly title: string } & Pick<Builder<Panel>, "build">

const datasource: common.DataSourceRef = { type: "prometheus", uid: "${datasource}" }

const refId = (index: number): string => String.fromCodePoint(65 + index)

/** 0 and 1 as words. */
export const words = (zero: readonly [string, string], one: readonly [string, string]): ReadonlyArray<ValueMapping> => [
  {
    type: MappingType.ValueToText,
    options: { "0": { text: zero[0], color: zero[1], index: 0 }, "1": { text: one[0], color: one[1], index: 1 } }
  }
]

const thresholds = (from: Common["from"] = []) => {
  const steps: Array<Threshold> = [{ value: null, color: "green" }]
  for (const [value, color] of from) steps.push({ value, color })
  return new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(steps)
}

const query = ({ expr, legend }: Query, index: number) => {
  const made = new DataqueryBuilder().expr(expr).refId(refId(index)).datasource(datasource)
  return legend === undefined ? made : made.legendFormat(legend)
}

/** One number, coloured by its thresholds. */
export const number = ({ description, from, queries, title, unit = "short", width = 4 }: Common): Plan => {
  const panel = new stat.PanelBuilder()
    .title(title)
    .description(description)
    .datasource(datasource)
    .unit(unit)
    .thresholds(thresholds(from))
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.Thresholds))
    .colorMode(from === undefined ? common.BigValueColorMode.None : common.BigValueColorMode.Background)
    .graphMode(common.BigValueGraphMode.None)
    .reduceOptions(new common.ReduceDataOptionsBuilder().calcs(["lastNotNull"]))
    .height(4)
    .span(width)
  for (const [index, one] of queries.entries()) panel.withTarget(query(one, index).instant())
  return { title, build: () => panel.build() }
}

/** Lines over time; `bars` for counts that belong to an interval of at least that length. */
export const graph = ({
  bars,
  description,
  from,
  mappings,
  max,
  min = 0,
  queries,
  title,
  unit = "short",
  width = 12
}: Common & { readonly bars?: string; readonly mappings?: ReadonlyArray<ValueMapping> }): Plan => {
  const panel = new timeseries.PanelBuilder()
    .title(title)
    .description(description)
    .datasource(datasource)
    .unit(unit)
    .min(min)
    .height(8)
    .span(width)
    .fillOpacity(bars === undefined ? 5 : 60)
    .showPoints(common.VisibilityMode.Never)
    .legend(
      new common.VizLegendOptionsBuilder()
        .displayMode(common.LegendDisplayMode.List)
        .placement(common.LegendPlacement.Bottom)
        .showLegend(true)
        .calcs([])
    )
    .tooltip(
      new common.VizTooltipOptionsBuilder().mode(common.TooltipDisplayMode.Multi).sort(common.SortOrder.Descending)
    )
  if (max !== undefined) panel.max(max)
  if (mappings !== undefined) panel.mappings([...mappings])
  if (bars !== undefined) {
    panel
      .drawStyle(common.GraphDrawStyle.Bars)
      .interval(bars)
      .stacking(new common.StackingConfigBuilder().mode(common.StackingMode.Normal).group("A"))
  }
  if (from !== undefined) {
    panel
      .thresholds(thresholds(from))
      .thresholdsStyle(new common.GraphThresholdsStyleConfigBuilder().mode(common.GraphThresholdsStyleMode.Dashed))
  }
  for (const [index, one] of queries.entries()) panel.withTarget(query(one, index).range())
  return { title, build: () => panel.build() }
}

/** A column of a table: its query has one value for each row. */
export interface Column extends Query {
  readonly name: string
  readonly unit?: string
  readonly from?: Common["from"]
  readonly mappings?: ReadonlyArray<ValueMapping>
}

/** One row for each set of labels, one column for each query. */
export const rows = ({
  columns,
  description,
  labels,
  sortBy,
  title,
  width = 24
}: Pick<Common, "title" | "description" | "width"> & {
  readonly columns: ReadonlyArray<Column>
  /** The labels that make a row, with the heads of their columns. */
  readonly labels: Readonly<Record<string, string>>
  /** The head of a column: largest first. */
  readonly sortBy: string
}): Plan => {
  const valueOf = (index: number) => (columns.length === 1 ? "Value" : `Value #${refId(index)}`)
  const heads = [...Object.entries(labels), ...columns.map(({ name }, index) => [valueOf(index), name] as const)]
  const panel = new table.PanelBuilder()
    .title(title)
    .description(description)
    .datasource(datasource)
    .height(width === 24 ? 9 : 8)
    .span(width)
    .sortBy([new common.TableSortByFieldStateBuilder().displayName(sortBy).desc(true)])
    .withTransformation({ id: "merge", options: {} })
    .withTransformation({
      id: "organize",
      options: {
        excludeByName: { Time: true },
        includeByName: {},
        indexByName: Object.fromEntries(heads.map(([field], index) => [field, index])),
        renameByName: Object.fromEntries(heads)
      }
    })
  for (const [index, column] of columns.entries()) {
    panel.withTarget(query(column, index).instant().format(PromQueryFormat.Table))
    panel.overrideByName(column.name, [
      { id: "unit", value: column.unit ?? "short" },
      ...(column.from === undefined
        ? []
        : [
            { id: "thresholds", value: thresholds(column.from).build() },
            { id: "custom.cellOptions", value: { type: "color-background", mode: "basic" } }
          ]),
      ...(column.mappings === undefined
        ? []
        : [
            { id: "mappings", value: column.mappings },
            { id: "custom.cellOptions", value: { type: "color-text" } }
          ])
    ])
  }
  return { title, build: () => panel.build() }
}
