/** The package in clean Debian roots with a booted systemd: everything that may happen to an installed agent. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { connectAsync } from "mqtt";
import t, { type Test } from "tap";
import pkg from "../../../package.json" with { type: "json" };
import { type KinesisStub, startKinesisStub } from "../../helpers/kinesis-stub.ts";
import { Machine, whyNoMachine } from "./machine.ts";
import { packageFile, repacked } from "./packages.ts";

let built: string | undefined;
function deb(): string {
  built ??= packageFile("amd64");
  return built;
}

/** `RELEASES=trixie` is the short form. */
const RELEASES = (process.env.RELEASES ?? "trixie bookworm").split(" ");
const CONFIG = "/etc/windfarm/agent.config.yaml";

function config(endpoint: string): string {
  return [
    "version: 1",
    "gateway: { id: gw-deb }",
    'mqtt: { listen: "mqtt://0.0.0.0:1883", users_file: /etc/windfarm/users }',
    'buffer: { path: "/var/lib/windfarm/buffer.db", ballast: 1MiB }',
    `kinesis: { region: us-east-1, endpoint: "${endpoint}", flush_every: 100ms,`,
    "  credentials: { static: { access_key_id: local, secret_access_key_file: /etc/windfarm/aws.secret } } }",
    "",
  ].join("\n");
}

class Site {
  readonly machine: Machine;
  readonly stub: KinesisStub;
  #sent = 0;

  constructor(machine: Machine, stub: KinesisStub) {
    this.machine = machine;
    this.stub = stub;
  }

  get sent(): number {
    return this.#sent;
  }

  /** So many readings from outside, each acknowledged. */
  async publish(count: number): Promise<void> {
    const client = await connectAsync(`mqtt://${this.machine.address}`, {
      username: "t07",
      password: "geheim",
    });
    const all = Array.from({ length: count }, () => {
      const reading = {
        id: `PP_${this.#sent++}`,
        data: 0.97,
        type: "Power Factor",
        date: new Date().toISOString(),
      };
      return client.publishAsync("windfarm/T07/power-factor", JSON.stringify(reading), { qos: 1 });
    });
    await Promise.all(all);
    await client.endAsync();
  }

  /** Every reading ever acknowledged has arrived. */
  async arrived(): Promise<void> {
    const ids = () =>
      new Set(this.stub.records.flatMap(({ lines }) => lines.map((line) => JSON.parse(line).id)));
    await this.stub.until(() => ids().size >= this.#sent);
  }

  async ready(): Promise<void> {
    const script =
      "exec 3<>/dev/tcp/127.0.0.1/8080; printf 'GET /readyz HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n' >&3; head -1 <&3";
    await this.machine.until(`bash -c ${JSON.stringify(script.replaceAll("\\", "\\"))} | grep -q ' 200 '`);
  }

  property(name: string): string {
    return this.machine.run(`systemctl show windfarm -P ${name}`).trim();
  }
}

for (const release of RELEASES) {
  const skip = whyNoMachine(release) ?? false;
  t.test(`Debian ${release}`, { skip, timeout: 900_000 }, async (t) => {
    const machine = Machine.create(release);
    t.teardown(() => machine.destroy());
    await machine.boot();
    const stub = await startKinesisStub();
    t.teardown(() => stub.outage());
    await live(t, new Site(machine, stub), deb());
  });
}

async function live(t: Test, site: Site, deb: string): Promise<void> {
  const { machine, stub } = site;
  const cloud = await machine.lead(Number(new URL(stub.endpoint).port));
  t.teardown(() => cloud.close());
  machine.copyIn(deb, "/root/windfarm.deb");

  await t.test("installed, it is active with the configuration it brings", async (t) => {
    machine.run("dpkg -i /root/windfarm.deb");
    await site.ready();
    t.equal(site.property("ActiveState"), "active");
    t.match(site.property("StatusText"), /^Idle: no reading has arrived/);
    t.equal(
      machine.run(`stat -c '%a %U:%G' ${CONFIG} /var/lib/windfarm /etc/windfarm`),
      ["640 root:windfarm", "750 windfarm:windfarm", "2750 root:windfarm", ""].join("\n"),
    );
    t.equal(machine.run("windfarm --version"), `${pkg.version}\n`);
    t.equal(machine.run("dpkg --verify windfarm"), "");
    t.match(machine.run("systemctl is-enabled windfarm"), "enabled");
  });

  await t.test("readings from outside arrive", async () => {
    machine.run(
      "printf geheim | windfarm user add t07 --file /etc/windfarm/users --publish 'windfarm/T07/+'",
    );
    machine.write("/etc/windfarm/aws.secret", "local\n");
    machine.write(CONFIG, config(cloud.url));
    machine.run("chgrp windfarm /etc/windfarm/*; chmod 640 /etc/windfarm/*");
    machine.run("systemctl restart windfarm");
    await site.ready();
    await site.publish(200);
    await site.arrived();
  });

  await t.test("a stalled agent is killed by the watchdog and comes back", async (t) => {
    machine.run(
      "mkdir -p /run/systemd/system/windfarm.service.d && printf '[Service]\\nWatchdogSec=3\\n' > /run/systemd/system/windfarm.service.d/quick.conf && systemctl daemon-reload && systemctl restart windfarm",
    );
    await site.ready();
    const pid = site.property("MainPID");
    machine.run(`kill -STOP ${pid}`);
    await machine.until(`test $(systemctl show windfarm -P MainPID) != ${pid}`);
    await site.ready();
    t.match(machine.run("journalctl -u windfarm --no-pager"), /[Ww]atchdog timeout/);
    await site.publish(10);
    await site.arrived();
    machine.run(
      "rm -r /run/systemd/system/windfarm.service.d && systemctl daemon-reload && systemctl restart windfarm",
    );
    await site.ready();
  });

  await t.test("kill -9, a reboot and a power cut lose nothing", async () => {
    stub.fault = () => ({ kind: "exception", status: 500, type: "InternalFailure" });
    await site.publish(100);
    machine.run("systemctl kill --signal=KILL --kill-whom=main windfarm");
    await site.ready();
    await site.publish(100);
    await machine.reboot();
    await site.ready();
    await site.publish(100);
    await machine.cutPower();
    await site.ready();
    stub.fault = undefined;
    await site.arrived();
  });

  await t.test("a full disk stops the acknowledging, and room brings it back", async (t) => {
    machine.run("systemctl stop windfarm");
    machine.run(
      "mkdir -p /mnt/old && mv /var/lib/windfarm/* /mnt/old/ && mount -t tmpfs -o size=12m,mode=750,uid=$(id -u windfarm),gid=$(id -g windfarm) tmpfs /var/lib/windfarm && cp -a /mnt/old/. /var/lib/windfarm/",
    );
    machine.run("systemctl start windfarm");
    await site.ready();
    machine.run("dd if=/dev/zero of=/var/lib/windfarm/others bs=64k 2>/dev/null || true");
    const late = site.publish(30_000).then(
      () => "acknowledged",
      (error: Error) => error.message,
    );
    await machine.until('windfarm status --json | grep -q \'"state":"full"\'', 60_000);
    machine.run("rm /var/lib/windfarm/others");
    t.equal(await late, "acknowledged");
    await site.arrived();
    machine.run(
      "systemctl stop windfarm; rm -rf /mnt/old/*; cp -a /var/lib/windfarm/. /mnt/old/; umount /var/lib/windfarm; cp -a /mnt/old/. /var/lib/windfarm/; systemctl start windfarm",
    );
    await site.ready();
  });

  await t.test(
    "a wrong configuration is told at the page and in STATUS, and its mending starts the agent",
    async (t) => {
      const good = machine.read(CONFIG);
      machine.write(CONFIG, good.replace("us-east-1", "Ireland"));
      machine.run("systemctl restart windfarm");
      t.match(site.property("StatusText"), /^Failed: the configuration is wrong.*Ireland/);
      t.equal(site.property("ActiveState"), "active");
      const script =
        "exec 3<>/dev/tcp/127.0.0.1/8080; printf 'GET /healthz HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n' >&3; cat <&3";
      t.match(
        machine.run(`bash -c ${JSON.stringify(script)}`),
        /503[\s\S]*not ready: Failed: the configuration is wrong/,
      );
      t.equal(machine.try("windfarm run").status, 78, "in a terminal it ends");
      t.match(machine.run("journalctl -u windfarm -p err --no-pager"), /the configuration is wrong/);
      machine.write(CONFIG, good);
      await site.ready();
      await site.publish(10);
      await site.arrived();
    },
  );

  await t.test(
    "an upgrade with a backlog restarts and loses nothing; a downgrade that could not read the buffer is refused",
    async (t) => {
      stub.fault = () => ({ kind: "exception", status: 500, type: "InternalFailure" });
      await site.publish(500);
      const before = site.property("MainPID");
      machine.copyIn(repacked(t, deb, { version: "99.0.0" }), "/root/newer.deb");
      machine.run("dpkg -i /root/newer.deb");
      await site.ready();
      t.not(site.property("MainPID"), before, "it was restarted");
      stub.fault = undefined;
      await site.arrived();

      machine.copyIn(repacked(t, deb, { version: "98.0.0", readsFormat: 0 }), "/root/older.deb");
      const refused = machine.try("dpkg -i /root/older.deb");
      t.not(refused.status, 0);
      t.match(
        refused.stderr,
        /windfarm: 98\.0\.0 reads buffers up to format 0; .*buffer\.db of 99\.0\.0 has format \d/,
      );
      t.match(refused.stderr, /try: stay with 99\.0\.0/);
      t.match(machine.run("dpkg-query -W windfarm"), /99\.0\.0/, "the newer one stays");
      await site.ready();
      await site.publish(10);
      await site.arrived();
      machine.run("dpkg -i /root/windfarm.deb 2>&1");
      await site.ready();
    },
  );

  await t.test("removed it leaves its data, installed again it goes on, purged nothing stays", async (t) => {
    stub.fault = () => ({ kind: "exception", status: 500, type: "InternalFailure" });
    await site.publish(50);
    machine.run("dpkg -r windfarm");
    t.notOk(existsSync(join(machine.folder, "usr/bin/windfarm")));
    t.ok(existsSync(join(machine.folder, "var/lib/windfarm/buffer.db")), "readings stay");
    t.ok(existsSync(join(machine.folder, CONFIG)), "the configuration stays");
    machine.run("dpkg -i /root/windfarm.deb");
    await site.ready();
    stub.fault = undefined;
    await site.arrived();
    machine.run("dpkg -P windfarm");
    t.equal(
      machine.run(
        "ls -d /etc/windfarm /var/lib/windfarm /var/cache/windfarm /usr/lib/windfarm 2>/dev/null || true",
      ),
      "",
    );
  });
}
