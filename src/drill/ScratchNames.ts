import { createHash } from "node:crypto"
import { type Owner, ownerKey } from "../identity/RunIdentity.ts"

/*
 * Names of scratch topics: `{prefix}{yyyymmdd-hhmmss}-{six hex digits}-{topic}`, such as
 * `_drill-20261129-030000-5f3a1c-orders`. The instant is when the attempt began, in UTC, and the digits stand for the
 * resource: two resources that drill in the same second do not meet.
 */

/** Longest name of a topic. Source: `org.apache.kafka.common.internals.Topic`. */
const longest = 249

/** Hex digits that take the place of the end of a name that is too long, or that collides. */
const hashDigits = 12

const hash = (text: string, digits: number): string => createHash("sha256").update(text).digest("hex").slice(0, digits)

/** Six hex digits that stand for the resource. */
const tagOf = (owner: Owner): string => hash(ownerKey(owner), 6)

const stampOf = (startedMillis: number): string =>
  new Date(startedMillis).toISOString().slice(0, 19).replaceAll(/[-:]/g, "").replace("T", "-")

/** Kafka counts names that differ in `.` and `_` alone as the same. */
const counted = (name: string): string => name.replaceAll(".", "_")

/** The scratch topic of each of these topics; no two collide. */
export const of = (
  topics: ReadonlyArray<string>,
  { owner, prefix, startedMillis }: { readonly owner: Owner; readonly prefix: string; readonly startedMillis: number }
): ReadonlyMap<string, string> => {
  const head = `${prefix}${stampOf(startedMillis)}-${tagOf(owner)}-`
  const uses = new Map<string, number>()
  for (const topic of topics) uses.set(counted(topic), (uses.get(counted(topic)) ?? 0) + 1)
  const nameOf = (topic: string): string => {
    const plain = head + topic
    if (plain.length <= longest && uses.get(counted(topic)) === 1) return plain
    return `${plain.slice(0, longest - hashDigits - 1)}-${hash(topic, hashDigits)}`
  }
  return new Map(topics.map((topic) => [topic, nameOf(topic)]))
}

/** Whether a drill of this resource may have given a topic this name. It proves nothing: anybody may use any name. */
export const isLike = (name: string, { owner, prefix }: { readonly owner: Owner; readonly prefix: string }): boolean =>
  name.startsWith(prefix) && new RegExp(`^[0-9]{8}-[0-9]{6}-${tagOf(owner)}-`, "u").test(name.slice(prefix.length))
