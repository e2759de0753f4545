/** Whether this machine knows what time it is: signatures and certificates depend on it. */

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { type Finding, failed, note, ok } from "./finding.ts";

/** The service allows five minutes. */
const TOLERANCE_MS = 4 * 60_000;
const run = promisify(execFile);

/** `skewMs`: how far AWS' clock is ahead of ours, where it could be asked. */
export async function clockFinding(skewMs: number | undefined): Promise<Finding> {
  const synchronised = await isSynchronised();
  if (skewMs !== undefined && Math.abs(skewMs) > TOLERANCE_MS) {
    const minutes = Math.round(Math.abs(skewMs) / 60_000);
    const way = skewMs > 0 ? "behind" : "ahead";
    const hint =
      "timedatectl; is a time server reachable (UDP port 123)? Shipping goes on by itself once the clock is right";
    return failed(`The gateway's clock is wrong: ${minutes} min ${way}`, hint);
  }
  const held = skewMs === undefined ? "" : `, ${Math.round(Math.abs(skewMs) / 1000)} s from the endpoint's`;
  if (synchronised === false)
    return note(`The clock is not synchronised${held}`, "timedatectl; apt install systemd-timesyncd");
  return ok(
    synchronised === true
      ? `The clock is synchronised${held}`
      : `The clock is right as far as can be seen${held}`,
  );
}

/** As the system says; undefined where it can't be asked. */
async function isSynchronised(): Promise<boolean | undefined> {
  const ask = ["show", "--property=NTPSynchronized", "--value"];
  try {
    const { stdout } = await run("timedatectl", ask, { timeout: 3000 });
    const answer = stdout.trim();
    return answer === "" ? undefined : answer === "yes";
  } catch {
    return undefined;
  }
}
