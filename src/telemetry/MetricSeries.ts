import { Effect, Metric } from "effect"
import { PrometheusMetrics } from "effect/observability"
import { families, type Family, type FamilyName, type LabelsOf, prefix } from "./OperatorFamilies.ts"

/** The series of the operator's families in a registry of their own. */
export interface MetricSeries {
  /** Adds to a counter; 0 makes its series visible. */
  readonly add: <N extends FamilyName>(name: N, labels: LabelsOf<N>, amount: number) => Effect.Effect<void>
  /** Sets a gauge. */
  readonly set: <N extends FamilyName>(name: N, labels: LabelsOf<N>, value: number) => Effect.Effect<void>
  /** Counts a value into a histogram. */
  readonly observe: <N extends FamilyName>(name: N, labels: LabelsOf<N>, value: number) => Effect.Effect<void>
  readonly remove: <N extends FamilyName>(name: N, labels: LabelsOf<N>) => Effect.Effect<void>
  /** Everything, in Prometheus' text format, version 0.0.4; families in the order of their table. */
  readonly text: Effect.Effect<string>
}

type AnyMetric = Metric.Metric<number, unknown>

const metric = (name: string, { boundaries, help, type }: Family): AnyMetric => {
  const id = prefix + name
  switch (type) {
    case "counter":
      return Metric.counter(id, { description: help, incremental: true })
    case "gauge":
      return Metric.gauge(id, { description: help })
    case "histogram":
      return Metric.histogram(id, { description: help, boundaries: boundaries ?? [] })
  }
}

const order = new Map(Object.keys(families).map((name, index) => [prefix + name, index]))

/** A new registry, without any series. */
export const make = (): MetricSeries => {
  const registry: typeof Metric.MetricRegistry.Service = new Map()
  const all = new Map(Object.entries(families).map(([name, family]) => [name, metric(name, family)]))
  const here = Effect.provideService(Metric.MetricRegistry, registry)
  const of = (name: FamilyName, labels: Readonly<Record<string, string>>) =>
    Metric.withAttributes(all.get(name)!, labels) as AnyMetric
  const update = (name: FamilyName, labels: Readonly<Record<string, string>>, value: number) =>
    here(Metric.update(of(name, labels), value))
  return {
    add: update,
    set: update,
    observe: update,
    remove: (name, labels) => here(Metric.remove(of(name, labels))),
    text: Effect.map(here(PrometheusMetrics.format()), sorted)
  }
}

/** The library writes families in the order of their first use. */
const sorted = (text: string): string => {
  const blocks = text.split(/^(?=# HELP )/mu)
  const place = (block: string) => order.get(block.split(" ", 3)[2] ?? "") ?? order.size
  return blocks.toSorted((a, b) => place(a) - place(b)).join("")
}
