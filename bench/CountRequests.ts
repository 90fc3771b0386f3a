import diagnostics from "node:diagnostics_channel"
import { writeFileSync } from "node:fs"
import net from "node:net"
import * as FileCalls from "./counting/FileCalls.ts"
import * as Memory from "./counting/Memory.ts"

/*
 * Loaded before the program (`node --import`): counts the requests that it sends to Kafka and to an object store over
 * HTTP, its file calls and what it copies, and writes it all as JSON to the file that KBO_BENCH_REQUESTS names when the
 * process exits.
 */

/** By kind, such as "Fetch" or "GET list". */
export interface Requests {
  readonly kafka: Readonly<Record<string, number>>
  readonly storage: Readonly<Record<string, number>>
  readonly files: Readonly<FileCalls.FileCalls>
  readonly memory: Readonly<Memory.Memory>
}

/** Source: Kafka protocol guide, "API Keys". */
const apis: Readonly<Record<number, string>> = {
  1: "Fetch",
  2: "ListOffsets",
  3: "Metadata",
  9: "OffsetFetch",
  10: "FindCoordinator",
  15: "DescribeGroups",
  16: "ListGroups",
  18: "ApiVersions",
  23: "OffsetForLeaderEpoch",
  29: "DescribeAcls",
  32: "DescribeConfigs",
  48: "DescribeClientQuotas",
  50: "DescribeUserScramCredentials"
}

const kafka: Record<string, number> = {}
const storage: Record<string, number> = {}
const count = (counts: Record<string, number>, kind: string): void => void (counts[kind] = (counts[kind] ?? 0) + 1)

/** The API that the first bytes of a Kafka request name: its length, then the key and the version. */
const apiOf = (bytes: Buffer): string | undefined =>
  bytes.length >= 8 && bytes.readInt32BE(0) < 1 << 20 && bytes.readInt16BE(6) < 32
    ? apis[bytes.readInt16BE(4)]
    : undefined

const file = process.env["KBO_BENCH_REQUESTS"]
if (file !== undefined) {
  // The client writes the head of each request with a call of its own; HTTP's begin with letters.
  const { prototype } = net.Socket
  // oxlint-disable-next-line typescript/unbound-method -- it is called with the socket below
  const { write } = prototype
  prototype.write = function (this: net.Socket, ...args: Parameters<typeof write>) {
    const [first] = args as ReadonlyArray<unknown>
    const api =
      first instanceof Uint8Array ? apiOf(Buffer.from(first.buffer, first.byteOffset, first.byteLength)) : undefined
    if (api !== undefined) count(kafka, api)
    return write.apply(this, args)
  } as typeof write
  diagnostics.subscribe("http.client.request.start", (message) => {
    const { method, path } = (message as { request: { method: string; path: string } }).request
    count(storage, path.includes("list-type=") ? "LIST" : method)
  })
  const files: FileCalls.FileCalls = {}
  const memory: Memory.Memory = { copiedBytes: 0, buffers: 0, bufferBytes: 0 }
  process.on("exit", () =>
    writeFileSync(file, JSON.stringify({ kafka, storage, files, memory } satisfies Requests as Requests))
  )
  await FileCalls.install(files)
  Memory.install(memory)
}
