import { Effect, Exit } from "effect"
import * as Catalogue from "../../../src/manifest/Catalogue.ts"
import type { Manifest, ManifestSegment } from "../../../src/manifest/Manifest.ts"
import * as Seal from "../../../src/manifest/Seal.ts"
import type { SetFacts } from "../../../src/manifest/SetFacts.ts"
import { type World } from "./World.ts"

/* The backups that are in the store now, by the presence of their manifests. */

export interface StoredSet {
  readonly backupId: string
  readonly manifest: Manifest
  readonly facts: SetFacts
  readonly segments: ReadonlyArray<ManifestSegment>
}

/** A folder with a manifest that nobody removes; without `set` it cannot be read. */
export interface Found {
  readonly backupId: string
  readonly set: StoredSet | undefined
  /** Why not. */
  readonly why?: string
}

/** By what was opened, and the versions of the documents at that time. */
export type Opened = Map<string, readonly [versions: string, found: Found]>

const isOurs = (backupId: string) => /^nightly-\d{8}-\d{6}$/u.test(backupId)

const versionsOf = ({ versions }: World, backupId: string) =>
  ["manifest.json", "kb-meta.json"].map((name) => versions.get(`${backupId}/${name}`)).join()

/** The folders that count as backups, ascending. */
export const folders = ({ versions }: World): ReadonlyArray<string> =>
  [...versions.keys()]
    .flatMap((key) => (key.endsWith("/manifest.json") ? [key.slice(0, key.indexOf("/"))] : []))
    .filter((backupId) => isOurs(backupId) && !versions.has(`${backupId}/tombstone.json`))
    .toSorted()

export const complete = (world: World, opened: Opened = world.opened) =>
  Effect.forEach(
    folders(world),
    Effect.fnUntraced(function* (backupId) {
      const versions = versionsOf(world, backupId)
      const known = opened.get(backupId)
      if (known?.[0] === versions) return known[1]
      const exit = yield* Effect.exit(Catalogue.open(world.store, backupId))
      const { facts, manifest } = Exit.isSuccess(exit) ? exit.value : {}
      const found: Found =
        facts === undefined || manifest === undefined
          ? { backupId, set: undefined, why: Exit.isFailure(exit) ? String(exit.cause).split("\n", 1)[0]! : "no facts" }
          : {
              backupId,
              set: {
                backupId,
                facts,
                manifest,
                segments: manifest.topics.flatMap(({ partitions }) => partitions.flatMap(({ segments }) => segments))
              }
            }
      opened.set(backupId, [versions, found])
      return found
    })
  )

const sealed = ["manifest.json", "report.json"]

/** The objects of the backup that are not what was stored: those that it names, and its documents. */
export const damageOf = ({ damaged }: World, { manifest, backupId, segments }: StoredSet): ReadonlyArray<string> => {
  if (damaged.size === 0) return []
  const listed = Object.entries(manifest.kb_documents ?? {})
  // A document of an unfinished run may have been altered before the manifest said what it holds.
  const documents = listed.flatMap(([name, sha256]) => {
    const present = damaged.get(`${backupId}/${name}`)?.present
    return present !== undefined && Seal.sha256(present) === sha256 ? [] : [name]
  })
  return [...segments.map(({ key }) => key), ...[...sealed, ...documents].map((name) => `${backupId}/${name}`)].filter(
    (key) => damaged.has(key)
  )
}

/** True for a document that says what the backup is. */
export const isAboutAll = (key: string): boolean => /\/(manifest|kb-meta(-\d{6})?)\.json$/u.test(key)

/** A document that says what the backup is was altered. Facts that an attempt left without a manifest say nothing. */
export const isTorn = ({ damaged }: World, backupId: string, set: StoredSet | undefined): boolean => {
  const listed = set?.manifest.kb_documents
  const isNamed = (name: string) => name === "manifest.json" || listed === undefined || name in listed
  return [...damaged.keys()].some(
    (key) => key.startsWith(`${backupId}/`) && isAboutAll(key) && isNamed(key.slice(backupId.length + 1))
  )
}
