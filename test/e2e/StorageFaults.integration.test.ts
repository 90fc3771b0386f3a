import { ContainerClient, StorageSharedKeyCredential } from "@azure/storage-blob"
import { createHash } from "node:crypto"
import { once } from "node:events"
import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client
} from "@aws-sdk/client-s3"
import { afterAll, assert, beforeAll, it } from "vitest"
import type { AzureStore, GcsStore } from "../../scripts/services/CloudStores.ts"
import type { S3Store } from "../../scripts/services/ObjectStores.ts"
import * as Faults from "../harness/FaultProxy.ts"
import { JavaKafka, type PartitionDigest } from "../harness/JavaKafka.ts"
import { describeWith, type Need, services } from "../harness/services.ts"
import { exportTopic, kafkaBackup, onS3, reportOf, start, succeed, Workspace } from "./product.ts"
import { createBucket, unique } from "./scenes.ts"

/** A kind of store, as these stories need it: reached by the product through a proxy, and by the test past it. */
interface Subject {
  /** Scheme, host and port. */
  readonly endpoint: string
  /** Name and values of the Secret that `storage` names, if it names one. */
  readonly secret?: readonly [name: string, values: Readonly<Record<string, string>>]
  readonly create: (bucket: string) => Promise<void>
  /** `spec.storage` for this bucket, reached at `endpoint`. */
  readonly storage: (endpoint: string, bucket: string) => object
  /** Where the address is no part of `spec.storage`: lets what is started from now on find the store there. */
  readonly reach?: (endpoint: string | undefined) => void
  /** Everything in the bucket: the SHA-256 of each object by its key. */
  readonly objects: (bucket: string) => Promise<ReadonlyMap<string, string>>
  readonly read: (bucket: string, key: string) => Promise<Buffer>
  readonly write: (bucket: string, key: string, content: Buffer) => Promise<void>
  readonly remove: (bucket: string, key: string) => Promise<void>
}

const s3 = (store: S3Store): Subject => {
  const client = new S3Client({
    endpoint: store.endpoint,
    region: store.region,
    forcePathStyle: true,
    credentials: { accessKeyId: store.accessKey, secretAccessKey: store.secretKey },
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED"
  })
  const read = async (bucket: string, key: string) => {
    const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }))
    return Buffer.from(await Body!.transformToByteArray())
  }
  return {
    endpoint: store.endpoint,
    secret: ["s3-credentials", { accessKey: store.accessKey, secretKey: store.secretKey }],
    create: (bucket) => createBucket(store, bucket),
    storage: (endpoint, bucket) => onS3({ ...store, endpoint }, bucket, "sets"),
    read,
    objects: async (bucket) => {
      const found = new Map<string, string>()
      let token: string | undefined
      do {
        const page = await client.send(new ListObjectsV2Command({ Bucket: bucket, ContinuationToken: token }))
        for (const { Key = "" } of page.Contents ?? []) {
          found.set(
            Key,
            createHash("sha256")
              .update(await read(bucket, Key))
              .digest("hex")
          )
        }
        token = page.NextContinuationToken
      } while (token !== undefined)
      return found
    },
    write: async (bucket, key, content) => {
      await client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: content }))
    },
    remove: async (bucket, key) => {
      await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }))
    }
  }
}

const azure = (store: AzureStore): Subject => {
  const credential = new StorageSharedKeyCredential(store.accountName, store.accountKey)
  const container = (name: string) => new ContainerClient(`${store.endpoint}/${name}`, credential)
  const read = (name: string, key: string) => container(name).getBlobClient(key).downloadToBuffer()
  return {
    endpoint: new URL(store.endpoint).origin,
    secret: ["azure-credentials", { AZURE_STORAGE_KEY: store.accountKey }],
    create: async (name) => {
      await container(name).create()
    },
    storage: (endpoint, name) => ({
      storageType: "azure",
      azure: {
        accountName: store.accountName,
        container: name,
        prefix: "sets",
        endpoint: `${endpoint}${new URL(store.endpoint).pathname}`,
        credentialsSecret: { name: "azure-credentials" }
      }
    }),
    read,
    objects: async (name) => {
      const found = new Map<string, string>()
      for await (const blob of container(name).listBlobsFlat()) {
        found.set(
          blob.name,
          createHash("sha256")
            .update(await read(name, blob.name))
            .digest("hex")
        )
      }
      return found
    },
    write: async (name, key, content) => {
      await container(name).getBlockBlobClient(key).upload(content, content.length)
    },
    remove: async (name, key) => {
      await container(name).deleteBlob(key)
    }
  }
}

const gcs = (store: GcsStore): Subject => {
  const api = `${store.endpoint}/storage/v1/b`
  const asked = async (url: string, init: RequestInit = {}) => {
    const answer = await fetch(url, init)
    const body = Buffer.from(await answer.arrayBuffer())
    if (!answer.ok) throw new Error(`${init.method ?? "GET"} ${url}: HTTP ${answer.status} ${body.toString("utf8")}`)
    return body
  }
  const at = (bucket: string, key: string) => `${api}/${bucket}/o/${encodeURIComponent(key)}`
  const read = (bucket: string, key: string) => asked(`${at(bucket, key)}?alt=media`)
  return {
    endpoint: store.endpoint,
    create: async (name) => {
      await asked(`${api}?project=test`, { method: "POST", body: JSON.stringify({ name }) })
    },
    storage: (_, bucket) => ({ storageType: "gcs", gcs: { bucket, prefix: "sets" } }),
    // What Google's own clients honour; the product is started with this process's environment.
    reach: (endpoint) => {
      if (endpoint === undefined) delete process.env["STORAGE_EMULATOR_HOST"]
      else process.env["STORAGE_EMULATOR_HOST"] = endpoint
    },
    read,
    objects: async (bucket) => {
      const found = new Map<string, string>()
      let pageToken = ""
      do {
        const page = JSON.parse((await asked(`${api}/${bucket}/o?pageToken=${pageToken}`)).toString("utf8")) as {
          readonly items?: ReadonlyArray<{ readonly name: string }>
          readonly nextPageToken?: string
        }
        for (const { name } of page.items ?? []) {
          found.set(
            name,
            createHash("sha256")
              .update(await read(bucket, name))
              .digest("hex")
          )
        }
        pageToken = page.nextPageToken ?? ""
      } while (pageToken !== "")
      return found
    },
    write: async (bucket, key, content) => {
      const query = new URLSearchParams({ uploadType: "media", name: key }).toString()
      const body = new Uint8Array(content)
      await asked(`${store.endpoint}/upload/storage/v1/b/${bucket}/o?${query}`, { method: "POST", body })
    },
    remove: async (bucket, key) => {
      await asked(at(bucket, key), { method: "DELETE" })
    }
  }
}

const topics = /\/topics\//u
const documents = /\/(?:claim\.json|plan\.json|attempts\/|checkpoint\/|manifest\.json)/u

/** Every fault that a run must survive. `least`: requests that must really have met it. */
const survived: ReadonlyArray<readonly [what: string, script: (proxy: Faults.FaultProxy) => void, least: number]> = [
  [
    "503 SlowDown in bursts",
    (proxy) => {
      proxy.disturb(Faults.slowDown, { act: "write", nth: 2, times: 4 })
      proxy.disturb(Faults.slowDown, { act: "write", nth: 10, times: 3 })
      proxy.disturb(Faults.slowDown, { act: "read", nth: 2, times: 2 })
    },
    8
  ],
  ["429 with Retry-After", (proxy) => proxy.disturb(Faults.tooMany(1), { act: "write", nth: 3, times: 2 }), 2],
  [
    "500 for requests of every kind",
    (proxy) => {
      for (const act of ["write", "read", "look", "remove"] as const) {
        proxy.disturb(Faults.internalError, { act, nth: 3, times: 3 })
      }
    },
    8
  ],
  [
    "lost answers to every document that is created only once",
    (proxy) => {
      for (let nth = 1; nth < 60; nth += 2)
        proxy.disturb({ _tag: "LoseAnswer" }, { act: "write", object: documents, nth })
    },
    5
  ],
  [
    "lost answers to every other segment",
    (proxy) => {
      for (let nth = 1; nth < 60; nth += 2) proxy.disturb({ _tag: "LoseAnswer" }, { act: "write", object: topics, nth })
    },
    4
  ],
  [
    "uploads cut half-way",
    (proxy) => {
      for (const nth of [1, 2, 4]) {
        proxy.disturb({ _tag: "CutUpload", afterBytes: 50_000 }, { act: "write", object: topics, nth })
      }
      proxy.disturb({ _tag: "CutUpload", afterBytes: 20 }, { act: "write", object: documents, nth: 3 })
    },
    4
  ],
  [
    "a flipped bit in an upload, which the store refuses",
    (proxy) => {
      proxy.disturb({ _tag: "FlipUpload", atByte: 12_345 }, { act: "write", object: topics, nth: 2 })
      proxy.disturb({ _tag: "FlipUpload", atByte: 7 }, { act: "write", object: /manifest/u })
    },
    2
  ],
  [
    "connections that are refused, and answers that break off",
    (proxy) => {
      proxy.disturb({ _tag: "Refuse" }, { nth: 4, times: 3 })
      proxy.disturb({ _tag: "CutDownload", afterBytes: 10 }, { act: "read", nth: 4, times: 2 })
    },
    4
  ],
  [
    "answers that take their time",
    (proxy) => proxy.disturb({ _tag: "Stall", millis: 2500 }, { act: "write", nth: 2, times: 5 }),
    5
  ]
]

const stories = (name: string, need: Need, subjectOf: () => Subject) =>
  describeWith(["kafka", "java", need], `A run whose ${name} misbehaves`, (running) => {
    const { kafka, java: tools } = running
    const topic = unique("faulty")
    const bucket = unique("faulty")
    const subject = subjectOf()
    let java: JavaKafka
    let proxy: Faults.FaultProxy
    let expected: ReadonlyArray<PartitionDigest>
    /** What an undisturbed run stored before everything else: nothing of it may ever change. */
    let before: ReadonlyMap<string, string>
    let slots = 0

    const manifest = (workspace: Workspace, endpoint: string, more: object = {}) => {
      if (subject.secret !== undefined) workspace.secret(...subject.secret)
      subject.reach?.(endpoint)
      return workspace.manifest("faulty", {
        kafkaCluster: { bootstrapServers: [kafka.plaintext] },
        topics: [topic],
        storage: subject.storage(endpoint, bucket),
        compression: "none",
        checkpointIntervalSecs: 1,
        rateLimit: { bytesPerSecond: 4_000_000 },
        // Each run has to read and store everything while the store is disturbed.
        incremental: { enabled: false },
        circuitBreaker: { failureThreshold: 5, resetTimeoutSecs: 2 },
        ...more
      })
    }

    const slot = () => new Date(Date.UTC(2026, 10, 23, 12, 0, ++slots)).toISOString().replace(".000", "")

    const setsNamed = (objects: ReadonlyMap<string, string>) =>
      [...objects.keys()].filter((key) => key.endsWith("/manifest.json")).map((key) => key.split("/").at(-2)!)

    const nothingEarlierChanged = async () => {
      const now = await subject.objects(bucket)
      for (const [key, sha256] of before) {
        // Each run replaces the index, which repeats what the backups say, and the record of what was read again.
        if (!/^sets\/_kafka-backup\/(index|verified)\//u.test(key)) assert.strictEqual(now.get(key), sha256, key)
      }
      return now
    }

    /** The set is whole, read past the proxy, and nothing lies beside what it names. */
    const isWhole = async (workspace: Workspace, backupId: string) => {
      const direct = manifest(workspace, subject.endpoint)
      await succeed("verify", ...direct, backupId, "--deep")
      const found = await exportTopic(direct, backupId, topic)
      assert.deepStrictEqual(
        found.map(({ partition, records, sha256 }) => ({ partition, records, sha256 })),
        expected.map(({ partition, records, sha256 }) => ({ partition, records, sha256 }))
      )
      const objects = await nothingEarlierChanged()
      const folder = `sets/${backupId}/`
      const named = (await subject.read(bucket, `${folder}manifest.json`)).toString("utf8")
      const stray = [...objects.keys()].filter(
        (key) => key.startsWith(`${folder}topics/`) && !named.includes(key.slice("sets/".length))
      )
      assert.deepStrictEqual(stray, [], "no segment is there that the manifest does not name")
    }

    beforeAll(async () => {
      java = await JavaKafka.start({ classpath: tools.classpath, bootstrap: kafka.plaintext })
      await java.createTopics({ name: topic, partitions: 4 })
      await java.load({ topic, count: 12_000, seed: 31, valueBytes: 800 })
      expected = await java.digest(topic)
      await subject.create(bucket)
      proxy = await Faults.FaultProxy.before(subject.endpoint)
      using workspace = new Workspace()
      const report = reportOf(await succeed("run", ...manifest(workspace, proxy.endpoint), "--slot", slot()))
      assert.isAbove(report.totals.segments, 4)
      before = await subject.objects(bucket)
    })
    afterAll(async () => {
      await java?.close()
      await proxy?.[Symbol.asyncDispose]()
      subject.reach?.(undefined)
    })

    for (const [what, script, least] of survived) {
      it(`survives ${what}: the set is whole, and nothing stored earlier has changed`, async () => {
        using workspace = new Workspace()
        proxy.calm()
        script(proxy)
        const report = reportOf(await succeed("run", ...manifest(workspace, proxy.endpoint), "--slot", slot()))
        assert.isAtLeast(proxy.struck, least, "the faults were met")
        proxy.calm()
        assert.strictEqual(report.attempt, 1)
        await isWhole(workspace, report.backupId)
      })
    }

    it("pauses while the store is gone, says so, goes on by itself, and reports it", async () => {
      using workspace = new Workspace()
      proxy.calm()
      const args = [
        "run",
        ...manifest(workspace, proxy.endpoint, { rateLimit: { bytesPerSecond: 2_000_000 } }),
        "--slot",
        slot()
      ]
      const { ended, process } = start(args)
      await once(process.stderr!, "data")
      while (!proxy.passed.some(({ act, object }) => act === "write" && topics.test(object))) {
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
      proxy.down()
      await new Promise((resolve) => setTimeout(resolve, 9000))
      proxy.up()
      const result = await ended
      assert.strictEqual(result.code, 0, result.stderr)
      const report = reportOf(result)
      assert.strictEqual(report.interruptions.length, 1)
      assert.match(report.interruptions[0].target, /^storage /u)
      assert.isAtLeast(report.interruptions[0].openings, 1)
      assert.isAtLeast(report.interruptions[0].waitedMillis, 2000)
      assert.match(result.stdout, /"paused":\{"target":"storage /)
      assert.match(result.stderr, /paused/)
      await isWhole(workspace, report.backupId)
    })

    it("reads on behind answers that break off, and never takes altered bytes for a whole set", async () => {
      using workspace = new Workspace()
      proxy.calm()
      const [backupId] = setsNamed(before)
      const args = ["verify", ...manifest(workspace, proxy.endpoint), backupId!, "--deep"]
      proxy.disturb({ _tag: "CutDownload", afterBytes: 30_000 }, { act: "read", object: topics, times: 4 })
      await succeed(...args)
      assert.strictEqual(proxy.struck, 4)
      proxy.calm()
      proxy.disturb({ _tag: "FlipDownload", atByte: 77_777 }, { act: "read", object: topics, nth: 2 })
      const altered = await kafkaBackup(...args)
      assert.strictEqual(altered.code, 16, altered.stdout + altered.stderr)
      proxy.calm()
      await succeed(...args)
    })

    for (const [what, spoil] of [
      ["lost", (key: string) => subject.remove(bucket, key)],
      [
        "cut short",
        async (key: string) => subject.write(bucket, key, (await subject.read(bucket, key)).subarray(0, -1))
      ],
      [
        "altered",
        async (key: string) => {
          const content = await subject.read(bucket, key)
          content[content.length >> 1]! ^= 1
          await subject.write(bucket, key, content)
        }
      ]
    ] as const) {
      it(`does not name a segment that the store has ${what} after it had confirmed it`, async () => {
        using workspace = new Workspace()
        proxy.calm()
        const args = [
          "run",
          ...manifest(workspace, proxy.endpoint, { rateLimit: { bytesPerSecond: 2_000_000 } }),
          "--slot",
          slot()
        ]
        const { ended } = start(args)
        let key: string | undefined
        while (key === undefined) {
          const stored = proxy.passed.find(
            ({ act, object, status }) => act === "write" && (status === 200 || status === 201) && topics.test(object)
          )
          if (stored !== undefined) key = stored.object.split(`/${bucket}/`)[1]
          await new Promise((resolve) => setTimeout(resolve, 20))
        }
        await spoil(key)
        const { code, stderr } = await ended
        assert.strictEqual(code, 16, stderr)
        const objects = await nothingEarlierChanged()
        assert.notInclude(setsNamed(objects), key.split("/")[1])
      })
    }
  })

stories("versitygw", "versitygw", () => s3(services.versitygw!))
stories("MinIO", "minio", () => s3(services.minio!))
stories("Azure storage", "azurite", () => azure(services.azurite!))
stories("Google Cloud storage", "fakegcs", () => gcs(services.fakegcs!))
