import t from "tap";
import { nearest } from "../../agent/config/nearest.ts";

const KEYS = [
  "listen",
  "connect",
  "max_packet",
  "max_connections",
  "connect_timeout",
  "tls",
  "topic",
] as const;

t.test("a slip leads to the name that was meant", async (t) => {
  const slips: [string, string][] = [
    ["lisen", "listen"],
    ["litsen", "listen"],
    ["LISTEN", "listen"],
    ["maxPacket", "max_packet"],
    ["max-packet", "max_packet"],
    ["max_pakcets", "max_packet"],
    ["topics", "topic"],
    ["tsl", "tls"],
    ["connection_timeout", "connect_timeout"],
  ];
  for (const [slip, meant] of slips) t.equal(nearest(slip, KEYS), meant, slip);
});

t.test("a name begun is told when only one goes on like it", async (t) => {
  t.equal(nearest("con", ["connect", "listen"]), "connect");
  t.equal(nearest("max", KEYS), undefined);
});

t.test("what resembles nothing leads nowhere", async (t) => {
  for (const name of ["", "colour", "password", "x"]) t.equal(nearest(name, KEYS), undefined, name);
  t.equal(nearest("listen", []), undefined);
});
