/**
 * Whether frames that begin with this magic number have no content: zstd and lz4 have them in common. Source: RFC 8878,
 * 3.1.2.
 */
export const isSkippable = (magic: number): boolean => (magic & 0xfffffff0) >>> 0 === 0x184d2a50
