import { generateKeyPairSync } from "node:crypto"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { ContainerClient, StorageSharedKeyCredential } from "@azure/storage-blob"
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3"
import { Effect, Exit, Scope } from "effect"
import { assert, beforeAll, it } from "vitest"
import { parse, stringify } from "yaml"
import { JavaKafka } from "../harness/JavaKafka.ts"
import { describeWith } from "../harness/services.ts"
import { entra, identityServer, trust } from "../storage/tokenEndpoint.ts"
import { type Ended, reportOf, start, Workspace } from "./product.ts"

/** The examples of the documentation, as their users run them: only addresses differ. */

interface Example {
  metadata: { readonly name: string }
  spec: {
    kafkaCluster: { bootstrapServers: ReadonlyArray<string> }
    storage: Record<"s3" | "azure", { endpoint?: string }>
  }
}

interface Addresses {
  readonly bootstrap: string
  readonly s3?: string
  readonly azure?: string
}

const load = (name: string): Example =>
  parse(readFileSync(new URL(`../../deploy/samples/${name}.yaml`, import.meta.url), "utf8"))

/** Paths of all values that differ, lists as a whole. */
const differences = (a: unknown, b: unknown, path = ""): ReadonlyArray<string> => {
  const isRecord = (value: unknown): value is Record<string, unknown> =>
    typeof value === "object" && value !== null && !Array.isArray(value)
  if (!isRecord(a) || !isRecord(b)) return JSON.stringify(a) === JSON.stringify(b) ? [] : [path]
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].flatMap((key) =>
    differences(a[key], b[key], path === "" ? key : `${path}.${key}`)
  )
}

/** Writes the example with other addresses, proves that nothing else differs, and gives the arguments that name it. */
const adapted = (workspace: Workspace, name: string, { azure, bootstrap, s3 }: Addresses): ReadonlyArray<string> => {
  const example = load(name)
  example.spec.kafkaCluster.bootstrapServers = [bootstrap]
  const may = ["spec.kafkaCluster.bootstrapServers"]
  for (const [block, endpoint] of Object.entries({ s3, azure })) {
    if (endpoint === undefined) continue
    example.spec.storage[block as "s3" | "azure"].endpoint = endpoint
    may.push(`spec.storage.${block}.endpoint`)
  }
  const file = join(workspace.folder, `${name}.yaml`)
  writeFileSync(file, stringify(example))
  assert.sameMembers([...differences(load(name), parse(readFileSync(file, "utf8")))], may)
  return ["-f", file, ...workspace.places]
}

type Environment = Readonly<Record<string, string>>

const succeed = async (env: Environment, ...args: ReadonlyArray<string>): Promise<Ended> => {
  const ended = await start(args, env).ended
  assert.strictEqual(ended.code, 0, `kafka-backup ${args.join(" ")}\n${ended.stderr}\n${ended.stdout.slice(-2000)}`)
  return ended
}

interface Exported {
  readonly value: string
}

/** check, run, verify --deep, list, export: what `export` gives of each topic. */
const whole = async (
  places: ReadonlyArray<string>,
  topics: ReadonlyArray<string>,
  env: Environment = {}
): Promise<ReadonlyArray<ReadonlyArray<Exported>>> => {
  await succeed(env, "check", ...places)
  const { backupId } = reportOf(await succeed(env, "run", ...places))
  await succeed(env, "verify", ...places, backupId, "--deep")
  assert.include((await succeed(env, "list", ...places)).stdout, backupId)
  const exported = []
  for (const topic of topics) {
    const { stdout } = await succeed(env, "export", ...places, backupId, "--topic", topic)
    const lines = stdout.split("\n").filter((line) => line !== "")
    exported.push(lines.map((line) => JSON.parse(line) as Exported))
  }
  return exported
}

const topics = ["my-topic", "orders", "payments", "orders-eu", "payments-eu", "events-web"]

describeWith(
  ["kafka", "kafkaSecurity", "minio", "azurite", "fakegcs", "java"],
  "The examples of the documentation",
  ({ azurite, fakegcs, java: tools, kafka, minio }) => {
    const { security } = kafka
    const { secure } = azurite
    const read = (file: string) => readFileSync(file, "utf8")
    const aws = {
      AWS_ACCESS_KEY_ID: minio.accessKey,
      AWS_SECRET_ACCESS_KEY: minio.secretKey
    }

    beforeAll(async () => {
      await using java = await JavaKafka.start({ classpath: tools.classpath, bootstrap: kafka.plaintext })
      for (const name of topics) {
        await java.createTopics({ name }).catch(() => undefined)
        await java.produce(
          name,
          Array.from({ length: 20 }, (_, i) => ({ partition: 0, key: `k${i}`, value: `${name} ${i}` }))
        )
      }
      const client = new S3Client({
        endpoint: minio.endpoint,
        region: minio.region,
        forcePathStyle: true,
        credentials: { accessKeyId: minio.accessKey, secretAccessKey: minio.secretKey }
      })
      for (const Bucket of ["my-backups", "kafka-backups"])
        await client.send(new CreateBucketCommand({ Bucket })).catch((error: Error) => {
          if (!error.name.startsWith("BucketAlready")) throw error
        })
      client.destroy()
      const credential = new StorageSharedKeyCredential(azurite.accountName, azurite.accountKey)
      if (secure !== undefined) trust(secure)
      for (const endpoint of [azurite.endpoint, ...(secure === undefined ? [] : [secure.endpoint])]) {
        await new ContainerClient(`${endpoint}/kafka-backups`, credential).createIfNotExists()
      }
    })

    /** The newest twenty records of each topic are those that were produced last. */
    const assertHolds = (exported: ReadonlyArray<ReadonlyArray<Exported>>, names: ReadonlyArray<string>) =>
      names.forEach((name, at) =>
        assert.deepStrictEqual(
          exported[at]?.slice(-20).map(({ value }) => value),
          Array.from({ length: 20 }, (_, i) => `${name} ${i}`)
        )
      )

    const kafkaSecrets = (workspace: Workspace, withCertificate = false) => {
      workspace.secret("kafka-credentials", { username: "backup", password: security.users.backup })
      workspace.secret("kafka-tls", {
        "ca.crt": read(security.caPem),
        ...(withCertificate ? { "tls.crt": read(security.clientCertPem), "tls.key": read(security.clientKeyPem) } : {})
      })
    }

    it("1, simple, runs with the credentials of the environment", async () => {
      using workspace = new Workspace()
      const places = adapted(workspace, "01-simple", { bootstrap: kafka.plaintext, s3: minio.endpoint })
      assertHolds(await whole(places, ["my-topic"], aws), ["my-topic"])
    })

    it("2, scheduled with SASL, runs", async () => {
      using workspace = new Workspace()
      kafkaSecrets(workspace)
      const places = adapted(workspace, "02-scheduled-sasl", { bootstrap: security.saslSsl, s3: minio.endpoint })
      assertHolds(await whole(places, ["orders", "payments"], aws), ["orders", "payments"])
    })

    it("3, Azure with an account key, runs", async () => {
      using workspace = new Workspace()
      workspace.secret("azure-storage", { AZURE_STORAGE_KEY: azurite.accountKey })
      const places = adapted(workspace, "03-azure-account-key", { bootstrap: kafka.plaintext, azure: azurite.endpoint })
      assertHolds(await whole(places, ["orders"]), ["orders"])
    })

    const client = "33333333-3333-3333-3333-333333333333"
    const tenant = "11111111-1111-1111-1111-111111111111"

    /**
     * Runs `story` beside a token endpoint that knows this form, in an environment that trusts it, Azurite and the
     * broker.
     */
    const withEntra = async (
      isKnown: (form: URLSearchParams) => boolean,
      story: (workspace: Workspace, azure: string, env: Environment) => Promise<void>
    ) => {
      if (secure === undefined) throw new Error("there is no Azurite that takes tokens")
      using workspace = new Workspace()
      const scope = Effect.runSync(Scope.make())
      try {
        const { address } = await Effect.runPromise(Scope.provide(entra(isKnown, secure), scope))
        const authorities = join(workspace.folder, "authorities.pem")
        writeFileSync(authorities, `${read(security.caPem)}\n${read(secure.certPem)}`)
        const env = { AZURE_AUTHORITY_HOST: address, NODE_EXTRA_CA_CERTS: authorities }
        await story(workspace, secure.endpoint, env)
      } finally {
        await Effect.runPromise(Scope.close(scope, Exit.void))
      }
    }

    it.skipIf(secure === undefined)("4, Azure with workload identity and the system's authorities, runs", () =>
      withEntra(
        (form) => form.get("client_id") === client && form.get("client_assertion") === "of-the-pod",
        async (workspace, azure, env) => {
          kafkaSecrets(workspace)
          const token = join(workspace.folder, "azure-identity-token")
          writeFileSync(token, "of-the-pod")
          const places = adapted(workspace, "04-azure-workload-identity", { bootstrap: security.saslSsl, azure })
          const injected = { AZURE_CLIENT_ID: client, AZURE_TENANT_ID: tenant, AZURE_FEDERATED_TOKEN_FILE: token }
          assertHolds(await whole(places, ["orders"], { ...env, ...injected }), ["orders"])
        }
      )
    )

    it.skipIf(secure === undefined)("5, Azure with a service principal, runs", () =>
      withEntra(
        (form) => form.get("client_id") === client && form.get("client_secret") === "of-the-principal",
        async (workspace, azure, env) => {
          workspace.secret("azure-sp-credentials", {
            AZURE_CLIENT_ID: client,
            AZURE_TENANT_ID: tenant,
            AZURE_CLIENT_SECRET: "of-the-principal"
          })
          const places = adapted(workspace, "05-azure-service-principal", { bootstrap: kafka.plaintext, azure })
          const names = ["orders-eu", "payments-eu"]
          assertHolds(await whole(places, names, env), names)
        }
      )
    )

    it("6, a volume, runs", async () => {
      using workspace = new Workspace()
      mkdirSync(join(workspace.volumes, "backup-storage"))
      const places = adapted(workspace, "06-pvc", { bootstrap: kafka.plaintext })
      assertHolds(await whole(places, ["orders"]), ["orders"])
    })

    it("7, the full specification, runs with its headers of original offsets", async () => {
      using workspace = new Workspace()
      kafkaSecrets(workspace, true)
      workspace.secret("s3-credentials", { accessKey: minio.accessKey, secretKey: minio.secretKey })
      const places = adapted(workspace, "07-full", { bootstrap: security.saslSsl, s3: minio.endpoint })
      const names = ["orders", "payments", "events-web"]
      assertHolds(await whole(places, names), names)
      // `export` leaves out what the backup added; what it added stands in the set's facts.
      const [{ backupId }] = JSON.parse((await succeed({}, "list", ...places, "-o", "json")).stdout).toReversed()
      const { facts } = JSON.parse((await succeed({}, "describe", ...places, backupId, "-o", "json")).stdout)
      assert.deepInclude(facts.settings, { includeOffsetHeaders: true, sourceClusterId: "production-us-west-2" })
    })

    it("8, Google Cloud, runs", async () => {
      using workspace = new Workspace()
      const scope = Effect.runSync(Scope.make())
      try {
        const google = identityServer(() => [200, { access_token: "token", expires_in: 3600, token_type: "Bearer" }])
        const { address } = await Effect.runPromise(Scope.provide(google, scope))
        const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 })
        const keyFile = {
          type: "service_account",
          client_email: "backup@project.iam.gserviceaccount.com",
          private_key: privateKey.export({ type: "pkcs8", format: "pem" }),
          token_uri: `${address}/token`
        }
        workspace.secret("gcs-credentials", { "credentials.json": JSON.stringify(keyFile) })
        await fetch(`${fakegcs.endpoint}/storage/v1/b?project=test`, {
          method: "POST",
          body: JSON.stringify({ name: "kafka-backups" })
        })
        const places = adapted(workspace, "08-gcs", { bootstrap: kafka.plaintext })
        const env = { STORAGE_EMULATOR_HOST: fakegcs.endpoint }
        assertHolds(await whole(places, ["orders", "payments"], env), ["orders", "payments"])
      } finally {
        await Effect.runPromise(Scope.close(scope, Exit.void))
      }
    })
  }
)
