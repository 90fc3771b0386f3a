import type { IncomingMessage } from "node:http"
import type { S3Store } from "../../scripts/services/ObjectStores.ts"
import { StoreFront } from "./StoreFront.ts"

/** Requests to an S3 store, and the bytes of the bodies that were written. */
export interface Requests {
  readonly reads: number
  readonly lists: number
  readonly writes: number
  readonly deletes: number
  readonly writtenBytes: number
}

const none: Requests = { reads: 0, lists: 0, writes: 0, deletes: 0, writtenBytes: 0 }

const isList = ({ method, url = "" }: IncomingMessage): boolean => method === "GET" && url.includes("list-type=2")

/** A real store behind a proxy that counts what is asked of it. */
export class CountedStore implements AsyncDisposable {
  readonly store: S3Store
  readonly #front: StoreFront
  #requests = none

  private constructor(front: StoreFront, store: S3Store) {
    this.#front = front
    this.store = { ...store, endpoint: front.address }
    front.intercept = (request) => {
      this.#count(request)
      return undefined
    }
  }

  static async before(store: S3Store): Promise<CountedStore> {
    return new CountedStore(await StoreFront.before(store.endpoint), store)
  }

  #count(request: IncomingMessage): void {
    const { deletes, lists, reads, writes, writtenBytes } = this.#requests
    const isWrite = request.method === "PUT" || request.method === "POST"
    const isRead = request.method === "HEAD" || (request.method === "GET" && !isList(request))
    this.#requests = {
      reads: reads + (isRead ? 1 : 0),
      lists: lists + (isList(request) ? 1 : 0),
      writes: writes + (isWrite ? 1 : 0),
      deletes: deletes + (request.method === "DELETE" ? 1 : 0),
      writtenBytes: writtenBytes + (isWrite ? Number(request.headers["content-length"] ?? 0) : 0)
    }
  }

  /** What was asked since the last call. */
  take(): Requests {
    const requests = this.#requests
    this.#requests = none
    return requests
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#front[Symbol.asyncDispose]()
  }
}
