import zlib from "node:zlib"
import { lz4Pieces } from "../../../src/compression/Lz4.ts"
import * as Log from "../../../src/segment/log/Log.ts"
import * as LogFormat from "../../../src/segment/log/LogFormat.ts"
import { reader } from "../../../src/segment/log/LogReader.ts"
import { segmentFormatContract } from "../../contract/segmentFormat.ts"

/** The file with the byte that names a batch's format altered, which the checksum of the batch does not cover. */
const later = (log: Buffer): Buffer => {
  const altered = Buffer.from(log)
  altered[16] = 3
  return altered
}

/** The frame of a log that is small enough for one block, with the log as it is. */
const plainFrame = (log: Buffer): Buffer => {
  const length = Buffer.alloc(4)
  length.writeUInt32LE((log.length | 0x8000_0000) >>> 0)
  return Buffer.concat([Buffer.from([4, 0x22, 0x4d, 0x18, 0x60, 0x50, 0xfb]), length, log, Buffer.alloc(4)])
}

const inflatedLz4 = async (file: Buffer): Promise<Buffer> => {
  const pieces: Array<Buffer> = []
  for await (const piece of lz4Pieces(file)) pieces.push(piece)
  return Buffer.concat(pieces)
}

segmentFormatContract("log", {
  make: (settings, chunkBytes) => LogFormat.make(settings, { chunkBytes, compressions: 2 }),
  reader,
  compressions: ["none", "zstd", "lz4"],
  ofLaterVersion: async (file) => {
    switch (Log.wrapping(file)) {
      case "none":
        return later(file)
      case "zstd":
        return zlib.zstdCompressSync(later(zlib.zstdDecompressSync(file)))
      case "lz4":
        return plainFrame(later(await inflatedLz4(file)))
    }
  },
  isJudgedByManifest: true
})
