import { Schema } from "effect"

/** Name of one backup set: `{resource name}-{YYYYMMDD}-{HHMMSS}`, UTC, from the run's slot. */
export const BackupId = Schema.String.pipe(Schema.brand("BackupId"))
export type BackupId = typeof BackupId.Type

/** The id in a text from outside, such as an argument or the name of a folder; undefined if no set can have this id. */
export const parse = (text: string): BackupId | undefined =>
  /^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(text) ? BackupId.make(text) : undefined

const twoDigits = (n: number) => String(n).padStart(2, "0")

/**
 * The id of the run of `slot` (milliseconds since 1970). Same resource and slot give the same id, however often it is
 * retried.
 */
export const forSlot = (resourceName: string, slotMillis: number): BackupId => {
  const t = new Date(slotMillis)
  const day = `${t.getUTCFullYear()}${twoDigits(t.getUTCMonth() + 1)}${twoDigits(t.getUTCDate())}`
  const time = `${twoDigits(t.getUTCHours())}${twoDigits(t.getUTCMinutes())}${twoDigits(t.getUTCSeconds())}`
  return BackupId.make(`${resourceName}-${day}-${time}`)
}

/**
 * The ids to try for one slot, in order: the slot's own, then each a second later, in case another set has the name.
 */
export function* candidates(resourceName: string, slotMillis: number, limit = 60): Generator<BackupId> {
  for (let second = 0; second < limit; second++) yield forSlot(resourceName, slotMillis + second * 1000)
}

/** The slot in an id of the usual form, in milliseconds since 1970. Undefined for any other text. */
export const slotMillis = (backupId: string): number | undefined => {
  const found = /-(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)(\d\d)$/u.exec(backupId)
  if (found === null) return undefined
  const [, year, month, day, hour, minute, second] = found
  const millis = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
  return Number.isNaN(millis) ? undefined : millis
}

/** What the ids of a resource's backups of one month begin with; undefined for an id of another form. */
export const monthPrefix = (backupId: string): string | undefined =>
  slotMillis(backupId) === undefined ? undefined : backupId.slice(0, -"DD-HHMMSS".length)

const slotLength = "-YYYYMMDD-HHMMSS".length

/** True for an id that a run of this resource may have, whether or not there is such a backup. */
export const isOf = (resourceName: string, backupId: string): boolean =>
  backupId.startsWith(`${resourceName}-`) &&
  backupId.length === resourceName.length + slotLength &&
  slotMillis(backupId) !== undefined
