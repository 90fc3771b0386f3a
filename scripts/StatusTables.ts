import type { StructuralSchema } from "../src/resource/StructuralSchema.ts"
import { type EventReason, eventReasons } from "../src/status/EventReasons.ts"

/* Rows and tables of the reference pages about a kind's status. */

export const cell = (text: string) => text.replaceAll("|", "\\|").replaceAll("<", "&lt;")

const typeOf = (node: StructuralSchema): string =>
  node.enum !== undefined
    ? node.enum.map((word) => `\`${word}\``).join(", ")
    : node.type === "array"
      ? "list"
      : node.format === "date-time"
        ? "time"
        : (node.type ?? "")

/** A row for every field below a node, with its path. */
export const fields = (node: StructuralSchema, path = ""): ReadonlyArray<string> =>
  Object.entries(node.properties ?? node.items?.properties ?? {}).flatMap(([name, child]) => {
    const at = path === "" ? name : `${path}.${name}`
    return [
      `| \`${at}\` | ${typeOf(child)} | ${cell(child.description ?? "")} |`,
      ...fields(child, child.type === "array" ? `${at}[]` : at)
    ]
  })

interface Column {
  readonly name: string
  readonly description?: string
  readonly priority?: number
}

/** A row for each column of `kubectl get`. */
export const columns = (printed: ReadonlyArray<Column>): string =>
  printed
    .map(
      ({ description, name, priority }) =>
        `| ${name.toUpperCase()}${priority === undefined ? "" : " (`-o wide`)"} | ${cell(description ?? "Time since the resource was created")} |`
    )
    .join("\n")

interface Reason {
  readonly of: ReadonlyArray<string>
  readonly meaning: string
  readonly todo?: string
}

/** A section for each type of condition, with its reasons. */
export const conditions = (
  types: Readonly<Record<string, string>>,
  reasons: Readonly<Record<string, Reason>>
): string =>
  Object.entries(types)
    .map(([type, meaning]) =>
      [
        `### ${type}`,
        "",
        meaning,
        "",
        "| reason | meaning | what to do |",
        "|---|---|---|",
        ...Object.entries(reasons).flatMap(([name, reason]) =>
          reason.of.includes(type) ? [`| \`${name}\` | ${cell(reason.meaning)} | ${cell(reason.todo ?? "")} |`] : []
        ),
        ""
      ].join("\n")
    )
    .join("\n")

/** A row for each Event that is about the kind. */
export const events = (isAbout: (name: string, event: EventReason) => boolean): string =>
  Object.entries(eventReasons)
    .flatMap(([name, event]) =>
      isAbout(name, event) ? [`| \`${name}\` | ${event.type} | ${event.action} | ${cell(event.meaning)} |`] : []
    )
    .join("\n")
