/** Names and passwords before anybody is let in: one at a time, the addresses in turns, what was right remembered. */

import { pbkdf2Sync } from "node:crypto";
import { PassThrough } from "node:stream";
import t from "tap";
import { type Login, Logins, MAX_PASSWORD_BYTES } from "../../agent/collect/logins.ts";
import { hashPassword, NEW_ITERATIONS, verifyPassword } from "../../agent/collect/passwords.ts";
import { Users } from "../../agent/collect/users.ts";

const FAST_ITERATIONS = 101;
/** As mosquitto_passwd 2.0 makes it: the password is "secret". */
const FAST = `$7$${FAST_ITERATIONS}$c2FsdA==$${pbkdf2Sync("secret", "salt", FAST_ITERATIONS, 64, "sha512").toString("base64")}`;

const user = (name: string, password?: string) => ({ name, password, publish: [], subscribe: [] });
const login = (
  name: string,
  password: string,
  address = "10.0.0.1",
  connection = new PassThrough(),
): Login => ({ name, password: Buffer.from(password), address, connection });

/** Passwords that are "right" when they are so called, tried when the test says so. */
class HeldWork {
  readonly begun: string[] = [];
  readonly #ends: (() => void)[] = [];
  readonly #waiting: { count: number; resolve: () => void }[] = [];

  verify = async (password: Uint8Array): Promise<boolean> => {
    const text = Buffer.from(password).toString();
    this.begun.push(text);
    for (const { count, resolve } of this.#waiting) if (this.begun.length >= count) resolve();
    await new Promise<void>((resolve) => this.#ends.push(resolve));
    return text.startsWith("right");
  };

  spend = async (): Promise<void> => {};

  async until(count: number): Promise<void> {
    if (this.begun.length < count)
      await new Promise<void>((resolve) => this.#waiting.push({ count, resolve }));
  }

  end(): void {
    this.#ends.shift()?.();
  }
}

function heldLogins() {
  const work = new HeldWork();
  const users = new Users([user("t07", FAST), user("t08", FAST)]);
  return { work, users, logins: new Logins(users, work) };
}

t.test("one password is tried at a time, and the addresses take turns", async (t) => {
  const { work, logins } = heldLogins();
  const flood = Array.from({ length: 50 }, (_, n) => logins.check(login("t07", `wrong ${n}`, "10.6.6.6")));
  const good = logins.check(login("t08", "right", "10.0.0.8"));
  await work.until(1);
  work.end();
  await work.until(2);
  work.end();
  await work.until(3);
  t.strictSame(
    work.begun,
    ["wrong 0", "wrong 1", "right"],
    "the other address waited for one of the flood's",
  );
  work.end();
  t.match(await good, { name: "t08" });
  for (let n = 4; n <= 51; n++) {
    await work.until(n);
    work.end();
  }
  t.strictSame(
    (await Promise.all(flood)).filter((found) => found !== undefined),
    [],
  );
});

t.test("a login whose connection is gone leaves at once and is not begun", async (t) => {
  const { work, logins } = heldLogins();
  const first = logins.check(login("t07", "right 1"));
  const connections = Array.from({ length: 20 }, () => new PassThrough());
  const left = connections.map((connection, n) =>
    logins.check(login("t07", `left ${n}`, `10.0.0.${n >> 1}`, connection)),
  );
  const last = logins.check(login("t08", "right 2", "10.0.0.5"));
  await work.until(1);
  for (const connection of connections) connection.destroy();
  t.strictSame(new Set(await Promise.all(left)), new Set([undefined]), "while the first is being tried");
  const late = login("t07", "late", "10.0.0.1", connections[0]);
  t.equal(await logins.check(late), undefined, "also where it was gone before it came");
  work.end();
  await work.until(2);
  work.end();
  t.match(await Promise.all([first, last]), [{ name: "t07" }, { name: "t08" }]);
  t.strictSame(work.begun, ["right 1", "right 2"]);
});

t.test("a login whose connection is gone in its turn gives the turn on", async (t) => {
  const { work, logins } = heldLogins();
  const connection = new PassThrough();
  const first = logins.check(login("t07", "right 1"));
  const gone = logins.check(login("t07", "gone", "10.0.0.2", connection));
  const last = logins.check(login("t08", "right 2", "10.0.0.3"));
  await work.until(1);
  connection.destroy();
  work.end();
  await work.until(2);
  work.end();
  t.equal(await gone, undefined);
  t.match(await Promise.all([first, last]), [{ name: "t07" }, { name: "t08" }]);
  t.strictSame(work.begun, ["right 1", "right 2"]);
});

t.test("a login that was right is remembered until the users change; a wrong one is not", async (t) => {
  const { work, users, logins } = heldLogins();
  const once = async (password: string) => {
    const found = logins.check(login("t07", password));
    await work.until(work.begun.length + 1);
    work.end();
    return await found;
  };
  t.match(await once("right"), { name: "t07" });
  t.match(await logins.check(login("t07", "right")), { name: "t07" }, "without a hash");
  t.equal(await once("wrong"), undefined);
  t.equal(await once("wrong"), undefined, "tried again");
  t.match(await logins.check(login("t07", "right")), { name: "t07" }, "still");
  t.equal(work.begun.length, 3);
  users.replaceWith([user("t08", FAST)]);
  logins.forget();
  t.equal(await logins.check(login("t07", "right")), undefined, "nobody of that name");
});

t.test("a reload that leaves a user as it was forgets no login", async (t) => {
  const { work, logins } = heldLogins();
  const first = logins.check(login("t07", "right"));
  await work.until(1);
  work.end();
  t.match(await first, { name: "t07" });
  logins.forget();
  t.match(await logins.check(login("t07", "right")), { name: "t07" });
  t.equal(work.begun.length, 1, "without a hash");
});

t.test("a user that changes while its password is tried does not get in", async (t) => {
  const { work, users, logins } = heldLogins();
  const found = logins.check(login("t07", "right"));
  await work.until(1);
  users.replaceWith([{ ...user("t07", FAST), publish: ["#"] }]);
  logins.forget();
  work.end();
  t.equal(await found, undefined);
});

t.test("remembered logins get in while a flood waits", async (t) => {
  const { work, logins } = heldLogins();
  const first = logins.check(login("t07", "right"));
  await work.until(1);
  work.end();
  await first;
  const flood = Array.from({ length: 200 }, (_, n) => logins.check(login("x", "y", `10.6.${n}.1`)));
  t.match(await logins.check(login("t07", "right")), { name: "t07" });
  await Promise.all(flood);
});

t.test("no name, no password or one too long is refused at once", async (t) => {
  const { work, logins } = heldLogins();
  const long = "x".repeat(MAX_PASSWORD_BYTES + 1);
  t.equal(await logins.check(login("t07", long)), undefined);
  t.equal(await logins.check({ ...login("t07", ""), password: undefined }), undefined);
  t.equal(await logins.check({ ...login("", "right"), name: undefined }), undefined);
  t.strictSame(work.begun, []);
});

t.test("every login costs as many iterations as the slowest hash, whoever is named", async (t) => {
  const slow = await hashPassword("slow");
  const users = new Users([user("fast", FAST), user("slow", slow), user("certified")]);
  let spent = 0;
  const logins = new Logins(users, {
    verify: async (password, hashed) => {
      spent += hashed === slow ? NEW_ITERATIONS : FAST_ITERATIONS;
      return verifyPassword(password, hashed);
    },
    spend: async (_password, iterations) => {
      spent += iterations;
    },
  });
  for (const [name, password, right] of [
    ["fast", "secret", true],
    ["fast", "wrong", false],
    ["slow", "slow", true],
    ["certified", "", false],
    ["nobody", "secret", false],
  ] as const) {
    spent = 0;
    t.equal((await logins.check(login(name, password))) !== undefined, right, `${name} ${password}`);
    t.equal(spent, NEW_ITERATIONS);
  }
});
