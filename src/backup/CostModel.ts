import { fewest } from "./Consolidation.ts"

/**
 * What backups cost, as a function of the sizes and rates of the topics, of the schedule and of what retention keeps.
 * Pure. Bytes are those of the record stream (uncompressed) unless a name says otherwise; times are milliseconds.
 */

/** One partition of the topics that are backed up. */
export interface PartitionFigures {
  /** Record stream that its log holds. */
  readonly bytes: number
  /** New bytes per second. */
  readonly bytesPerSecond: number
}

export interface Figures {
  readonly partitions: ReadonlyArray<PartitionFigures>
  /** Bytes that brokers send for one byte of record stream: less than 1 where producers compress. */
  readonly sentPerByte: number
  /** Stored bytes for one byte of record stream. */
  readonly storedPerByte: number
  /** Record stream that one run backs up per second. */
  readonly bytesPerSecond: number
  /** Time between two runs; undefined without a schedule. */
  readonly intervalMillis: number | undefined
  /** Ages of the backups that stay, newest first. */
  readonly keptAgesMillis: ReadonlyArray<number>
  readonly checkpointMillis: number
  /** Percent of the stored bytes of all kept backups that each run reads again; 0 for none. */
  readonly sampledPercent: number
  /** How long a run reads them again at most; absent: for as long as it takes. See `RereadingTime`. */
  readonly mostSampledMillis?: number
}

/** Target of a segment, in bytes of record stream: `Segments` cuts there. */
const segmentBytes = 64 * 1024 * 1024
/** Bytes of a manifest for each segment. Measured: 381 of a compact manifest of 1,000 partitions. */
const manifestBytesPerSegment = 381
/** What every run writes beside data: claim, record, attempt, plan, facts, manifest, report, groups, index, lock. */
const fixedPuts = 12
/** Start, metadata, plan and proof of a run without data. Measured: docs/performance.md. */
const fixedMillis = 600
/**
 * Requests of each run that do not depend on data: folders, index, locks, earlier facts, documents, up to ten backups
 * that are compared before one expires. Counted: 61 without such a comparison, about 95 with it (docs/performance.md).
 */
const fixedReads = 95
/** Backups of which a run reads the manifest: the base, and those that are compared before one expires. */
const manifestsRead = 11
/** Objects that may be asked for by name; more are listed. See `ObjectSizes`. */
const askedByName = 64
/** At the beginning, at the commit, and for what is kept. */
const looksPerRun = 3
/** Keys in one answer of a list. */
const keysPerList = 1000
/** One list of the backups of a month stands for at least so many of a folder. See `ObjectSizes`. */
const listsSaved = 8
/** So few objects of one folder are asked for by name. See `ObjectSizes`. */
const fewInFolder = 12
/** Joins that a byte may need, since a run joins at most twice what is new. See `Joins` and `Consolidation`. */
const mostJoins = 2

/** What one run costs. */
export interface RunCost {
  /** Sent by brokers. */
  readonly kafkaBytes: number
  /** Written to the store, manifest and joined segments included. */
  readonly writtenBytes: number
  /** Of them, those of segments that were made of smaller ones. */
  readonly joinedBytes: number
  /** Read from the store: segments that are joined, manifests, and the sample that is read again. */
  readonly readBytes: number
  /** Of them, those of the sample; and what it would be if there was time for all of it. */
  readonly rereadBytes: number
  readonly dueBytes: number
  readonly writes: number
  /** Reads and lists of the store, and the checks of segments. */
  readonly reads: number
  readonly millis: number
}

export interface Cost {
  readonly run: RunCost
  /** In the store once as many backups are there as stay. */
  readonly storedBytes: number
  readonly storedObjects: number
}

const sum = (numbers: ReadonlyArray<number>): number => numbers.reduce((a, b) => a + b, 0)
const segmentsOf = (bytes: number): number => Math.ceil(bytes / segmentBytes)

/** What a run does beside reading from Kafka. Bytes are stored ones. */
interface Work {
  /** Record stream that is backed up. */
  readonly bytes: number
  /** Segments that are made of it. */
  readonly segments: number
  /** Segments that the manifest names. */
  readonly named: number
  /** Segments of all kept backups. */
  readonly stored: number
  /** Requests of one look at all segments that are taken over. */
  readonly look: number
  readonly joinedBytes: number
  /** Segments that are made by joining, and those that they are made of. */
  readonly joins: number
  readonly joinedSegments: number
  /** All that is kept. */
  readonly storedBytes: number
}

const runCost = (
  figures: Figures,
  { bytes, joinedBytes, joinedSegments, joins, look, named, segments, stored, storedBytes }: Work
): RunCost => {
  const { bytesPerSecond, checkpointMillis, keptAgesMillis, sampledPercent, sentPerByte, storedPerByte } = figures
  const { mostSampledMillis = Infinity } = figures
  const manifestBytes = named * manifestBytesPerSegment
  const dueBytes = (storedBytes * sampledPercent) / 100
  const sampledBytes = Math.min(dueBytes, (bytesPerSecond * mostSampledMillis) / 1000)
  // What is read and written again is taken for as fast as the rest.
  const millis = fixedMillis + ((bytes + joinedBytes + sampledBytes) / bytesPerSecond) * 1000
  const checkpoints = Math.floor(((bytes / bytesPerSecond) * 1000 + fixedMillis) / checkpointMillis)
  const manifests = Math.min(manifestsRead, keptAgesMillis.length)
  const samples = storedBytes === 0 ? 0 : Math.ceil((stored * sampledBytes) / storedBytes)
  return {
    kafkaBytes: bytes * sentPerByte,
    writtenBytes: bytes * storedPerByte + joinedBytes + manifestBytes,
    joinedBytes,
    readBytes: joinedBytes + manifests * manifestBytes + sampledBytes,
    rereadBytes: sampledBytes,
    dueBytes,
    writes: segments + joins + fixedPuts + checkpoints,
    // Own segments are asked for one by one; those of other backups are listed where they are many.
    reads: segments + joins + joinedSegments + fixedReads + samples + looksPerRun * look,
    millis
  }
}

/** Every run copies everything. */
export const fullCopies = (figures: Figures): Cost => {
  const { keptAgesMillis, partitions, storedPerByte } = figures
  const bytes = sum(partitions.map((one) => one.bytes))
  const segments = sum(partitions.map((one) => segmentsOf(one.bytes)))
  const kept = keptAgesMillis.length
  const storedBytes = kept * (bytes * storedPerByte + segments * manifestBytesPerSegment)
  const work = { bytes, segments, named: segments, joinedBytes: 0, joins: 0, joinedSegments: 0, look: 0 }
  return {
    run: runCost(figures, { ...work, stored: kept * segments, storedBytes }),
    storedBytes,
    storedObjects: kept * (segments + fixedPuts)
  }
}

/**
 * How often each byte of a partition is joined: with seven neighbours, then with those of seven such joins, until
 * segments are full or the log has no more of them. Pure.
 */
export const joinsOf = (bytes: number, perRun: number): number => {
  let joins = 0
  while (
    joins < mostJoins &&
    perRun > 0 &&
    perRun * fewest ** joins < segmentBytes &&
    perRun * fewest ** (joins + 1) <= bytes
  ) {
    joins++
  }
  return joins
}

/**
 * What a backup has that the one `runs` runs before it lacks, in runs of new data. Beside what is new it has joins of
 * what was there before: of a size that is reached once in that time or more often about half of one, of a larger size
 * as much as is new, in the mean.
 */
const between = (runs: number, joins: number): number => {
  let [more, half] = [0, 0]
  for (let size = 1; size <= joins; size++) {
    if (fewest ** size > runs) more += runs
    else half = fewest ** size / 2
  }
  return runs + more + half
}

/**
 * Segments of a partition that a backup names and the one `runs` runs before it does not: of each size those that came
 * in that time, but no more than wait for a join in the mean; of the largest size all.
 */
const madeBetween = (runs: number, joins: number): number => {
  let made = 0
  for (let size = 0; size <= joins; size++) {
    const came = runs / fewest ** size
    made += size < joins ? Math.min(came, Math.max(1, (fewest - 1) / 2)) : came
  }
  return made
}

/**
 * Requests of one look at the segments that a backup names, as `ObjectSizes` looks. They lie in the folders of `runs`
 * runs, of which `kept` hold all that their runs made: `perFolder`; in the others nothing is left but what is named.
 */
const lookCost = (named: number, runs: number, kept: number, perFolder: number): number => {
  if (named <= askedByName) return named
  const folders = Math.max(1, runs)
  const whole = Math.min(folders, kept)
  const left = Math.max(0, named * (1 - whole / folders))
  const ofMonths = Math.floor(folders / listsSaved)
  const all = (whole * perFolder + left) / keysPerList
  if (all <= ofMonths) return Math.ceil(all)
  const inFolder = named / folders
  const each = inFolder <= fewInFolder ? inFolder : Math.ceil(perFolder / keysPerList)
  // The oldest of a month are listed together, as far as that saves lists.
  return Math.ceil(Math.min(ofMonths, left / keysPerList) + whole * each)
}

/** The times between neighbours, in whole milliseconds, and how often there is each: most are alike. */
const spansOf = (agesMillis: ReadonlyArray<number>): ReadonlyArray<readonly [millis: number, count: number]> => {
  const counts = new Map<number, number>()
  for (let n = 1; n < agesMillis.length; n++) {
    const span = Math.round(agesMillis[n]! - agesMillis[n - 1]!)
    counts.set(span, (counts.get(span) ?? 0) + 1)
  }
  return [...counts]
}

/**
 * Each run copies what is new, joins small segments, and names the rest in earlier backups. A partition writes a
 * segment of its own in each run that finds something new. What is stored is the oldest backup that stays, and what
 * each next one has beyond the one before, at most all of it: so what was joined stays twice until the backups of
 * before the join are gone.
 */
export const newDataOnly = (figures: Figures): Cost => {
  const { intervalMillis = 0, keptAgesMillis, partitions, storedPerByte } = figures
  const spans = spansOf(keptAgesMillis)
  const parts = partitions.map(({ bytes, bytesPerSecond }) => {
    const perRun = Math.min(bytes, (bytesPerSecond * intervalMillis) / 1000)
    const written = segmentsOf(perRun)
    const joins = joinsOf(bytes, perRun)
    const largest = Math.min(segmentBytes, perRun * fewest ** joins)
    /** Segments that hold so much of the partition, the newest of it: up to seven of each size, then the largest. */
    const holding = (held: number): number => {
      if (perRun === 0) return segmentsOf(held)
      if (joins === 0) return Math.ceil(held / perRun) * written
      return Math.ceil((joins * (fewest - 1)) / 2) + Math.ceil(held / largest)
    }
    const ofSpans = sum(
      spans.map(([span, count]) =>
        intervalMillis > 0 ? count * Math.min(bytes, perRun * between(span / intervalMillis, joins)) : 0
      )
    )
    // The segment in which a log begins is kept whole: on average half of it is older.
    const straddling = Math.min(bytes, perRun > 0 ? largest : segmentBytes) / 2
    return {
      perRun,
      written,
      joined: perRun * joins,
      // A join of the first size every eighth run, of the second every sixty-fourth.
      joins: sum(Array.from({ length: perRun > 0 ? joins : 0 }, (_, n) => 1 / fewest ** (n + 1))),
      named: holding(bytes),
      held: bytes + ofSpans,
      objects:
        joins === 0
          ? holding(bytes + ofSpans)
          : holding(bytes) +
            sum(spans.map(([span, count]) => count * madeBetween(span / intervalMillis, joins) * written)),
      runs: perRun > 0 ? bytes / perRun : 1,
      straddling
    }
  })
  const of = (pick: (part: (typeof parts)[number]) => number): number => sum(parts.map(pick))
  const kept = keptAgesMillis.length
  const named = of((part) => part.named)
  const joins = of((part) => part.joins)
  const stored = kept === 0 ? 0 : Math.round(of((part) => part.objects))
  const runs = parts.reduce((most, part) => Math.max(most, part.runs), 0)
  const perFolder = of((part) => part.written) + joins
  const storedBytes =
    kept === 0
      ? 0
      : of(({ held, straddling }) => held + straddling) * storedPerByte + kept * named * manifestBytesPerSegment
  return {
    run: runCost(figures, {
      bytes: of((part) => part.perRun),
      segments: of((part) => part.written),
      named,
      joinedBytes: of((part) => part.joined) * storedPerByte,
      joins: Math.round(joins),
      joinedSegments: Math.round(joins * fewest),
      stored,
      look: Math.round(lookCost(named, runs, kept, perFolder)),
      storedBytes
    }),
    storedBytes,
    storedObjects: stored + kept * fixedPuts
  }
}
