/** Bytes of a file read with our own eyes, from a card that may have lost some of its sectors. */

import { readSync } from "node:fs";

/** Fills `bytes` from `place` on and says how many there were; throws where the disk does not give them. */
export type ReadSectors = (file: number, bytes: Buffer, place: number) => number;

export const READ_DISK: ReadSectors = (file, bytes, place) => readSync(file, bytes, 0, bytes.length, place);

/** What stands at a place: bytes, filled up with zeros where the file `ends` among them, or nothing that can be read. */
export type Piece = { bytes: Buffer; ends: boolean } | "unreadable";

/** Asks twice: a card under strain may refuse once what it gives the next time. */
export function readPiece(read: ReadSectors, file: number, place: number, length: number): Piece {
  for (let left = 2; left > 0; left--) {
    const bytes = Buffer.alloc(length);
    try {
      return { bytes, ends: read(file, bytes, place) < length };
    } catch {
      // Whatever the reason, it is a piece that can't be had.
    }
  }
  return "unreadable";
}
