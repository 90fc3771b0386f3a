import { Schema } from "effect"

/** A record that the format cannot hold: more than 65,535 headers, or a header key longer than 65,535 bytes. */
export class RecordNotRepresentable extends Schema.TaggedError<RecordNotRepresentable>()("RecordNotRepresentable", {
  topic: Schema.String,
  partition: Schema.Number,
  offset: Schema.Number,
  detail: Schema.String
}) {
  override get message() {
    return `${this.topic}[${this.partition}] offset ${this.offset}: ${this.detail}`
  }
}

const mebibytes = (bytes: number): string => `${Math.ceil(bytes / (1024 * 1024))} MiB`

const moreMemory = (neededBytes: number | undefined): string => {
  const needed = neededBytes === undefined ? "" : ` to at least ${Math.ceil(neededBytes / (1024 * 1024))}Mi`
  return `raise spec.resources.limits.memory${needed}, or exclude the topic with excludeTopics to back up the others`
}

/** What does not fit into memory as the run may use it, and where it is. All sizes in bytes. */
const misfit = {
  topic: Schema.String,
  partition: Schema.Number,
  /** Of the first record of the batch that it is, or is in. */
  offset: Schema.Number,
  bytes: Schema.Number,
  /** Largest that is possible within the memory limit. */
  allowedBytes: Schema.Number,
  /** Memory limit that the process needs for it. */
  neededBytes: Schema.optionalKey(Schema.Number)
}

/**
 * A record that does not fit into memory as the run may use it; its bytes are counted uncompressed. Another memory
 * limit is enough to store it.
 */
export class RecordTooLarge extends Schema.TaggedError<RecordTooLarge>()("RecordTooLarge", misfit) {
  override get message() {
    return `${this.topic}[${this.partition}] batch at offset ${this.offset}: a record has ${mebibytes(this.bytes)} uncompressed, and the memory limit allows records of up to ${Math.floor(this.allowedBytes / (1024 * 1024))} MiB`
  }
  get advice() {
    return moreMemory(this.neededBytes)
  }
}

/** A batch, as the broker sends it, that does not fit into memory, where batches are stored as they are. */
export class BatchTooLarge extends Schema.TaggedError<BatchTooLarge>()("BatchTooLarge", misfit) {
  override get message() {
    return `${this.topic}[${this.partition}] batch at offset ${this.offset}: it has ${mebibytes(this.bytes)}, and the memory limit allows batches of up to ${Math.floor(this.allowedBytes / (1024 * 1024))} MiB`
  }
  get advice() {
    return moreMemory(this.neededBytes)
  }
}

/**
 * A batch whose decoder needs more history than the memory limit leaves room for: a window of so many bytes. Another
 * limit is enough for it.
 */
export class WindowTooLarge extends Schema.TaggedError<WindowTooLarge>()("WindowTooLarge", misfit) {
  override get message() {
    return `${this.topic}[${this.partition}] batch at offset ${this.offset}: the producer compressed it with a zstd window of ${mebibytes(this.bytes)}, and the memory limit allows windows of up to ${mebibytes(this.allowedBytes)}`
  }
  get advice() {
    return moreMemory(this.neededBytes)
  }
}

/**
 * A batch whose records section is not what its header says, found after its checksum was right: a producer's defect.
 */
export class MalformedRecords extends Schema.TaggedError<MalformedRecords>()("MalformedRecords", {
  topic: Schema.String,
  partition: Schema.Number,
  offset: Schema.Number,
  detail: Schema.String,
  cause: Schema.optionalKey(Schema.Defect())
}) {
  override get message() {
    return `${this.topic}[${this.partition}] batch at offset ${this.offset}: ${this.detail}`
  }
}

/** A stored segment that is not what it should be: magic, checksum, framing, count or order. */
export class SegmentDamaged extends Schema.TaggedError<SegmentDamaged>()("SegmentDamaged", {
  key: Schema.String,
  detail: Schema.String,
  cause: Schema.optionalKey(Schema.Defect())
}) {
  override get message() {
    return `${this.key}: ${this.detail}`
  }
}

/** A stored segment of a kind that this version does not read. Says nothing of whether it is whole. */
export class UnknownFormat extends Schema.TaggedError<UnknownFormat>()("UnknownFormat", {
  key: Schema.String,
  /** What names the format, and which ones are known. */
  format: Schema.String
}) {
  override get message() {
    return `${this.key} has an unknown format: ${this.format}`
  }
}

export class SegmentError extends Schema.TaggedError<SegmentError>()("SegmentError", {
  reason: Schema.Union([
    RecordNotRepresentable,
    RecordTooLarge,
    BatchTooLarge,
    WindowTooLarge,
    MalformedRecords,
    SegmentDamaged,
    UnknownFormat
  ])
}) {
  override get message() {
    return this.reason.message
  }
  /** Never: the same bytes give the same answer. */
  get isRetryable(): boolean {
    return false
  }
  get advice(): string {
    switch (this.reason._tag) {
      case "RecordNotRepresentable":
        return "the segment format cannot hold this record; exclude its topic with excludeTopics to continue with the others"
      case "RecordTooLarge":
      case "BatchTooLarge":
      case "WindowTooLarge":
        return this.reason.advice
      case "MalformedRecords":
        return "the checksum of the batch is right, but its content is invalid: find the producer that wrote it; exclude the topic to back up the others"
      case "SegmentDamaged":
        return "make a new backup now, if Kafka still has the records: an incremental one often repairs this one, too; else restore another backup, or delete the topics that this restore created and leave out topic (excludeTopics) or partition (sourcePartitions); verify --deep names all damaged parts"
      case "UnknownFormat":
        return "it was written by a newer version or by another tool: read it with the newest kafka-backup, or with the tool that wrote it"
    }
  }
}
