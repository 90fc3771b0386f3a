import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  NoSuchKey,
  PutObjectCommand,
  S3Client
} from "@aws-sdk/client-s3"
import type { S3Store } from "../../scripts/services/ObjectStores.ts"
import type { JavaKafka } from "../harness/JavaKafka.ts"

/** A name that no other test uses, safe as topic, bucket and prefix. */
export const unique = (stem: string): string =>
  `${stem}-${process.pid.toString(36)}-${(counter++).toString(36)}-${Date.now().toString(36)}`
let counter = 0

const clientOf = (store: S3Store) =>
  new S3Client({
    endpoint: store.endpoint,
    region: store.region,
    forcePathStyle: true,
    credentials: { accessKeyId: store.accessKey, secretAccessKey: store.secretKey }
  })

export const createBucket = async (store: S3Store, bucket: string): Promise<void> => {
  const client = clientOf(store)
  await client.send(new CreateBucketCommand({ Bucket: bucket }))
  client.destroy()
}

/** The first thousand keys below a prefix. */
export const keysBelow = async (store: S3Store, bucket: string, prefix: string): Promise<ReadonlyArray<string>> => {
  const client = clientOf(store)
  const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix }))
  client.destroy()
  return Contents.flatMap(({ Key }) => Key ?? [])
}

export const putObject = async (store: S3Store, bucket: string, key: string, body: string | Uint8Array) => {
  const client = clientOf(store)
  await client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body }))
  client.destroy()
}

export const deleteObjects = async (store: S3Store, bucket: string, keys: ReadonlyArray<string>): Promise<void> => {
  const client = clientOf(store)
  for (const key of keys) await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }))
  client.destroy()
}

/** Reads objects below a prefix, by their keys below it; undefined where there is none. */
export const objectReader = (store: S3Store, bucket: string, prefix: string) => {
  const client = clientOf(store)
  return async (key: string): Promise<Buffer | undefined> => {
    try {
      const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: `${prefix}/${key}` }))
      return Buffer.from(await Body!.transformToByteArray())
    } catch (error) {
      if (error instanceof NoSuchKey) return undefined
      throw error
    }
  }
}

/** Waits until `isDone` says so, looking four times a second, at most a minute and a half. */
export const eventually = async (what: string, isDone: () => Promise<boolean>): Promise<void> => {
  for (let i = 0; i < 360; i++) {
    if (await isDone()) return
    await new Promise((resolve) => setTimeout(resolve, 250))
  }
  throw new Error(`still not: ${what}`)
}

/**
 * Topics with everything that makes Kafka data awkward to keep, under one prefix: every codec, transactions of each
 * fate, compaction with tombstones, headers of all kinds, an empty topic, empty partitions, 10 MB records,
 * LogAppendTime.
 */
export const everyKind = async (java: JavaKafka, prefix: string): Promise<ReadonlyArray<string>> => {
  const topic = (name: string) => `${prefix}-${name}`
  await java.createTopics(
    ...(["none", "gzip", "snappy", "lz4", "zstd"] as const).map((codec) => ({ name: topic(codec), partitions: 3 })),
    { name: topic("mixed"), partitions: 4 },
    { name: topic("transactions"), partitions: 2 },
    {
      name: topic("compacted"),
      config: {
        "cleanup.policy": "compact",
        "segment.bytes": 1048576,
        "segment.ms": 2000,
        "min.cleanable.dirty.ratio": 0.01,
        "delete.retention.ms": 86400000
      }
    },
    { name: topic("big"), partitions: 2, config: { "max.message.bytes": 16777216 } },
    { name: topic("append-time"), config: { "message.timestamp.type": "LogAppendTime" } },
    { name: topic("sparse"), partitions: 8 },
    { name: topic("empty"), partitions: 3 }
  )
  for (const codec of ["none", "gzip", "snappy", "lz4", "zstd"] as const) {
    await java.load({ topic: topic(codec), count: 6000, seed: 7, codec, valueBytes: 300, shape: "json" })
  }
  await java.load({ topic: topic("mixed"), count: 4000, seed: 8, shape: "mixed", codec: "rotate" })
  await java.load({ topic: topic("transactions"), count: 3000, seed: 9, transactionEvery: 50, codec: "rotate" })
  await java.produce(topic("transactions"), [{ partition: 1, key: "open", value: "undecided" }], {
    transaction: "open"
  })
  await java.produce(topic("transactions"), [{ partition: 1, key: "behind", value: "behind the open one" }])
  for (let round = 0; round < 4; round++) {
    await java.load({ topic: topic("compacted"), count: 3000, seed: 10, firstIndex: 0, valueBytes: 400 })
  }
  await java.produce(topic("compacted"), [
    { key: "gone", value: null },
    { key: "kept", value: "" }
  ])
  const tenMegabytes = Buffer.alloc(10 * 1024 * 1024, "large ")
  const generous = { producer: { "max.request.size": "16777216", "buffer.memory": "67108864" } }
  for (const codec of ["none", "lz4", "zstd"] as const) {
    await java.produce(topic("big"), [{ partition: 0, key: codec, value: tenMegabytes }], { codec, ...generous })
  }
  await java.produce(topic("append-time"), [{ key: "old", value: "v", timestamp: 1_000_000_000_000 }])
  await java.produce(topic("sparse"), [
    { partition: 3, key: null, value: null },
    { partition: 3, key: "", value: "" },
    {
      partition: 5,
      key: Buffer.from([0xff, 0xfe, 0x00]),
      value: Buffer.from([0x80, 0x81]),
      timestamp: 1,
      headers: [
        ["dup", "one"],
        ["dup", "two"],
        ["", null],
        ["binary", Buffer.from([0xff, 0x00])],
        ["ünïcode", "grüße"],
        ["dup", ""]
      ]
    }
  ])
  return [
    "none",
    "gzip",
    "snappy",
    "lz4",
    "zstd",
    "mixed",
    "transactions",
    "compacted",
    "big",
    "append-time",
    "sparse",
    "empty"
  ].map(topic)
}
