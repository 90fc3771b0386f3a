import { deflateRawSync, inflateRawSync } from "node:zlib"
import type { KubeObject } from "../kubernetes/Objects.ts"
import type { Form } from "./InformerCache.ts"

/** Below this many characters deflating saves less than it costs. */
const smallLength = 4096

/**
 * Objects as text, large ones deflated: a KafkaBackup with a hundred entries of history takes a twentieth of what it takes as an
 * object, and is looked at every few minutes at most.
 */
export const packed = <A extends KubeObject>(): Form<A> => ({
  keep: (object) => {
    const text = JSON.stringify(object)
    // A copy: what zlib gives is the front of a piece of memory of 16 KiB or more.
    return text.length < smallLength ? text : new Uint8Array(deflateRawSync(text, { level: 1 }))
  },
  giveBack: (kept) =>
    JSON.parse(typeof kept === "string" ? kept : inflateRawSync(kept as Uint8Array).toString("utf8")) as A
})
