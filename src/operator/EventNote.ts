/** Longest note that the API server takes, in bytes of UTF-8. */
export const maxNoteBytes = 1024

const encoder = new TextEncoder()
const ending = "…"

/** The note, or as many of its characters as fit with an ellipsis behind them. */
export const cutNote = (note: string): string => {
  if (encoder.encode(note).length <= maxNoteBytes) return note
  const room = new Uint8Array(maxNoteBytes - encoder.encode(ending).length)
  // Takes whole characters only.
  const { read } = encoder.encodeInto(note, room)
  return note.slice(0, read) + ending
}
