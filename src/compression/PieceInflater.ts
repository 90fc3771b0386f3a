/**
 * Inflates bytes that come in pieces, into pieces: memory grows neither with what comes nor with what it inflates to.
 * Throws `DecompressionFailed` and whatever the pieces throw. Ends only when everything was right.
 */
export type PieceInflater = (pieces: AsyncGenerator<Buffer>) => AsyncGenerator<Buffer, void>

/** Longest piece that comes out, in bytes. */
export const inflatedPieceBytes = 256 * 1024
