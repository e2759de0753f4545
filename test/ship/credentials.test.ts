import t from "tap";
import { createCredentials, isLoopbackHttp } from "../../agent/ship/credentials.ts";
import { Link } from "../../agent/ship/link.ts";
import { readableLog, shipSettings } from "../helpers/ship-rig.ts";

const deps = (env: Record<string, string> = {}) => ({
  log: readableLog().log,
  now: Date.now,
  monotonicMs: () => performance.now(),
  env,
});

const link = new Link({ requestTimeoutMs: 1000 }, {});

t.test("static keys are used as they are", async (t) => {
  const credentials = {
    kind: "static",
    accessKeyId: "key",
    secretAccessKey: "secret",
    sessionToken: "token",
  } as const;
  const { identity, described } = createCredentials(
    shipSettings("http://127.0.0.1:4567", { credentials }),
    link,
    deps(),
  );
  t.strictSame(identity, { accessKeyId: "key", secretAccessKey: "secret", sessionToken: "token" });
  t.notMatch(described, "secret");
});

t.test("a local endpoint without credentials gets dummies", async (t) => {
  const local = shipSettings("http://127.0.0.1:4567", { credentials: { kind: "default" } });
  t.match(createCredentials(local, link, deps()).identity, {
    accessKeyId: "local",
    secretAccessKey: "local",
  });
  t.equal(
    createCredentials(local, link, deps({ AWS_ACCESS_KEY_ID: "key" })).identity,
    undefined,
    "but not where there are some",
  );
});

t.test("the real service is asked with the default chain", async (t) => {
  const { endpoint, ...real } = shipSettings("unused", { credentials: { kind: "default" } });
  t.equal(createCredentials(real, link, deps()).identity, undefined);
  t.equal(createCredentials({ ...real, endpoint: "https://127.0.0.1" }, link, deps()).identity, undefined);
});

t.test("only plain HTTP to this machine is a local endpoint", async (t) => {
  for (const local of ["http://127.0.0.1:4567", "http://localhost", "http://[::1]:1", "http://127.9.9.9"]) {
    t.ok(isLoopbackHttp(local), local);
  }
  for (const other of [
    undefined,
    "https://127.0.0.1",
    "http://127.0.0.1.example.com",
    "http://10.0.0.1",
    "localhost:4567",
    "nonsense",
  ]) {
    t.notOk(isLoopbackHttp(other), String(other));
  }
});
