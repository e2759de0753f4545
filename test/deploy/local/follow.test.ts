import { spawn } from "node:child_process";
import { once } from "node:events";
import t from "tap";
import { FOLLOW_PARENT } from "../../../deploy/local/follow.ts";
import { plainNode } from "../../helpers/node.ts";

const WAITS = 'process.stdout.write("up"); setInterval(() => {}, 1000);';

t.test(
  "A program whose parent is gone gets SIGTERM, also when the parent went before it was up",
  async (t) => {
    for (const wait of [true, false]) {
      const child = spawn(...plainNode([...FOLLOW_PARENT, "--eval", WAITS]), {
        stdio: ["ignore", "pipe", "ignore", "ipc"],
      });
      const ended = once(child, "exit");
      if (wait && child.stdout !== null) await once(child.stdout, "data");
      child.disconnect();
      t.strictSame(await ended, [null, "SIGTERM"]);
    }
  },
);

t.test("The channel does not keep a program alive that is done", async (t) => {
  const child = spawn(...plainNode([...FOLLOW_PARENT, "--eval", ""]), {
    stdio: ["ignore", "pipe", "ignore", "ipc"],
  });
  t.strictSame(await once(child, "exit"), [0, null]);
});
