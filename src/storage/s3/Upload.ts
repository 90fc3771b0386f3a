import { Readable } from "node:stream"
import type { PutObjectCommandInput, PutObjectCommandOutput } from "@aws-sdk/client-s3"
import type { Content } from "../cloud/Remote.ts"
import * as Writing from "../cloud/Writing.ts"
import * as Pieces from "../Pieces.ts"
import type { Connection } from "./Connection.ts"

/** Largest object of one PUT request, in bytes. Source: Amazon S3 user guide, uploading objects: 5 GB. */
export const largestBytes = 5 * 1000 ** 3

/** SHA-256 of content for a store that checks it, lower-case hex. */
export const sha256Of = ({ pieces, sha256 }: Content): string => sha256 ?? Pieces.sha256(pieces)

/**
 * One PUT. The server checks what arrived against the SHA-256 that stands in the signed headers, so an object that was
 * cut or altered on the way is refused by it.
 */
export const upload = async (
  { client, sdk }: Connection,
  at: Pick<PutObjectCommandInput, "Bucket" | "Key"> & Partial<PutObjectCommandInput>,
  content: Content,
  ifAbsent: boolean,
  abortSignal: AbortSignal
): Promise<PutObjectCommandOutput> => {
  const sha256 = sha256Of(content)
  const body = content.size === 0 ? Buffer.alloc(0) : Writing.stream(content.pieces)
  const command = new sdk.PutObjectCommand({
    ...at,
    Body: body,
    ContentLength: content.size,
    ContentType: "application/octet-stream",
    ChecksumSHA256: Buffer.from(sha256, "hex").toString("base64"),
    ...(ifAbsent ? { IfNoneMatch: "*" } : {})
  })
  // Signs the content too, where the SDK would leave a streamed body unsigned or refuse it over plain HTTP.
  command.middlewareStack.add(
    (next) => (args) => {
      const { headers } = args.request as { headers: Record<string, string> }
      headers["x-amz-content-sha256"] = sha256
      return next(args)
    },
    { step: "build", name: "signedContent" }
  )
  try {
    return await client.send(command, { abortSignal })
  } finally {
    if (body instanceof Readable) body.destroy()
  }
}
