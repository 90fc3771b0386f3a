import { Clock, Context, Effect, Layer, Stream } from "effect"
import * as KeyRules from "./KeyRules.ts"
import * as Storing from "./cloud/Storing.ts"
import type { ObjectInfo, ObjectKey, ObjectStoreShape } from "./ObjectStore.ts"
import type { Protection } from "./Protection.ts"
import {
  ContentMismatch,
  Misconfigured,
  ObjectExists,
  ObjectNotFound,
  ObjectStoreError,
  type ObjectStoreReason,
  stillLocked,
  StoreUnavailable
} from "./ObjectStoreError.ts"
import * as Pieces from "./Pieces.ts"
import * as ScriptedFaults from "./ScriptedFaults.ts"

/** One call that reached a store, answered or not, in order of arrival. */
export interface Call {
  readonly operation: ScriptedFaults.Operation
  /** The key; of a `list` its prefix. */
  readonly key: string
}

/** What a story may do to one store behind its users' backs. */
export interface InMemoryStore {
  readonly store: ObjectStoreShape
  /** Scripts a fault for calls to come; several may be pending. */
  readonly disturb: (fault: ScriptedFaults.Fault) => Effect.Effect<void>
  /** Takes back every scripted fault. */
  readonly calm: Effect.Effect<void>
  /** Every call since the store came to be; `folders` counts as `list`. */
  readonly calls: Effect.Effect<ReadonlyArray<Call>>
  /** All keys, ascending. */
  readonly keys: Effect.Effect<ReadonlyArray<ObjectKey>>
  /**
   * Protects the objects for which this says so, as a bucket with versions does: one that is deleted all the same is
   * hidden, and its bytes stay. Undefined again: no object.
   */
  readonly protect: (protection: ((key: string) => Protection | undefined) | undefined) => Effect.Effect<void>
  /** Replaces content at rest, as bit rot, a truncating store or a foreign hand would; undefined removes the object. */
  readonly tamper: (key: ObjectKey, change: (bytes: Uint8Array) => Uint8Array | undefined) => Effect.Effect<void>
}

interface Entry {
  readonly bytes: Uint8Array
  readonly info: ObjectInfo
}

const readSize = 64 * 1024

const make = (name: string): InMemoryStore => {
  const location = `memory ${name}`
  const entries = new Map<string, Entry>()
  /** How many objects lie below each folder: a directory could not hold `a` and `a/b`, so we do not either. */
  const below = new Map<string, number>()
  const calls: Array<Call> = []
  const script = ScriptedFaults.make()
  let locking: ((key: string) => Protection | undefined) | undefined

  const failure = (operation: ScriptedFaults.Operation, reason: ObjectStoreReason) =>
    new ObjectStoreError({ operation, location, reason })

  const parents = (key: string) =>
    key
      .split("/")
      .slice(0, -1)
      .map((_, depth, segments) => segments.slice(0, depth + 1).join("/"))

  const hold = (key: ObjectKey, bytes: Uint8Array, modifiedMillis: number): ObjectInfo => {
    if (!entries.has(key)) for (const folder of parents(key)) below.set(folder, (below.get(folder) ?? 0) + 1)
    const info = { key, size: bytes.byteLength, fingerprint: Pieces.sha256([bytes]), modifiedMillis }
    entries.set(key, { bytes, info })
    return info
  }

  const drop = (key: string) => {
    if (!entries.delete(key)) return
    for (const folder of parents(key)) {
      const left = (below.get(folder) ?? 1) - 1
      if (left === 0) below.delete(folder)
      else below.set(folder, left)
    }
  }

  const sorted = (prefix: string) =>
    [...entries.keys()].filter((key) => key.startsWith(prefix)).sort(KeyRules.byUtf8) as Array<ObjectKey>

  const lost = (operation: ScriptedFaults.Operation) =>
    failure(operation, new StoreUnavailable({ detail: "the connection broke before the answer" }))

  /** Counts the call, checks the key, and lets the scripted faults happen around the work. */
  const disturbed = <A>(
    operation: ScriptedFaults.Operation,
    key: string,
    work: (faults: ReadonlyArray<ScriptedFaults.Fault>) => Effect.Effect<A, ObjectStoreError>
  ) =>
    Effect.suspend(() => {
      calls.push({ operation, key })
      const refused = operation === "list" ? KeyRules.prefixRefusal(key) : KeyRules.refusal(key)
      if (refused !== undefined) {
        const detail = `${KeyRules.shown(key)} is not usable as a key: ${refused}`
        return Effect.fail(failure(operation, new Misconfigured({ detail, advice: "use another name" })))
      }
      const faults = script.met(operation, key)
      return Effect.gen(function* () {
        for (const fault of faults) {
          if (fault._tag === "Delay") yield* Effect.sleep(fault.duration)
          if (fault._tag === "Fail") return yield* failure(operation, fault.reason)
        }
        const answer = yield* work(faults)
        if (faults.some((fault) => fault._tag === "LoseAnswer")) return yield* lost(operation)
        return answer
      })
    })

  const found = (operation: ScriptedFaults.Operation, key: string) =>
    Effect.suspend(() => {
      const entry = entries.get(key)
      return entry === undefined ? Effect.fail(failure(operation, new ObjectNotFound({ key }))) : Effect.succeed(entry)
    })

  const breakAt = (faults: ReadonlyArray<ScriptedFaults.Fault>) =>
    faults.reduce((at, fault) => (fault._tag === "Break" ? Math.min(at, fault.afterBytes) : at), Infinity)

  const listed = (prefix: string) =>
    disturbed("list", prefix, () => Effect.sync(() => sorted(prefix).map((key) => entries.get(key)!.info)))

  const protection = (key: string) =>
    Effect.map(Clock.currentTimeMillis, (now) => {
      const { isHeld, untilMillis } = (entries.has(key) ? locking?.(key) : undefined) ?? {}
      return Storing.protection(untilMillis, isHeld === true, now)
    })

  const store: ObjectStoreShape = {
    location,
    put: (key, pieces, options = {}) =>
      disturbed("put", key, () =>
        Effect.gen(function* () {
          // Nothing below gives way to another fiber: check and write are one step.
          const now = yield* Clock.currentTimeMillis
          if (options.sha256 !== undefined && Pieces.sha256(pieces) !== options.sha256) {
            return yield* failure(
              "put",
              new ContentMismatch({ key, detail: "the bytes do not match the announced SHA-256" })
            )
          }
          const clash = below.has(key) ? `${key}/` : parents(key).find((folder) => entries.has(folder))
          if (clash !== undefined) {
            const detail = `${key} conflicts with ${clash}: one name would be a file and a directory`
            return yield* failure("put", new Misconfigured({ detail, advice: "use another name" }))
          }
          if (options.ifAbsent && entries.has(key)) return yield* failure("put", new ObjectExists({ key }))
          return hold(key, Pieces.joined(pieces), now)
        })
      ),
    get: (key) =>
      disturbed("get", key, (faults) =>
        Effect.flatMap(found("get", key), ({ bytes }) =>
          breakAt(faults) < bytes.byteLength ? Effect.fail(lost("get")) : Effect.succeed(bytes.slice())
        )
      ),
    read: (key) =>
      Stream.unwrap(
        disturbed("read", key, (faults) =>
          Effect.map(found("read", key), ({ bytes }) => {
            const end = Math.min(breakAt(faults), bytes.byteLength)
            const whole = Stream.fromIterable(Pieces.slices([bytes.subarray(0, end)], readSize)).pipe(
              Stream.map((piece) => piece.slice()),
              Stream.rechunk(1)
            )
            return end < bytes.byteLength ? Stream.concat(whole, Stream.fail(lost("read"))) : whole
          })
        )
      ),
    head: (key) => disturbed("head", key, () => Effect.map(found("head", key), ({ info }) => info)),
    list: (prefix) => Stream.fromIterableEffect(listed(prefix)),
    folders: Stream.fromIterableEffect(
      Effect.map(listed(""), (all) =>
        [...new Set(all.filter(({ key }) => key.includes("/")).map(({ key }) => key.slice(0, key.indexOf("/"))))].sort(
          KeyRules.byUtf8
        )
      )
    ),
    delete: (key, { role } = {}) =>
      disturbed("delete", key, () =>
        Effect.flatMap(role === "data" ? protection(key) : Effect.succeed(undefined), (found) =>
          found === undefined
            ? Effect.sync(() => drop(key))
            : Effect.fail(failure("delete", stillLocked(key, found, "wait until the lock has ended")))
        )
      ),
    protection: ({ key }) => protection(key),
    afterlife: Effect.sync(() => (locking === undefined ? undefined : "the store keeps them as noncurrent versions"))
  }

  return {
    store,
    disturb: (fault) => Effect.sync(() => script.add(fault)),
    calm: Effect.sync(() => script.clear()),
    calls: Effect.sync(() => calls.slice()),
    keys: Effect.sync(() => sorted("")),
    protect: (protection) => Effect.sync(() => void (locking = protection)),
    tamper: (key, change) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        const changed = change(entries.get(key)?.bytes.slice() ?? new Uint8Array())
        if (changed === undefined) drop(key)
        else hold(key, changed.slice(), now)
      })
  }
}

/** The in-memory stores of one layer, found by name: two openings of one name see the same objects. */
export class InMemoryObjectStores extends Context.Service<
  InMemoryObjectStores,
  {
    /** The store of that name; comes to be at first use. */
    readonly named: (name: string) => Effect.Effect<InMemoryStore>
  }
>()("kafka-backup/storage/InMemoryObjectStores") {
  static readonly layer = Layer.sync(InMemoryObjectStores, () => {
    const stores = new Map<string, InMemoryStore>()
    return InMemoryObjectStores.of({
      named: (name) =>
        Effect.sync(() => {
          const known = stores.get(name)
          if (known !== undefined) return known
          const created = make(name)
          stores.set(name, created)
          return created
        })
    })
  })
}
