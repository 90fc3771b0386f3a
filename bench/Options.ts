import { join } from "node:path"
import { parseArgs } from "node:util"
import * as Cache from "../scripts/services/Cache.ts"

/** What `npm run bench` is told, as `--help` explains it. */
export const usage = `npm run bench [-- options]
npm run bench -- restore [options]
npm run bench -- incremental [options]
npm run bench -- operator [options]

  --records N     records of the reference topics, 1 KiB each (default 2097152; the other topics shrink along)
  --only TEXT     only the rows whose name holds TEXT, such as "1 KiB none" or "batches", or is it ("=1 KiB none -> zstd"); may
                  be repeated
  --repeat N      runs of each row, of which the median by CPU is shown (default 1)
  --no-limits     only our own rows
  --storage DIR   where backups go; emptied for every row (default .cache/bench/storage)
  --threads       also what the main thread, the thread pool and the broker did, half a second at a time (of one run of each
                  row)
  --profile       also one run of each row under V8's profiler, which is not among the figures: where the main thread's time
                  goes, by room and function; the profile is kept in .cache/bench/profiles
  --source        run src/main.ts instead of building dist/
  --compare TEXT  runs another tool's command, by sh, in turn with ours, --repeat times, and prints both and their ratios;
                  rows of directories only. The command finds what to do in BENCH_BOOTSTRAP, BENCH_TOPIC, BENCH_RECORDS,
                  BENCH_COMPRESSION (zstd at level 3, lz4, none) and BENCH_DIRECTORY, an empty folder for its backup. Its
                  exit code must be 0. Nothing checks what it stored.

Of a restore, the reference topic's: --records, --only, --repeat, --storage, --source; or:

  --fillers       only what offsets without a record cost, one after the other (about ten minutes)

Of backups with nothing or little new, to a directory and to versitygw: --repeat, --only, --storage, --source; and:

  --topics N      topics of 5 partitions with 30 records each (default 200)

Of the operator, which is measured on a control plane instead:

  --resources N   KafkaBackups (default 1000)
  --idle SECONDS  how long it is watched doing nothing (default 300)
`

export const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    topics: { type: "string", default: "200" },
    resources: { type: "string", default: "1000" },
    idle: { type: "string", default: "300" },
    records: { type: "string", default: "2097152" },
    only: { type: "string", multiple: true, default: [] },
    repeat: { type: "string", default: "1" },
    "no-limits": { type: "boolean", default: false },
    threads: { type: "boolean", default: false },
    profile: { type: "boolean", default: false },
    fillers: { type: "boolean", default: false },
    storage: { type: "string", default: join(Cache.root, ".cache", "bench", "storage") },
    source: { type: "boolean", default: false },
    compare: { type: "string" },
    help: { type: "boolean", short: "h", default: false }
  }
})
