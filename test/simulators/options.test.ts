import { join } from "node:path";
import t from "tap";
import { NO_FAULTS } from "../../simulators/faults.ts";
import { milliseconds, parseOptions } from "../../simulators/options.ts";

t.test(
  "Without arguments: three turbines, one reading a second, the broker on this machine, for ever",
  async (t) => {
    t.strictSame(parseOptions([]), {
      turbines: 3,
      rate: 1,
      seed: 1,
      broker: "mqtt://127.0.0.1:1883",
      topicPrefix: "windfarm",
      access: {},
      faults: NO_FAULTS,
      legacy: false,
      forMs: Number.POSITIVE_INFINITY,
      countPerSensor: Number.POSITIVE_INFINITY,
      outboxMessages: 100_000,
      drainMs: 10_000,
      once: false,
      json: false,
    });
  },
);

t.test("Every option reaches its setting", async (t) => {
  const folder = t.testdir({ secret: "hush\n", ca: "CA", cert: "CERT", key: "KEY" });
  const args =
    "--turbines 5 --rate 0.0167 --seed 9 --broker mqtts://b:8883 --topic a/b --legacy --for 2m --count 7 --drain 500ms " +
    "--from 2026-11-22 --step 1m --outbox 10 --once --ledger l --json --user u --fault bad=0.5 --fault duplicates " +
    ["password-file secret", "ca ca", "cert cert", "key key"]
      .map((pair) => pair.split(" "))
      .map(([name, file]) => `--${name} ${join(folder, file ?? "")}`)
      .join(" ");
  t.strictSame(parseOptions(args.split(" ")), {
    turbines: 5,
    rate: 0.0167,
    seed: 9,
    broker: "mqtts://b:8883",
    topicPrefix: "a/b",
    access: {
      username: "u",
      password: "hush",
      ca: Buffer.from("CA"),
      cert: Buffer.from("CERT"),
      key: Buffer.from("KEY"),
    },
    faults: { ...NO_FAULTS, bad: 0.5, duplicates: 0.1 },
    legacy: true,
    forMs: 120_000,
    countPerSensor: 7,
    outboxMessages: 10,
    drainMs: 500,
    once: true,
    json: true,
    ledger: "l",
    history: { fromMs: Date.parse("2026-11-22"), stepMs: 60_000 },
  });
});

t.test("Durations take a unit", async (t) => {
  const read = (text: string) => milliseconds("for", text);
  t.strictSame(["20ms", "1.5s", "5m", "2h", "1d"].map(read), [20, 1500, 300_000, 7_200_000, 86_400_000]);
});

t.test("An option given twice counts once, the last time; faults add up", async (t) => {
  const twice = "--turbines 3 --turbines 4 --for 1s --for 2s --once --once --fault bad --fault stuck".split(
    " ",
  );
  const { turbines, forMs, once, faults } = parseOptions(twice);
  t.strictSame([turbines, forMs, once], [4, 2000, true]);
  t.ok(faults.bad > 0);
  t.not(faults.stuck, NO_FAULTS.stuck);
});

const WRONG: Record<string, [string[], RegExp]> = {
  "an unknown option": [["--tubrines", "3"], /tubrines/],
  "an unknown fault": [["--fault", "gremlins"], /unknown fault "gremlins"/],
  "a rate of nothing": [["--rate", "0"], /--rate is out of range/],
  "a rate that is no number": [["--rate", "fast"], /--rate is out of range/],
  "half a turbine": [["--turbines", "0.5"], /--turbines needs a whole number/],
  "a broker that is no address": [
    ["--broker", "localhost"],
    /--broker localhost is not the address of a broker/,
  ],
  "a duration without sense": [["--for", "soon"], /--for soon is not a duration/],
  "a duration without unit": [["--for", "1"], /--for 1 has no unit/],
  "a fault without its name": [["--fault"], /Not enough arguments following: fault/],
  "a date without sense": [["--from", "yesterday"], /--from yesterday is not a date/],
  "a step without a history": [["--step", "1m"], /--step needs --from or --history/],
  "two pasts": [["--history", "24h", "--from", "2026-11-22"], /--history and --from are both given/],
  "a past without a reading": [["--history", "10s"], /--history 10s is 0 readings of each sensor/],
  "a certificate without its key": [["--cert", "x.pem"], /--cert and --key belong together/],
  "a password file that is not there": [["--password-file", "/nowhere/x"], /--password-file .*ENOENT/],
  "a topic with a wildcard": [["--topic", "a/#"], /--topic a\/# can't begin a topic/],
};

for (const [name, [args, message]] of Object.entries(WRONG)) {
  t.test(`Wrong usage: ${name} is a Fault with exit code 2 and a hint`, async (t) => {
    t.throws(() => parseOptions(args), { message, exitCode: 2, hint: /\w/ });
  });
}
