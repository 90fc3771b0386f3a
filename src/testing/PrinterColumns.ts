import type { KubeObject } from "../kubernetes/Objects.ts"
import * as Crd from "../resource/Crd.ts"
import * as RestoreCrd from "../resource/RestoreCrd.ts"
import * as HumanDuration from "../status/HumanDuration.ts"
import * as TabWriter from "./TabWriter.ts"

/** The output of `kubectl get`, from the columns of a CustomResourceDefinition. */

export interface TableOptions {
  readonly columns: Columns
  /** The present, for ages, in milliseconds since 1970. */
  readonly nowMillis: number
  /** `-o wide`: the columns of priority 1 too. */
  readonly isWide?: boolean
}

interface Column {
  readonly name: string
  readonly type: string
  readonly jsonPath: string
  readonly priority?: number
}

export type Columns = ReadonlyArray<Column>

export const ofBackups: Columns = Crd.crd().spec.versions[0]!.additionalPrinterColumns
export const ofRestores: Columns = RestoreCrd.crd().spec.versions[0]!.additionalPrinterColumns

export const table = (
  resources: ReadonlyArray<KubeObject>,
  { columns, isWide = false, nowMillis }: TableOptions
): string => {
  if (resources.length === 0) return "No resources found"
  const shown = columns.filter(({ priority = 0 }) => isWide || priority === 0)
  const rows = resources.map((resource) => [
    resource.metadata.name,
    ...shown.map((column) => cell(column, valueAt(resource, column.jsonPath), nowMillis))
  ])
  return TabWriter.format([["NAME", ...shown.map(({ name }) => name.toUpperCase())], ...rows], TabWriter.table)
}

/** A missing value, or one that is not a scalar, leaves its cell empty. */
const cell = ({ type }: Column, value: unknown, nowMillis: number): string => {
  if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean") return ""
  return type === "date" ? HumanDuration.format(nowMillis - Date.parse(String(value))) : String(value)
}

const step = /\.([A-Za-z]\w*)|\[\?\(@\.(\w+)=="([^"]*)"\)\]/gy

/** The value at a JSON path as in printer columns: `.a.b` and `.list[?(@.type=="Ready")].status`. */
export const valueAt = (object: unknown, jsonPath: string): unknown => {
  let value = object
  let read = 0
  for (const [text, field, key, wanted] of jsonPath.matchAll(step)) {
    read += text.length
    if (field !== undefined) value = (value as Readonly<Record<string, unknown>> | null | undefined)?.[field]
    else {
      const items = Array.isArray(value) ? (value as ReadonlyArray<Readonly<Record<string, unknown>>>) : []
      value = items.find((item) => item[key ?? ""] === wanted)
    }
  }
  if (read !== jsonPath.length) throw new Error(`this JSON path is not supported: ${jsonPath}`)
  return value
}
