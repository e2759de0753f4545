/** The service's unit file, before systemd's own judgement. */

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { ROOT } from "../helpers/program.ts";

const UNIT = join(ROOT, "deploy/systemd/windfarm.service");
const has = spawnSync("systemd-analyze", ["--version"], { encoding: "utf8" });
const skip = has.status === 0 ? false : "no systemd-analyze here";
const version = Number(/systemd (\d+)/.exec(has.stdout ?? "")?.[1] ?? 0);
/** Of the exposure level, 0 to 10. */
const MOST_EXPOSED = 1.5;
/** Backoff came with systemd 254; Debian 12 has 252, ignores the two and restarts after a second. */
const NEWER = /Unknown key( name)? '(RestartSteps|RestartMaxDelaySec)'/;

t.test("systemd finds nothing wrong with it", { skip }, (t) => {
  const folder = mkdtempSync(join(tmpdir(), "windfarm-unit-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  // Its program is not installed on the machine that tests it.
  const unit = readFileSync(UNIT, "utf8").replace(/^ExecStart=\S+/m, "ExecStart=/bin/true");
  const file = join(folder, "windfarm.service");
  writeFileSync(file, unit);
  const { stdout, stderr } = spawnSync("systemd-analyze", ["verify", "--man=no", file], { encoding: "utf8" });
  const said = `${stdout}${stderr}`.split("\n").filter((line) => line.includes("windfarm") && line !== "");
  const news = version < 254 ? said.filter((line) => !NEWER.test(line)) : said;
  t.same(news, []);
  t.end();
});

t.test("it is exposed to no more than 1.5 of 10", { skip }, (t) => {
  const { stdout } = spawnSync("systemd-analyze", ["security", "--offline=true", "--no-pager", UNIT], {
    encoding: "utf8",
  });
  const level = Number(/Overall exposure level for windfarm\.service: ([\d.]+)/.exec(stdout)?.[1]);
  t.ok(level <= MOST_EXPOSED, `${level} of 10`);
  t.end();
});

t.test("it waits for no network, is started again for ever, and is told how it is", (t) => {
  const unit = readFileSync(UNIT, "utf8");
  for (const line of ["StartLimitIntervalSec=0", "Restart=always", "Type=notify", "StateDirectory=windfarm"])
    t.ok(unit.includes(`\n${line}\n`), line);
  t.notMatch(unit, /^(After|Wants|Requires)=.*network-online/m);
  const stop = Number(/^TimeoutStopSec=(\d+)/m.exec(unit)?.[1]);
  t.ok(stop > 15, "longer than the agent's own deadline");
  t.end();
});
