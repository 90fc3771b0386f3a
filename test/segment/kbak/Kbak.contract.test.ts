import { crc32 } from "node:zlib"
import * as KbakFormat from "../../../src/segment/kbak/KbakFormat.ts"
import { reader } from "../../../src/segment/kbak/KbakReader.ts"
import { segmentFormatContract } from "../../contract/segmentFormat.ts"

segmentFormatContract("KBAK", {
  make: (settings, chunkBytes) => KbakFormat.make(settings, { chunkBytes, compressions: 2 }),
  reader,
  compressions: ["none", "zstd", "lz4"],
  ofLaterVersion: (file) => {
    const later = Buffer.from(file)
    later[4] = 2
    later.writeUInt32LE(crc32(later.subarray(0, -8)), later.length - 8)
    return later
  }
})
