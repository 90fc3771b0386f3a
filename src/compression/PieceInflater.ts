/**
 * Inflates bytes that come in pieces, into pieces: memory grows neither with what comes nor with what it inflates to.
 * Throws `DecompressionFailed` and whatever the pieces throw. Ends only when everything was right.
 *
 * With `mayFree` a piece that comes out may be without its memory when the next one is asked for. Only the inflater
 * knows whether a piece is alone in its memory, or whether a decoder goes on writing behind it.
 */
export type PieceInflater = (pieces: AsyncGenerator<Buffer>, mayFree?: boolean) => AsyncGenerator<Buffer, void>

/** Longest piece that comes out, in bytes. */
export const inflatedPieceBytes = 256 * 1024
