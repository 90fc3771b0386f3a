import type { IncomingMessage } from "node:http"

/*
 * What a request to an object store is about, in the dialects of S3, Azure and Google Cloud. The first two name the
 * object in the path. Google's JSON API names it in the path when it is read, and when it is written in the query, in
 * the first part of the body, or by a session that an earlier request began.
 */

/** Listings count as reads. */
export type Act = "write" | "read" | "look" | "remove"

export interface StoreRequest {
  readonly act: Act
  /** `/bucket/key`, decoded; S3's and Azure's path as it is otherwise, without its query. */
  readonly object: string
  /** Where in the request's body the object's content begins. */
  readonly contentFrom: number
}

/** The resumable uploads under way: the object by the session's id. */
export type Sessions = Map<string, string>

const acts: Readonly<Record<string, Act>> = { GET: "read", HEAD: "look", DELETE: "remove" }

const upload = /^\/upload\/storage\/v1\/b\/([^/]+)\/o$/u
const resource = /^\/storage\/v1\/b\/([^/]+)\/o(?:\/(.+))?$/u

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

const nameIn = (json: string): string | undefined => {
  try {
    const { name } = JSON.parse(json) as { readonly name?: unknown }
    return typeof name === "string" ? name : undefined
  } catch {
    return undefined
  }
}

/**
 * The JSON part of a `multipart/related` body and where the second part's content begins; undefined while too little is
 * there.
 */
const firstPart = (beginning: Buffer) => {
  const blank = beginning.indexOf("\r\n\r\n")
  const end = blank < 0 ? -1 : beginning.indexOf("\r\n--", blank + 4)
  const second = end < 0 ? -1 : beginning.indexOf("\r\n\r\n", end + 2)
  if (second < 0) return undefined
  return { json: beginning.toString("utf8", blank + 4, end), contentFrom: second + 4 }
}

/** Reads until `isEnough`, or to the end, and puts everything back. */
const beginningOf = async (request: IncomingMessage, isEnough: (bytes: Buffer) => boolean): Promise<Buffer> => {
  let bytes = Buffer.alloc(0)
  while (!isEnough(bytes)) {
    const chunk = request.read() as Buffer | null
    if (chunk !== null) bytes = Buffer.concat([bytes, chunk])
    else if (request.readableEnded || request.destroyed) break
    else {
      await new Promise<void>((resolve) => {
        const go = () => {
          for (const event of ["readable", "end", "close"]) request.off(event, go)
          resolve()
        }
        for (const event of ["readable", "end", "close"]) request.on(event, go)
      })
    }
  }
  if (bytes.length > 0 && !request.readableEnded && !request.destroyed) request.unshift(bytes)
  return bytes
}

/** Reads no more of the body than it must; what it has read can be read again. */
export const of = async (request: IncomingMessage, sessions: Sessions): Promise<StoreRequest> => {
  const method = request.method ?? "GET"
  const [path = "", search = ""] = (request.url ?? "/").split("?")
  const query = new URLSearchParams(search)
  const plain = { act: acts[method] ?? "write", contentFrom: 0 } as const
  const uploaded = upload.exec(path)
  if (uploaded !== null) {
    const at = (name: string | null | undefined) => `/${decoded(uploaded[1] ?? "")}/${name ?? ""}`
    const session = query.get("upload_id")
    if (session !== null) return { ...plain, object: sessions.get(session) ?? at(undefined) }
    const kind = query.get("uploadType")
    if (kind === "multipart") {
      const part = firstPart(await beginningOf(request, (bytes) => firstPart(bytes) !== undefined))
      const name = query.get("name") ?? nameIn(part?.json ?? "")
      return { act: "write", object: at(name), contentFrom: part?.contentFrom ?? 0 }
    }
    const named = query.get("name")
    if (kind !== "resumable" || named !== null) return { ...plain, object: at(named) }
    const json = await beginningOf(request, (bytes) => nameIn(bytes.toString("utf8")) !== undefined)
    return { ...plain, object: at(nameIn(json.toString("utf8"))) }
  }
  const found = resource.exec(path)
  if (found === null) return { ...plain, object: decoded(path) }
  const [, bucket = "", name = ""] = found
  const isLook = method === "GET" && name !== "" && query.get("alt") !== "media"
  return { ...plain, ...(isLook ? { act: "look" } : {}), object: `/${decoded(bucket)}/${decoded(name)}` }
}

/** Remembers the session that an answer begins, by its Location. */
export const remember = (sessions: Sessions, { object }: StoreRequest, location: string | undefined): void => {
  const session = new URLSearchParams(location?.split("?")[1] ?? "").get("upload_id")
  if (session !== null) sessions.set(session, object)
}
