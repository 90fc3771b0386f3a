import type { ListObjectsV2CommandOutput } from "@aws-sdk/client-s3"
import * as Answer from "../cloud/Answer.ts"
import type { Found, Page } from "../cloud/Remote.ts"

/**
 * A key as it stands in a listing with url encoding; as it is where a store claims that encoding and does not use it.
 */
const urlDecoded = (key: string): string => {
  try {
    return decodeURIComponent(key.replaceAll("+", " "))
  } catch {
    return key
  }
}

/** What an answer of S3 says of an object. */
export const found = (
  name: string,
  size: number,
  { ETag, LastModified }: { readonly ETag?: string | undefined; readonly LastModified?: Date | undefined }
): Found => ({
  name,
  size,
  ...(ETag === undefined ? {} : { fingerprint: unquoted(ETag) }),
  ...(LastModified === undefined ? {} : { modifiedMillis: LastModified.getTime() })
})

export const unquoted = (etag: string): string => etag.replace(/^"|"$/gu, "")

/** The SDK reads a web page, too, as a listing with nothing in it: a store says at least whether there is more. */
const isListing = ({ CommonPrefixes, Contents, IsTruncated, Name }: ListObjectsV2CommandOutput): boolean =>
  [CommonPrefixes, Contents, IsTruncated, Name].some((part) => part !== undefined)

/** A page as every store gives it; throws what is none. */
export const page = (answer: ListObjectsV2CommandOutput): Page => {
  if (!isListing(answer)) throw new Answer.NotUnderstood("the answer is not a listing of S3")
  const decoded = (key = "") => (answer.EncodingType === "url" ? urlDecoded(key) : key)
  return {
    objects: (answer.Contents ?? []).map((object) => found(decoded(object.Key), object.Size ?? 0, object)),
    folders: (answer.CommonPrefixes ?? []).map(({ Prefix }) => decoded(Prefix)),
    ...(answer.IsTruncated === true ? { next: answer.NextContinuationToken ?? "" } : {})
  }
}
