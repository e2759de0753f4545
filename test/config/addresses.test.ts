import t from "tap";
import { isLoopback } from "../../agent/common/loopback.ts";
import { readListen } from "../../agent/config/addresses.ts";
import { Unfit } from "../../agent/config/unfit.ts";

const MQTT = ["mqtt:", "mqtts:"];

t.test("an address to listen on is a scheme, a host and perhaps a port", async (t) => {
  t.same(readListen("mqtt://127.0.0.1", MQTT), {
    host: "127.0.0.1",
    port: 1883,
    tls: false,
    url: "mqtt://127.0.0.1:1883",
  });
  t.same(readListen("mqtts://gateway.local/", MQTT), {
    host: "gateway.local",
    port: 8883,
    tls: true,
    url: "mqtts://gateway.local:8883",
  });
  t.same(readListen("http://[::1]:0", ["http:"]), {
    host: "::1",
    port: 0,
    tls: false,
    url: "http://[::1]:0",
  });
  t.same(readListen("http://localhost", ["http:"]), {
    host: "localhost",
    port: 80,
    tls: false,
    url: "http://localhost:80",
  });
});

t.test("what is no address is refused", async (t) => {
  const texts = [
    "",
    "127.0.0.1",
    "localhost:1883",
    "http://127.0.0.1",
    "mqtt://",
    "mqtt://:1883",
    "mqtt://host:99999",
    "mqtt://host/path",
    "mqtt://host?a=b",
    "mqtt://host#a",
    "mqtt://user@host",
  ];
  for (const text of texts) t.ok(readListen(text, MQTT) instanceof Unfit, JSON.stringify(text));
});

t.test("a password in a URL is never repeated in what is said about it", async (t) => {
  for (const text of [
    "mqtt://farm:s3cret@host",
    "http://farm:s3cret@host",
    "farm:s3cret@host",
    "mqtt://farm:s3cret@",
  ]) {
    const unfit = readListen(text, MQTT);
    t.ok(unfit instanceof Unfit);
    t.notMatch(JSON.stringify(unfit), /s3cret/, text);
  }
});

t.test("loopback is what only this machine can reach", async (t) => {
  for (const host of ["localhost", "127.0.0.1", "127.1.2.3", "::1"]) t.ok(isLoopback(host), host);
  for (const host of [
    "0.0.0.0",
    "::",
    "192.168.1.1",
    "gateway.local",
    "127.example",
    "localhost.example",
    "",
  ]) {
    t.notOk(isLoopback(host), host);
  }
});
