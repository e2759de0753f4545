/** `buffer`: where readings wait until Kinesis has them. */

import { choice, duration, section, size, text } from "../fields.ts";

export function bufferSection() {
  return section({
    path: text().describe("The buffer's file, on a disk of this machine; its folder is created if missing."),
    max_size: size("1MiB", "16TiB")
      .prefault("2GiB")
      .describe(
        "Most that the buffer's file may take of the disk; its log, a few MiB, and the ballast come on top.",
      ),
    on_full: choice(["refuse", "drop_oldest"])
      .prefault("refuse")
      .describe(
        "When it is full: refuse stops acknowledging, so that sensors keep their readings; drop_oldest drops the oldest and counts them.",
      ),
    commit_linger: duration("0ms", "10s")
      .prefault("500ms")
      .describe(
        "How long the first reading waits for others before all of them are written; spares the flash at low rates.",
      ),
    rejects_max_size: size("64KiB", "1TiB")
      .prefault("64MiB")
      .describe(
        "Most that messages kept aside may take; beyond it the oldest are deleted, and stay counted.",
      ),
    ballast: size("0B", "1GiB")
      .prefault("8MiB")
      .describe(
        "Room kept in reserve, given up when others have filled the disk, because deleting fails on a full disk too.",
      ),
  })
    .transform((buffer) => ({
      path: buffer.path,
      maxBytes: buffer.max_size,
      onFull: buffer.on_full,
      lingerMs: buffer.commit_linger,
      rejectsMaxBytes: buffer.rejects_max_size,
      ballastBytes: buffer.ballast,
    }))
    .describe("Where readings wait until Kinesis has them.");
}
