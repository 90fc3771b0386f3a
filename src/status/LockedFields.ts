import type { LockedSummary } from "../outcome/RunSummary.ts"
import { given } from "../resource/Json.ts"
import type { Facts } from "./Facts.ts"
import * as Format from "./Format.ts"
import type { Status } from "./Status.ts"

/* Backups that are past retention and stay, because the store locks them. */

/** What ended last of that which applies retention, and went well: a run, or a prune Job. */
const lastApplied = ({ ended, maintenance }: Facts): { readonly locked?: LockedSummary } | undefined =>
  [
    ...ended.filter(({ outcome }) => outcome === "success"),
    ...maintenance.filter(({ isSuccess, task }) => task === "prune" && isSuccess)
  ]
    .toSorted((a, b) => (a.endMillis ?? 0) - (b.endMillis ?? 0))
    .at(-1)

/** The summary as the status has it. */
export const of = ({ firstMillis, held, lastMillis, sets }: LockedSummary): NonNullable<Status["locked"]> => {
  const time = (millis: number | undefined) => (millis === undefined ? undefined : Format.time(millis))
  return given({ backups: sets, firstTime: time(firstMillis), lastTime: time(lastMillis), held })
}

/** As the retention that ended last found it; without news it stays, also in a failed run. */
export const next = (previous: Status["locked"], facts: Facts): Status["locked"] => {
  const last = lastApplied(facts)
  if (last === undefined) return previous
  return last.locked === undefined || last.locked.sets < 1 ? undefined : of(last.locked)
}

/** How many of them still count as kept, and not as some that retention forgot: none once a lock has ended. */
export const waiting = (locked: Status["locked"], nowMillis: number): number =>
  locked === undefined || (locked.firstTime !== undefined && Format.millis(locked.firstTime) <= nowMillis)
    ? 0
    : locked.backups

const ends = ({ firstTime, held = 0, lastTime }: NonNullable<Status["locked"]>): string => {
  const by =
    held === 0 ? [] : [held === 1 ? "1 by a hold without an end" : `${Format.count(held)} by holds without an end`]
  const until =
    lastTime === undefined
      ? []
      : [firstTime === lastTime ? `until ${lastTime}` : `the first until ${firstTime}, the last until ${lastTime}`]
  return [...until, ...by].join("; ")
}

/** `2 backups are past retention and stay, because the store locks them: until 2026-12-30T13:00:07Z`. */
export const text = (locked: NonNullable<Status["locked"]>): string => {
  const { backups } = locked
  const what =
    backups === 1
      ? "1 backup is past retention and stays, because the store locks it"
      : `${Format.count(backups)} backups are past retention and stay, because the store locks them`
  const when = ends(locked)
  return when === "" ? what : `${what}: ${when}`
}
