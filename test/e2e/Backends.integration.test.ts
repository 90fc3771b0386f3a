import { generateKeyPairSync } from "node:crypto"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { ContainerClient, StorageSharedKeyCredential } from "@azure/storage-blob"
import { afterAll, assert, beforeAll, it } from "vitest"
import { JavaKafka, type PartitionDigest } from "../harness/JavaKafka.ts"
import { describeWith } from "../harness/services.ts"
import { exportTopic, reportOf, succeed, Workspace } from "./product.ts"
import { unique } from "./scenes.ts"

describeWith(
  ["kafka", "azurite", "fakegcs", "java"],
  "A backup in the clouds",
  ({ azurite, fakegcs, java: tools, kafka }) => {
    const place = unique("cloud")
    const topic = `${place}-orders`
    let java: JavaKafka
    let expected: ReadonlyArray<PartitionDigest>

    beforeAll(async () => {
      java = await JavaKafka.start({ classpath: tools.classpath, bootstrap: kafka.plaintext })
      await java.createTopics({ name: topic, partitions: 3 })
      await java.load({ topic, count: 6000, seed: 5, codec: "rotate", shape: "mixed" })
      // More than one block of Azure's, of bytes that do not compress.
      await java.load({ topic, count: 400, seed: 6, codec: "none", valueBytes: 60_000 })
      expected = await java.digest(topic)
    })
    afterAll(() => java?.close())

    /** What is pinned stays beside the newest, and goes once it is not. */
    const pinning = async (places: ReadonlyArray<string>, first: string) => {
      await succeed("pin", first, ...places, "--reason", "a test")
      const second = reportOf(await succeed("run", ...places)).backupId as string
      const listed = JSON.parse((await succeed("list", ...places, "-o", "json")).stdout)
      assert.deepStrictEqual(
        listed.map(({ backupId, pinned }: { backupId: string; pinned: boolean }) => [backupId, pinned]),
        [
          [first, true],
          [second, false]
        ]
      )
      await succeed("unpin", first, ...places)
    }

    /** What one more full backup costs is estimated from the first one and from the topic. */
    const estimating = async (places: ReadonlyArray<string>) => {
      const estimate = JSON.parse((await succeed("estimate", ...places, "--rate", "1Mi", "-o", "json")).stdout)
      const { totals } = reportOf(await succeed("run", ...places))
      assert.isTrue(estimate.isStoredMeasured)
      assert.closeTo(estimate.fullCopies.run.writtenBytes / totals.storedBytes, 1, 0.1)
      assert.closeTo(estimate.logBytes / totals.storedBytes, 1, 0.1)
      assert.strictEqual(estimate.newBytesPerSecond, 1024 * 1024)
    }

    /** run, then verify --deep, then export: as an independent consumer read it from Kafka. */
    const holds = async (
      workspace: Workspace,
      storage: object,
      check: (places: ReadonlyArray<string>, first: string) => Promise<void>
    ) => {
      const places = workspace.manifest("cloud", {
        kafkaCluster: { bootstrapServers: [kafka.plaintext] },
        topics: [topic],
        storage,
        compression: "none",
        // The folder of a backup that others build on would stay.
        incremental: { enabled: false },
        retention: { backups: 1 }
      })
      const first = reportOf(await succeed("run", ...places)).backupId as string
      await check(places, first)
      const report = reportOf(await succeed("run", ...places))
      await succeed("verify", ...places, report.backupId, "--deep")
      const found = await exportTopic(places, report.backupId, topic)
      assert.deepStrictEqual(
        found.map(({ partition, records, sha256 }) => ({ partition, records, sha256 })),
        expected.map(({ partition, records, sha256 }) => ({ partition, records, sha256 }))
      )
      return report.backupId as string
    }

    it("equals an independent consumer's records in a container of Azure, and retention leaves the newest", async () => {
      using workspace = new Workspace()
      workspace.secret("azure-credentials", { AZURE_STORAGE_KEY: `${azurite.accountKey}\n` })
      const credential = new StorageSharedKeyCredential(azurite.accountName, azurite.accountKey)
      const container = new ContainerClient(`${azurite.endpoint}/${place}`, credential)
      await container.create()
      const backupId = await holds(
        workspace,
        {
          storageType: "azure",
          azure: {
            accountName: azurite.accountName,
            container: place,
            prefix: "production/hourly",
            endpoint: azurite.endpoint,
            credentialsSecret: { name: "azure-credentials" }
          }
        },
        pinning
      )
      const sets = []
      for await (const item of container.listBlobsByHierarchy("/", { prefix: "production/hourly/cloud-" }))
        sets.push(item.name)
      assert.deepStrictEqual(sets, [`production/hourly/${backupId}/`])
    })

    it("equals them in a bucket of Google Cloud, and retention leaves the newest", async () => {
      using workspace = new Workspace()
      let tokens = 0
      const server = createServer((request, response) => {
        request.resume()
        response.setHeader("content-type", "application/json")
        response.end(JSON.stringify({ access_token: `token-${++tokens}`, expires_in: 3600, token_type: "Bearer" }))
      })
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
      try {
        const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 })
        const keyFile = {
          type: "service_account",
          client_email: "backup@project.iam.gserviceaccount.com",
          private_key: privateKey.export({ type: "pkcs8", format: "pem" }),
          token_uri: `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`
        }
        workspace.secret("gcs-credentials", { "credentials.json": JSON.stringify(keyFile) })
        await fetch(`${fakegcs.endpoint}/storage/v1/b?project=test`, {
          method: "POST",
          body: JSON.stringify({ name: place })
        })
        // What Google's own clients honour; the product is started with this process's environment.
        process.env["STORAGE_EMULATOR_HOST"] = fakegcs.endpoint
        const backupId = await holds(
          workspace,
          {
            storageType: "gcs",
            gcs: { bucket: place, prefix: "production/hourly", credentialsSecret: { name: "gcs-credentials" } }
          },
          estimating
        )
        assert.isAtLeast(tokens, 4, "every command asked for a token")
        const query = "prefix=production/hourly/cloud-&delimiter=/"
        const listing = await fetch(`${fakegcs.endpoint}/storage/v1/b/${place}/o?${query}`)
        const { prefixes } = (await listing.json()) as { readonly prefixes: ReadonlyArray<string> }
        assert.deepStrictEqual(prefixes, [`production/hourly/${backupId}/`])
      } finally {
        delete process.env["STORAGE_EMULATOR_HOST"]
        server.close()
      }
    })
  }
)
