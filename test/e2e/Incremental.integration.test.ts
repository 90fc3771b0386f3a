import { afterAll, assert, beforeAll, it } from "vitest"
import { JavaKafka } from "../harness/JavaKafka.ts"
import { describeWith } from "../harness/services.ts"
import { HourlyBackups, type Made } from "./HourlyBackups.ts"
import { type Cut, type Happening, HourlyTopics, isQuiet, readInFull } from "./HourlyTopics.ts"
import { succeed, Workspace } from "./product.ts"
import { makeRandom, seed } from "./random.ts"
import { unique } from "./scenes.ts"
import { measures, table } from "./SlotCosts.ts"
import { dumped, type View, Viewing } from "./Views.ts"

/**
 * How many backups are made one after the other, each on the one before it: 11 in CI, the fewest after which segments
 * are joined; `npm run soak` makes 48.
 */
const slots = Number(process.env["KBO_SLOTS"] ?? 11)
/** How many attempts are ended by SIGKILL at random moments: 3 in CI; `npm run soak` ends 50. */
const kills = Number(process.env["KBO_SLOT_KILLS"] ?? 3)
/** `all`: every slot is backed up to MinIO, too. */
const isEveryStore = process.env["KBO_SLOT_STORES"] === "all"
/** How many backups retention keeps. */
const kept = Math.max(4, Math.floor(slots / 8))
/**
 * Beside 10 % of the new data. A record costs at most 11 bytes more than its key and value, a batch 61, a transaction
 * a marker of 78 in each of two partitions: of records of 200 to 524 bytes, in batches of two and more, that is less
 * than 10 %. What remains are batches of one record: two small ones an hour that are meant to be alone, with their
 * markers less than 0.5 KiB, and those of a producer that this machine holds up for longer than its linger of 20 ms.
 * 8 KiB are the headers of 130 such batches.
 */
const fixedBytes = 8192

/**
 * How the backup of an hour is compressed: once early in another way than what it builds on, then alike for so long
 * that each codec has its eight neighbours.
 */
const codecs = [
  { until: 16, codec: "zstd" },
  { until: 28, codec: "lz4" },
  { until: 40, codec: "none" },
  { until: Number.POSITIVE_INFINITY, codec: "zstd" }
] as const

/** The codecs whose segments are joined within the slots, since they had eight hours with something new. */
const joinedCodecs = new Set(
  codecs.filter((_, i) => slots >= (codecs[i - 1]?.until ?? 2) + 9).map(({ codec }) => codec)
)

const sum = <A>(items: ReadonlyArray<A>, pick: (item: A) => number) =>
  items.reduce((total, item) => total + pick(item), 0)

const topicOf = (place: string) => place.slice(0, place.lastIndexOf("/"))

describeWith(
  ["kafka", "kafka3", "versitygw", "java", ...(isEveryStore ? (["minio"] as const) : [])],
  `Backups that build on one another (seed ${seed}, ${slots} slots, ${kills} kills)`,
  ({ java: { classpath }, kafka, kafka3, minio, versitygw }) => {
    const prefix = unique("hourly")
    const workspace = new Workspace()
    const random = makeRandom(seed)
    let java: JavaKafka
    let topics: HourlyTopics
    const all: Array<HourlyBackups> = []

    beforeAll(async () => {
      console.log(`KBO_SEED=${seed} repeats this`)
      java = await JavaKafka.start({ classpath, bootstrap: kafka.plaintext })
      workspace.secret("s3-credentials", { accessKey: versitygw.accessKey, secretKey: versitygw.secretKey })
      topics = new HourlyTopics(java, prefix, random)
      const setting = { workspace, bucket: prefix, bootstrap: kafka.plaintext, topics, kept, random }
      const stores = { versitygw, ...(isEveryStore ? { minio } : {}) }
      for (const [name, store] of Object.entries(stores)) all.push(await HourlyBackups.make(name, store, setting))
      await topics.create()
    })
    afterAll(async () => {
      for (const { costs, name } of all) {
        const [first, ...rows] = costs
        if (first === undefined) continue
        console.log(`${rows.length} backups on ${name} after the first, ${sum(rows, (cost) => cost.kills)} kills`)
        console.log(table(rows, measures(first)))
      }
      await java?.close()
      for (const backups of all) await backups[Symbol.asyncDispose]()
      workspace[Symbol.dispose]()
    })

    /** Records that a run has read of all topics but the compacted one. */
    const newRecords = (facts: any) =>
      sum(facts.topics, ({ name, partitions }: any) =>
        name === topics.compacted
          ? 0
          : sum(partitions, ({ records, reused }: any) => records - (reused === undefined ? 0 : reused.records))
      )

    /** What a backup says of itself fits what happened before it, and it cost what was new. */
    const assertCheap = (
      backups: HourlyBackups,
      n: number,
      happening: Happening,
      { facts }: Made,
      expected: number
    ) => {
      const report = backups.reports[n]
      const what = `slot ${n} on ${backups.name}: ${happening}`
      const reasons = (report.readInFull ?? []).map(({ reason }: { readonly reason: string }) => reason)
      if (n === 0) return assert.deepStrictEqual(reasons, ["NoEarlierBackup"], what)
      assert.strictEqual(report.base, backups.reports[n - 1].backupId, what)
      assert.deepStrictEqual(reasons, readInFull[happening], what)
      assert.strictEqual(newRecords(facts), expected, `new records, ${what}`)
      const { joinedStoredBytes, kafkaBytes, newBytes, newStoredBytes } = backups.costs[n]!
      assert.isAtMost(kafkaBytes, 1.1 * newBytes + fixedBytes, `bytes from Kafka, ${what}`)
      assert.isAtMost(newStoredBytes, 1.1 * newBytes + fixedBytes, `stored bytes, ${what}`)
      const joins = backups.joins[n]!.map(({ bytes }) => bytes)
      assert.strictEqual(
        sum(joins, (bytes) => bytes),
        joinedStoredBytes,
        `what the report says of joins, ${what}`
      )
      // Twice what is new; one join may be larger than that.
      const joinedBeside = joinedStoredBytes - Math.max(0, ...joins)
      assert.isAtMost(joinedBeside, 2 * newStoredBytes, `joined bytes, ${what}`)
      if (newBytes === 0) assert.deepStrictEqual([kafkaBytes, newStoredBytes, joinedStoredBytes], [0, 0, 0], what)
    }

    /** Every backup ends between the ends that consumers see before and after it. */
    const assertCut = (cut: Cut, before: Cut, after: Cut) => {
      for (const [place, until] of cut) {
        assert.isAtLeast(until, before.get(place)!, place)
        assert.isAtMost(until, after.get(place)!, place)
      }
    }

    it("hold what Kafka holds at their cut, each by itself, and cost what is new", async () => {
      let owed = kills
      const cuts = new Map<HourlyBackups, Cut>()
      // Attempts that ended before they were met are made up for in further slots.
      for (let n = 0; n < slots || owed > 0; n++) {
        const happening = n === 0 ? "nothing" : await topics.hour(n)
        const before = await topics.stable()
        // Before a quiet hour all is read, so that its backup has nothing to read at all.
        const isLive = n > 0 && !isQuiet(n + 1) && !isQuiet(n) && random.between(0, 1) === 1
        const { codec } = codecs.find(({ until }) => n < until)!
        const compression = n === 1 ? random.choose(["lz4", "none"] as const) : codec
        const runs = Math.max(1, slots - n) * all.length
        const made = await Promise.all(
          all.map(async (backups): Promise<readonly [HourlyBackups, Made]> => {
            const wanted = n === 0 ? 0 : Math.min(owed, random.between(0, 2 * Math.ceil(owed / runs)))
            owed -= wanted
            backups.compress(compression)
            const one = await backups.backUp(n, wanted, isLive)
            owed += wanted - one.met
            return [backups, one]
          })
        )
        const after = await topics.stable()
        const isSame = (place: string) => happening !== "recreated" || topicOf(place) !== topics.name("recreated")
        const views = await topics.seen(
          workspace.folder,
          ...made.map(([backups, { cut }]) => ({
            cut,
            earlier: new Map([...(cuts.get(backups) ?? [])].filter(([place]) => isSame(place)))
          }))
        )
        for (const [i, [backups, one]] of made.entries()) {
          const { newRecords: expected, ...view } = views[i]!
          const { backupId } = one.report
          assertCut(one.cut, before, after)
          assert.deepStrictEqual(await backups.strangersView(backupId), view, `${backupId} on ${backups.name}`)
          assertCheap(backups, n, happening, one, expected)
          backups.seen.set(backupId, view)
          cuts.set(backups, one.cut)
        }
        if (n === 3) {
          const [{ reports }] = all as [HourlyBackups]
          const described = await all[0]!.command("describe", reports[3].backupId)
          assert.match(described.stdout, new RegExp(`\\nBuilds on +${reports[2].backupId}\\n`))
          assert.match(described.stdout, /\nNew records +[\d,]+ of [\d,]+\n/)
          assert.match(described.stdout, /read in full: the topic was deleted and created again/)
        }
      }
      assert.isAbove(await topics.compactedAway(), 0)
      for (const backups of all) {
        const joined = backups.joins.flat().map(({ codec }) => codec)
        assert.includeMembers(joined, [...joinedCodecs], `joins on ${backups.name}`)
      }
    }, 7_200_000)

    it("are listed, right in every byte and exported as they were, after retention has removed others", async () => {
      for (const backups of all) {
        const { reports, seen } = backups
        const listed = (await backups.list()).filter(({ state }) => state !== "retired")
        const ids = listed.map(({ backupId }) => backupId)
        // Beside the newest ones, those stay that hold what a deleted or emptied topic has lost since.
        assert.sameMembers(ids, reports.at(-1).retention.kept)
        assert.includeMembers(
          ids,
          reports.slice(-kept).map(({ backupId }) => backupId)
        )
        assert.isBelow(ids.length, reports.length)
        assert.deepStrictEqual(
          listed.map(({ newRecords: n }) => n),
          ids.map((id) => reports.find(({ backupId }) => backupId === id).totals.newRecords)
        )
        assert.isAbove(await backups.joinedSegments(ids.at(-1)!), 0, "joined segments are among them")
        for (const id of ids) {
          await backups.command("verify", id, "--deep")
          const view = seen.get(id)!
          const names = new Set(view.digests.map(({ place }) => topicOf(place)))
          assert.deepStrictEqual(await backups.exportedView(id, [...names, topics.compacted]), view, id)
        }
      }
    }, 7_200_000)

    /** The product itself finds nothing else in the live topics. */
    const assertLikeCluster = async (backups: HourlyBackups, backupId: string, { digests }: View) => {
      const flags = ["--deep", "--against-cluster", "-o", "json"]
      const { cluster } = JSON.parse((await backups.command("verify", backupId, ...flags)).stdout)
      assert.deepStrictEqual(
        cluster.filter(({ differing }: { readonly differing: number }) => differing > 0),
        []
      )
      for (const name of topics.names) {
        const compared = cluster.filter(({ topic }: { readonly topic: string }) => topic === name)
        const inKafka = digests.filter(({ place }) => topicOf(place) === name)
        assert.strictEqual(
          sum(compared, ({ equal }: { readonly equal: number }) => equal),
          sum(inKafka, ({ records }) => records),
          name
        )
      }
    }

    const viewOf = async (cluster: JavaKafka, target: string) => {
      const viewing = new Viewing(topics.compacted)
      const names = [...topics.names, topics.compacted].map((name) => `${target}${name}`)
      for await (const record of dumped(cluster, workspace.folder, names)) {
        viewing.add({ ...record, topic: record.topic.slice(target.length) })
      }
      return { view: viewing.end(), offsets: Object.values(await cluster.offsets(...names)) }
    }

    it("are restored like a full one of the same instant", async () => {
      await topics.settle()
      await using there = await JavaKafka.start({ classpath, bootstrap: kafka3.bootstrap })
      const [backups] = all as [HourlyBackups]
      const { view } = await viewOf(java, "")
      const incremental = await backups.run(1000)
      const full = await backups.run(1001, "--trigger", "full-compare")
      assert.isBelow(incremental.totals.newRecords, full.totals.newRecords / 10)
      assert.strictEqual(full.totals.newRecords, full.totals.records)
      assert.isAbove(await backups.joinedSegments(incremental.backupId), 0)
      assert.strictEqual(await backups.joinedSegments(full.backupId), 0)
      await backups.command("prune", "--keep", "2")
      await assertLikeCluster(backups, incremental.backupId, view)
      const restored = []
      for (const [i, { backupId }] of [incremental, full].entries()) {
        const target = `restored-${i}-`
        const restore = workspace.manifest(
          `restored-${i}`,
          {
            backupId,
            targetCluster: { bootstrapServers: kafka3.bootstrap.split(",") },
            storage: backups.storage,
            topicMapping: { [topics.name("*")]: target + topics.name("*") }
          },
          "KafkaRestore"
        )
        await succeed("restore", ...restore)
        restored.push(await viewOf(there, target))
        assert.deepStrictEqual(restored[i]!.view, view, backupId)
        backups.seen.set(backupId, view)
      }
      assert.deepStrictEqual(restored[0]!.offsets, restored[1]!.offsets)
    }, 900_000)

    it("are read by a program that knows the page of the format alone, also when only the last is left", async () => {
      for (const backups of all) {
        await backups.command("prune", "--keep", "1")
        const { backupId } = (await backups.list()).at(-1)
        const view = backups.seen.get(backupId)
        assert.deepStrictEqual(await backups.strangersView(backupId), view, `${backupId} on ${backups.name}`)
      }
    }, 900_000)

    it("leave nothing in their folders when all of them are removed", async () => {
      for (const backups of all) {
        await backups.command("prune", "--all", "--confirm", backups.name)
        assert.deepStrictEqual(await backups.objects(), [])
      }
    }, 900_000)
  }
)
