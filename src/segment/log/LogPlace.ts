/** The topic and the partition that a segment's key names, for messages. */
export const of = (key: string): { readonly topic: string; readonly partition: number } => {
  const found = /\/topics\/([^/]+)\/partition=(\d+)\//.exec(key)
  return { topic: found?.[1] ?? key, partition: Number(found?.[2] ?? 0) }
}
