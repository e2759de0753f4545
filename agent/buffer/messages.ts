/** What a sender is told whose reading can't be taken; it keeps the reading and sends it again. */

import { Fault } from "../errors.ts";

export function closedFault(): Fault {
  return new Fault("buffer.closed", "the buffer is closed", { retry: true });
}

/** `problem`: why the disk takes nothing, if it is known. */
export function waitingFault(problem = "it is slow"): Fault {
  return new Fault("buffer.waiting", `too many readings wait for the disk (${problem})`, {
    hint: "Senders keep their readings and send them again.",
    retry: true,
  });
}
