import type { PlainRecord } from "../segment/plainRecords.ts"

const text = (value: string) => Buffer.from(value, "utf8")

/**
 * What the golden segments hold: one record for everything that the format must keep apart. Never change it; add files.
 */
export const goldenRecords: ReadonlyArray<PlainRecord> = [
  { offset: 4_294_967_294n, timestamp: 1_795_327_000_000n, key: text("order-1"), value: text("paid"), headers: [] },
  { offset: 4_294_967_295n, timestamp: 1_795_327_000_001n, key: text("order-2"), value: null, headers: [] },
  { offset: 4_294_967_296n, timestamp: -1n, key: null, value: text("no key, no timestamp"), headers: [] },
  { offset: 4_294_967_300n, timestamp: 0n, key: Buffer.alloc(0), value: Buffer.alloc(0), headers: [] },
  {
    offset: 4_294_967_301n,
    timestamp: 9_223_372_036_854_775_807n,
    key: text("headers"),
    value: text("ordered, twice, null, empty, not UTF-8"),
    headers: [
      [text("trace"), text("1")],
      [text("trace"), text("2")],
      [text("null"), null],
      [text(""), Buffer.alloc(0)],
      [Buffer.from([0xff, 0xfe, 0x00]), Buffer.from([0x00, 0x80, 0xff])]
    ]
  },
  {
    offset: 4_294_967_302n,
    timestamp: -9_223_372_036_854_775_808n,
    key: text("long"),
    value: Buffer.alloc(3000, "0123456789"),
    headers: []
  }
]

export const goldenFiles = { none: "orders.bin", zstd: "orders.bin.zst", lz4: "orders.bin.lz4" } as const

/** The same records as logs: two batches, of which the second one is lz4 where nothing wraps it. */
export const goldenLogs = { none: "orders.log", zstd: "orders.log.zst", lz4: "orders.log.lz4" } as const
