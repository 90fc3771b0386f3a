import { Result } from "effect"
import * as Kinds from "../Kind.ts"
import type { Kind } from "../Kind.ts"
import type { ObjectRef, RemoveOptions, Selection } from "../KubernetesApi.ts"
import { AlreadyExists, Conflict, Forbidden, Invalid, NotFound } from "../KubernetesError.ts"
import type { KubeObject } from "../Objects.ts"
import { body, cleared, tidy } from "./body.ts"
import * as KindRules from "./KindRules.ts"
import * as ObjectTable from "./ObjectTable.ts"
import type { Stored } from "./ObjectTable.ts"
import type { Outcome, Subresource } from "./Outcome.ts"
import * as Ownership from "./Ownership.ts"
import { checkSubresource, expected } from "./Preconditions.ts"
import * as Removal from "./Removal.ts"
import * as Selectors from "./Selectors.ts"
import { timestamp } from "./timestamp.ts"
import * as Tree from "./Tree.ts"

/** A CRD's or an admission rule's answer to an object: the object to keep, with defaults, or why it is refused. */
export type Admission = (object: KubeObject, before: KubeObject | undefined) => Result.Result<KubeObject, string>

/** The rules of an API server over a table of objects. Each request is one atomic step. */
export interface ApiServer {
  readonly table: ObjectTable.ObjectTable
  readonly admissions: Map<string, Admission>
  /** `apiVersion/plural` of kinds that are not installed. */
  readonly missing: Set<string>
  readonly get: (kind: Kind, ref: ObjectRef) => Outcome<KubeObject>
  readonly list: (kind: Kind, selection: Selection) => Outcome<ReadonlyArray<KubeObject>>
  readonly create: (kind: Kind, object: unknown, nowMillis: number) => Outcome<KubeObject>
  readonly replace: (kind: Kind, object: unknown, nowMillis: number) => Outcome<KubeObject>
  readonly patch: (
    kind: Kind,
    ref: ObjectRef,
    patch: unknown,
    sub: Subresource,
    nowMillis: number
  ) => Outcome<KubeObject>
  /** Under the field manager `manager`, with force. */
  readonly apply: (
    kind: Kind,
    object: unknown,
    sub: Subresource,
    manager: string,
    nowMillis: number
  ) => Outcome<KubeObject>
  readonly remove: (kind: Kind, ref: ObjectRef, options: RemoveOptions, nowMillis: number) => Outcome<void>
  /** Marks a namespace as terminating, and keeps the objects in it. */
  readonly terminate: (name: string, nowMillis: number) => void
}

export const make = (): ApiServer => {
  const table = ObjectTable.make()
  const removal = Removal.make(table)
  const admissions = new Map<string, Admission>()
  const missing = new Set<string>()
  const known = new Set(Object.values(Kinds).map(({ apiVersion, plural }) => `${apiVersion}/${plural}`))

  const checkKind = (kind: Kind): Outcome<void> =>
    known.has(`${kind.apiVersion}/${kind.plural}`) && !missing.has(`${kind.apiVersion}/${kind.plural}`)
      ? Result.succeed(undefined)
      : Result.fail(new NotFound({ detail: "the server could not find the requested resource", isKindMissing: true }))

  const find = (kind: Kind, { name, namespace }: ObjectRef): Outcome<Stored> =>
    Result.flatMap(checkKind(kind), () => {
      const stored = table.read(kind, namespace, name)
      const detail = `${KindRules.qualified(kind)} ${JSON.stringify(name)} not found`
      return stored === undefined ? Result.fail(new NotFound({ detail, isKindMissing: false })) : Result.succeed(stored)
    })

  /** A namespace is created with the first object in it. */
  const enterNamespace = (kind: Kind, { metadata }: KubeObject, nowMillis: number): Outcome<void> => {
    const { name, namespace } = metadata
    if (!kind.isNamespaced) return Result.succeed(undefined)
    if (namespace === undefined) return Result.fail(new Invalid({ detail: "an empty namespace may not be set" }))
    const there = table.read(Kinds.namespaces, undefined, namespace)
    if (there?.object.metadata.deletionTimestamp !== undefined) {
      const detail = `${KindRules.qualified(kind)} ${JSON.stringify(name)} is forbidden: unable to create new content in namespace ${namespace} because it is being terminated`
      return Result.fail(new Forbidden({ detail, isNamespaceTerminating: true, isQuota: false }))
    }
    if (there !== undefined) return Result.succeed(undefined)
    const made = { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } }
    return Result.map(create(Kinds.namespaces, made, nowMillis), () => undefined)
  }

  const admitted = (kind: Kind, object: KubeObject, before: KubeObject | undefined): Outcome<KubeObject> => {
    const refused = (why: string) =>
      new Invalid({ detail: `${kind.kind} ${JSON.stringify(object.metadata.name)} is invalid: ${why}` })
    const whole = tidy(KindRules.completed(kind, object))
    const problems = KindRules.problems(kind, whole, before)
    if (problems.length > 0) return Result.fail(refused(problems.join(", ")))
    const admission = admissions.get(kind.plural)
    return admission === undefined ? Result.succeed(whole) : Result.mapError(admission(whole, before), refused)
  }

  const create = (kind: Kind, wanted: unknown, nowMillis: number, writer?: string): Outcome<KubeObject> => {
    const object = Tree.received(wanted) as KubeObject
    const entered = Result.flatMap(checkKind(kind), () => enterNamespace(kind, object, nowMillis))
    if (Result.isFailure(entered)) return Result.fail(entered.failure)
    if (object.metadata.resourceVersion !== undefined) {
      return Result.fail(new Invalid({ detail: "resourceVersion should not be set on objects to be created" }))
    }
    const { deletionTimestamp: _deletion, generation: _generation, ...metadata } = object.metadata
    const bare = KindRules.hasStatus(kind) ? Tree.put(object, "status", undefined) : object
    const marked: KubeObject = {
      ...(bare as KubeObject),
      apiVersion: kind.apiVersion,
      kind: kind.kind,
      metadata: {
        ...metadata,
        uid: table.newUid(),
        creationTimestamp: timestamp(nowMillis),
        ...(KindRules.hasGeneration(kind) ? { generation: 1 } : {})
      }
    }
    return Result.flatMap(admitted(kind, marked, undefined), (whole) => {
      const { name, namespace } = whole.metadata
      if (table.read(kind, namespace, name) !== undefined) {
        const detail = `${KindRules.qualified(kind)} ${JSON.stringify(name)} already exists`
        return Result.fail(new AlreadyExists({ detail }))
      }
      const owners =
        writer === undefined
          ? Ownership.written(Ownership.empty, {}, body(whole))
          : Ownership.applied(Ownership.empty, {}, body(bare as KubeObject), writer).owners
      const stored = table.keep(kind, whole, owners)
      removal.collected(stored, nowMillis)
      return Result.succeed(stored.object)
    })
  }

  /** Writes those parts of `wanted` that a request to this subresource may change. */
  const write = (
    { kind, object: before, owners }: Stored,
    wanted: KubeObject,
    sub: Subresource,
    nowMillis: number,
    applied?: Ownership.Ownership
  ): Outcome<KubeObject> => {
    const { creationTimestamp, deletionTimestamp, generation, name, namespace, resourceVersion, uid } = before.metadata
    const own = { creationTimestamp, deletionTimestamp, generation, name, namespace, resourceVersion, uid }
    const status = sub === "status" || !KindRules.hasStatus(kind) ? wanted["status"] : before.status
    const base = sub === "status" ? before : { ...wanted, metadata: { ...wanted.metadata, ...own } }
    const proposed = Tree.received({
      ...Tree.put(base, "status", status),
      apiVersion: kind.apiVersion,
      kind: kind.kind
    })
    return Result.flatMap(admitted(kind, proposed as KubeObject, before), (admittedObject) => {
      const whole = Tree.received(admittedObject) as KubeObject
      const added = (whole.metadata.finalizers ?? []).filter((each) => !before.metadata.finalizers?.includes(each))
      if (deletionTimestamp !== undefined && added.length > 0) {
        const detail = `metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers ${JSON.stringify(added)}`
        return Result.fail(new Invalid({ detail }))
      }
      const nextOwners = applied ?? Ownership.written(owners, body(before), body(whole))
      const isUnchanged = Tree.isSame(whole, before)
      // An apply that only changes field ownership is a write too.
      if (isUnchanged && (applied === undefined || Tree.isSame(owners, nextOwners))) return Result.succeed(before)
      const isSpecNew = generation !== undefined && !Tree.isSame(whole.spec, before.spec)
      const next = isSpecNew ? { ...whole, metadata: { ...whole.metadata, generation: generation + 1 } } : whole
      if (removal.released({ kind, object: next, owners: nextOwners }, nowMillis)) return Result.succeed(next)
      return Result.succeed(table.keep(kind, next, nextOwners).object)
    })
  }

  const replace: ApiServer["replace"] = (kind, wanted, nowMillis) => {
    const object = Tree.received(wanted) as KubeObject
    return Result.flatMap(find(kind, object.metadata), (stored) => {
      if (object.metadata.resourceVersion === undefined) {
        const detail = "metadata.resourceVersion: Invalid value: 0: must be specified for an update"
        return Result.fail(new Invalid({ detail }))
      }
      const checked = expected(stored, object.metadata as unknown as Tree.Tree)
      return Result.flatMap(checked, () => write(stored, object, undefined, nowMillis))
    })
  }

  const patch: ApiServer["patch"] = (kind, ref, change, sub, nowMillis) =>
    Result.flatMap(checkSubresource(kind, sub), () =>
      Result.flatMap(find(kind, ref), (stored) =>
        Result.flatMap(expected(stored, Tree.inner(change, "metadata"), sub), () =>
          write(stored, Tree.patched(stored.object, change) as KubeObject, sub, nowMillis)
        )
      )
    )

  const apply: ApiServer["apply"] = (kind, wanted, sub, manager, nowMillis) => {
    const object = Tree.received(wanted) as KubeObject
    const writer = `${manager} ${sub ?? "object"}`
    const found = Result.flatMap(checkSubresource(kind, sub), () => find(kind, object.metadata))
    if (Result.isFailure(found)) {
      const isNew = found.failure._tag === "NotFound" && !found.failure.isKindMissing && sub === undefined
      if (!isNew) return Result.fail(found.failure)
      if (object.metadata.uid === undefined) return create(kind, object, nowMillis, writer)
      const detail = `uid mismatch: the provided object specified uid ${object.metadata.uid}, and no existing object was found`
      return Result.fail(new Conflict({ detail }))
    }
    return Result.flatMap(expected(found.success, object.metadata as unknown as Tree.Tree, sub), (stored) => {
      const all = body(object)
      const isolated = KindRules.hasStatus(kind) ? Tree.put(all, "status", undefined) : all
      const desired = sub === "status" ? { status: all["status"] } : isolated
      const { owners, tree } = Ownership.applied(stored.owners, body(stored.object), desired, writer)
      const metadata = { ...stored.object.metadata, ...cleared, ...Tree.inner(tree, "metadata") }
      return write(stored, { ...tree, metadata } as unknown as KubeObject, sub, nowMillis, owners)
    })
  }

  const remove: ApiServer["remove"] = (kind, ref, { propagation = "Background", resourceVersion, uid }, nowMillis) =>
    Result.flatMap(find(kind, ref), (found) =>
      Result.map(expected(found, { uid, resourceVersion }), (stored) => removal.remove(stored, propagation, nowMillis))
    )

  return {
    table,
    admissions,
    missing,
    get: (kind, ref) => Result.map(find(kind, ref), ({ object }) => object),
    list: (kind, selection) =>
      Result.flatMap(checkKind(kind), () =>
        Result.map(Selectors.matcher(kind, selection), (isMatch) =>
          table.all(kind).flatMap(({ object }) => (isMatch(object) ? [object] : []))
        )
      ),
    create: (kind, object, nowMillis) => create(kind, object, nowMillis),
    replace,
    patch,
    apply,
    remove,
    terminate: (name, nowMillis) => {
      const stored = table.read(Kinds.namespaces, undefined, name)
      if (stored !== undefined) removal.terminate(stored, nowMillis)
    }
  }
}
