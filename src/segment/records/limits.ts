/** Key and value lengths of one header in the record stream, in bytes. */
export const emptyHeaderBytes = 6
/** Largest header count and largest header key length: both are u16 in the record stream, and 31 bits in Kafka. */
export const maxUint16 = 0xffff
