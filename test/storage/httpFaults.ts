import { type Effect, Stream } from "effect"
import type { ObjectKey, ObjectStoreShape } from "../../src/storage/ObjectStore.ts"
import type { ObjectStoreError, ObjectStoreReason } from "../../src/storage/ObjectStoreError.ts"
import type { HttpBackend, httpBackends } from "./httpBackends.ts"
import { type Answer, answering, breaking, stalling } from "./scriptedS3.ts"

export type Tag = ObjectStoreReason["_tag"]
export type Name = keyof typeof httpBackends
export type Attempt = (store: ObjectStoreShape) => Effect.Effect<unknown, ObjectStoreError>

export const key = (text: string) => text as ObjectKey
export const content = new TextEncoder().encode("the content of a manifest")
/** Long enough for a busy machine: only a server that never answers is waited for so briefly as `quick`. */
export const patient = { idle: 10_000, answer: 10_000 }
const quick = { idle: 100, answer: 100 }

export const put: Attempt = (store) => store.put(key("a"), [content])
export const create: Attempt = (store) => store.put(key("a"), [content], { ifAbsent: true })
export const get: Attempt = (store) => store.get(key("a"))
export const head: Attempt = (store) => store.head(key("a"))
const remove: Attempt = (store) => store.delete(key("a"))
const list: Attempt = (store) => Stream.runDrain(store.list(""))
const folders: Attempt = (store) => Stream.runDrain(store.folders)

/** More often than anything is asked for. */
export const always = (answer: Answer): ReadonlyArray<Answer> => Array.from({ length: 20 }, () => answer)

export const html = (status: number, headers: Readonly<Record<string, string>> = {}) =>
  answering(status, { "content-type": "text/html", ...headers }, "<html><body><h1>Welcome</h1></body></html>")

/** Announces 100 bytes, sends 10, and breaks. */
const cutOff =
  (headers: Readonly<Record<string, string>>): Answer =>
  (response) => {
    response.writeHead(200, { ...headers, "content-length": "100" })
    response.write("x".repeat(10), () => response.destroy())
  }

export interface Fault {
  readonly fault: string
  readonly attempt: Attempt | "open"
  readonly answers: (backend: HttpBackend) => ReadonlyArray<Answer> | undefined
  readonly tag: Tag
  /** The verdict on a store that has answered the same kind of request before in this run, where it is another one. */
  readonly onceItWorked?: Tag
  readonly times?: typeof patient
  /** Where a store must differ, and why. */
  readonly differs?: Readonly<Partial<Record<Name, readonly [tag: Tag, because: string]>>>
}

export const faults: ReadonlyArray<Fault> = [
  {
    fault: "an object that does not exist",
    attempt: get,
    answers: ({ says }) => says.noSuchObject,
    tag: "ObjectNotFound"
  },
  {
    fault: "a bucket that does not exist, at opening",
    attempt: "open",
    answers: ({ says }) => always(says.noSuchBucket[0]!),
    tag: "TargetMissing"
  },
  {
    fault: "a bucket that is gone, at a read",
    attempt: get,
    answers: ({ says }) => says.noSuchBucket,
    tag: "TargetMissing"
  },
  {
    fault: "a bucket that is gone, at a delete",
    attempt: remove,
    answers: ({ says }) => says.noSuchBucket,
    tag: "TargetMissing"
  },
  { fault: "a create where an object is", attempt: create, answers: ({ says }) => [says.exists], tag: "ObjectExists" },
  {
    fault: "an object that is replaced while it is read",
    attempt: get,
    answers: ({ headers, says }) => [cutOff(headers), says.replaced],
    tag: "ContentMismatch"
  },
  {
    fault: "other bytes than were sent",
    attempt: put,
    answers: ({ says }) => always(says.otherBytes),
    tag: "ContentMismatch"
  },
  {
    fault: "an unknown identity",
    attempt: "open",
    answers: ({ says }) => always(says.unknownIdentity),
    tag: "StorageAuthenticationFailed"
  },
  {
    fault: "an identity that has ended",
    attempt: put,
    answers: ({ says }) => always(says.expired),
    tag: "StorageAuthenticationFailed"
  },
  {
    fault: "a missing permission, at opening",
    attempt: "open",
    answers: ({ says }) => always(says.forbidden),
    tag: "StorageAuthorizationFailed"
  },
  {
    fault: "a missing permission, at a write",
    attempt: put,
    answers: ({ says }) => always(says.forbidden),
    tag: "StorageAuthorizationFailed"
  },
  {
    fault: "a missing permission, at a delete",
    attempt: remove,
    answers: ({ says }) => always(says.forbidden),
    tag: "StorageAuthorizationFailed"
  },
  {
    fault: "a removal of what the store locks",
    attempt: remove,
    answers: ({ says }) => says.locked && always(says.locked),
    tag: "StorageAuthorizationFailed"
  },
  {
    fault: "a create where a locked object is",
    attempt: create,
    answers: ({ says }) => says.locked && always(says.locked),
    tag: "ObjectExists"
  },
  {
    fault: "a clock that is wrong",
    attempt: put,
    answers: ({ says }) => says.wrongClock && always(says.wrongClock),
    tag: "Misconfigured"
  },
  { fault: "no room", attempt: put, answers: ({ says }) => always(says.full), tag: "OutOfSpace" },
  { fault: "throttling", attempt: put, answers: ({ says }) => always(says.slowDown), tag: "StoreUnavailable" },
  { fault: "a server error", attempt: put, answers: ({ says }) => always(says.broken), tag: "StoreUnavailable" },
  {
    fault: "another writer at the same moment",
    attempt: put,
    answers: ({ says }) => always(says.conflict),
    tag: "StoreUnavailable"
  },

  // Not said by the store, but by what stands between us and it.
  { fault: "a gateway's 429", attempt: put, answers: () => always(html(429)), tag: "StoreUnavailable" },
  { fault: "a gateway's 500", attempt: get, answers: () => always(html(500)), tag: "StoreUnavailable" },
  { fault: "a gateway's 502", attempt: head, answers: () => always(html(502)), tag: "StoreUnavailable" },
  { fault: "a gateway's 503", attempt: list, answers: () => always(html(503)), tag: "StoreUnavailable" },
  { fault: "a gateway's 504, at opening", attempt: "open", answers: () => always(html(504)), tag: "StoreUnavailable" },
  { fault: "a gateway's 408", attempt: put, answers: () => always(html(408)), tag: "StoreUnavailable" },
  {
    fault: "a gateway's 501",
    attempt: put,
    answers: () => always(html(501)),
    tag: "Misconfigured",
    onceItWorked: "StoreUnavailable"
  },
  { fault: "a gateway's 413", attempt: put, answers: () => always(html(413)), tag: "Misconfigured" },
  { fault: "a gateway's 507", attempt: put, answers: () => always(html(507)), tag: "OutOfSpace" },
  {
    fault: "a gateway's 401",
    attempt: put,
    answers: () => always(html(401)),
    tag: "StorageAuthenticationFailed",
    onceItWorked: "StoreUnavailable"
  },
  {
    fault: "a gateway's 403",
    attempt: get,
    answers: () => always(html(403)),
    tag: "StorageAuthorizationFailed",
    onceItWorked: "StoreUnavailable"
  },
  {
    fault: "a gateway's 404, which is no word of the store on the object",
    attempt: get,
    answers: () => always(html(404)),
    tag: "TargetMissing",
    onceItWorked: "StoreUnavailable"
  },
  { fault: "a gateway's 404, at opening", attempt: "open", answers: () => always(html(404)), tag: "TargetMissing" },
  {
    fault: "a gateway's 400",
    attempt: put,
    answers: () => always(html(400)),
    tag: "Misconfigured",
    onceItWorked: "StoreUnavailable"
  },
  {
    fault: "a redirect",
    attempt: "open",
    answers: () => always(html(302, { location: "/elsewhere" })),
    tag: "Misconfigured"
  },
  {
    fault: "a lasting redirect, at a write",
    attempt: put,
    answers: () => always(html(308, { location: "/elsewhere" })),
    tag: "Misconfigured",
    onceItWorked: "StoreUnavailable"
  },
  {
    fault: "a web page instead of a listing",
    attempt: "open",
    answers: () => always(html(200)),
    tag: "Misconfigured"
  },
  {
    fault: "a web page that no parser of XML reads",
    attempt: "open",
    answers: () =>
      always(answering(200, { "content-type": "text/html" }, "<!DOCTYPE html><meta charset=utf-8><br><p>Hi")),
    tag: "Misconfigured"
  },
  {
    fault: "a web page instead of an object",
    attempt: get,
    answers: () => always(html(200)),
    tag: "Misconfigured",
    onceItWorked: "StoreUnavailable"
  },
  {
    fault: "a web page instead of a stored object",
    attempt: put,
    answers: () => always(html(200)),
    tag: "Misconfigured",
    onceItWorked: "StoreUnavailable"
  },
  {
    fault: "a web page instead of an object's head",
    attempt: head,
    answers: () => always(html(200)),
    tag: "Misconfigured"
  },
  {
    fault: "a web page instead of a removal",
    attempt: remove,
    answers: () => always(html(200)),
    tag: "Misconfigured"
  },
  {
    fault: "a web page in the middle of a run",
    attempt: list,
    answers: () => always(html(200)),
    tag: "Misconfigured",
    onceItWorked: "StoreUnavailable"
  },

  {
    fault: "a connection that breaks before the answer",
    attempt: put,
    answers: () => always(breaking),
    tag: "StoreUnavailable"
  },
  {
    fault: "a connection that breaks at opening",
    attempt: "open",
    answers: () => always(breaking),
    tag: "StoreUnavailable"
  },
  {
    fault: "no answer in time",
    attempt: "open",
    times: quick,
    answers: () => always(stalling),
    tag: "StoreUnavailable"
  },
  { fault: "a listing that is cut off", attempt: list, answers: () => always(cutOff({})), tag: "StoreUnavailable" },
  {
    fault: "a body without end",
    attempt: get,
    answers: ({ headers }) =>
      always((response) => {
        response.writeHead(200, { ...headers, "content-length": "100" })
        response.flushHeaders()
        response.destroy()
      }),
    tag: "StoreUnavailable"
  },

  {
    fault: "a page that names itself as the next",
    attempt: list,
    answers: ({ page }) => always(page([], "t")),
    tag: "Misconfigured"
  },
  {
    fault: "a page that comes again under another name",
    attempt: list,
    answers: ({ page }) => [page(["a"], "t"), page(["a"], "u"), page([])],
    tag: "Misconfigured"
  },
  {
    fault: "pages that lead in a circle",
    attempt: list,
    answers: ({ page }) => [page([], "t"), page([], "u"), page([], "t"), page([])],
    tag: "Misconfigured"
  },
  {
    fault: "folders that lead in a circle",
    attempt: folders,
    answers: ({ page }) => [page([], "t"), page([], "u"), page([], "t"), page([])],
    tag: "Misconfigured"
  }
]
