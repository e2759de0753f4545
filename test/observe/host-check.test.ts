import t from "tap";
import { isOurHost } from "../../agent/observe/host-check.ts";

const known = { names: ["gw-01", "gw-01.farm.example"] };

t.test("Addresses, localhost and the machine's own names are ours", async (t) => {
  for (const host of [
    "127.0.0.1",
    "10.1.2.3:8080",
    "[::1]:8080",
    "[fe80::1]",
    "localhost:80",
    "gw.localhost",
    "gw-01",
    "GW-01:8080",
    "gw-01.local",
    "gw-01.farm.example.",
  ]) {
    t.ok(isOurHost(host, known), host);
  }
});

t.test("Other names, and what is no Host header, are not", async (t) => {
  for (const host of [
    undefined,
    "",
    " ",
    "evil.example",
    "gw-01.evil.example",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "gw-01@evil.example",
    "gw-01:port",
    "[::1",
    "a b",
    "gw-01, evil.example",
    `${"a".repeat(100_000)}.example`,
  ]) {
    t.notOk(isOurHost(host, known), String(host).slice(0, 40));
  }
});
