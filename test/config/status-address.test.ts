import { join } from "node:path";
import t from "tap";
import { statusAddressIn } from "../../agent/config/status-address.ts";

t.test("the page's address is taken from a configuration that is wrong elsewhere", async (t) => {
  const at = (text: string) => statusAddressIn(join(t.testdir({ c: text }), "c"), { PORT: "8123" }).url;
  t.equal(at("nonsense: 1\nstatus: { listen: 'http://127.0.0.1:9001' }\n"), "http://127.0.0.1:9001");
  t.equal(at(`status: { listen: "http://127.0.0.1:$\{PORT}" }\n`), "http://127.0.0.1:8123");
  for (const [why, text] of [
    ["others could reach it", "status: { listen: 'http://0.0.0.0:9001' }\n"],
    ["no address", "status: { listen: 9001x }\n"],
    ["no YAML", "status: { listen: [\n"],
    ["nothing", ""],
  ] as const)
    t.equal(at(text), "http://127.0.0.1:8080", why);
  t.equal(statusAddressIn("/nowhere/at/all", {}).url, "http://127.0.0.1:8080", "no file");
});
