/** The users file as its owner writes it, and what is said of it. */

import t from "tap";
import { covers, isFilter, levelsOf, meet } from "../../agent/collect/filters.ts";
import { hashPassword } from "../../agent/collect/passwords.ts";
import { loadUsers } from "../../agent/collect/users.ts";
import { readUsersText, withoutUser, withUser } from "../../agent/collect/users-file.ts";

/** Of mosquitto_passwd 2.0: the password is "secret". */
const HASH =
  "$7$101$cGVwcGVyc2FsdA==$p0hM6DQmqKTOmCPDy1q+ZLHRJ6nRHHGIuUr2yVcvVMjVYRkzRhYbWtDdJ2ZcK3KSvQgWkqHGtcsH8ajZCbPVlQ==";

const said = (text: string) =>
  readUsersText(text).problems.map(
    ({ line, column, message, hint }) => `${line}:${column} ${message} — ${hint}`,
  );

t.test("users with hashed passwords, topics, and certificates alone are taken", async (t) => {
  const text = `# ours\nusers:\n  - name: t07\n    password: ${HASH}\n    publish: [windfarm/T07/+]\n  - name: gw-01\n`;
  t.same(readUsersText(text), {
    users: [
      { name: "t07", password: HASH, publish: ["windfarm/T07/+"], subscribe: [] },
      { name: "gw-01", publish: [], subscribe: [] },
    ],
    problems: [],
  });
});

t.test("every problem is said at once, where it stands, with what to try", async (t) => {
  const text = [
    "users:",
    "  - name: t07",
    "    password: secret",
    "    publish: windfarm/T07/+",
    "  - nam: t08",
    "  - name: 42",
    "    subscribe: [windfarm/#/x, '']",
    "  - t09",
    "  - name: x",
    "    password: $7$0$c2FsdA==$c2hvcnQ=",
  ].join("\n");
  t.match(said(text), [
    /^3:15 the password is not a hash — windfarm user add makes it/,
    /^4:14 publish is a list — write publish: \[windfarm\/T07\/\+\]$/,
    /^5:5 the name is missing — windfarm user add/,
    /^5:5 nam is not known here — known: name, password, publish, subscribe$/,
    /^6:11 the name is not a text — put it in quotes: "42"$/,
    /^7:17 "windfarm\/#\/x" is no topic filter — \+ stands for a whole level/,
    /^7:31 "" is no topic filter/,
    /^8:5 a user is a section — write name, password/,
    /^10:15 the password's hash has a wrong length or too many iterations — /,
  ]);
});

t.test("a password that is written in plain is never repeated, whatever YAML takes it for", async (t) => {
  for (const password of ["482913", "true", "plain", "[482913]"]) {
    const [sentence, ...more] = said(`users:\n  - { name: a, password: ${password} }\n`);
    t.match(sentence, /the password is not a hash — windfarm user add makes it/);
    t.notMatch(sentence, /482913|true|plain/);
    t.same(more, []);
  }
});

t.test(
  "a hash may have a million iterations and no more: it would keep everybody else waiting",
  async (t) => {
    const text = (iterations: number) =>
      `users:\n  - name: a\n    password: ${HASH.replace("$101$", `$${iterations}$`)}\n`;
    t.strictSame(said(text(1_000_000)), []);
    t.match(said(text(1_000_001)), [/^3:15 the password's hash has a wrong length or too many iterations/]);
  },
);

t.test("what is no users file at all says so", async (t) => {
  t.match(said(""), [/^1:1 the file has no users — write users; windfarm user add/]);
  t.match(said("t07:$7$101$abc$def\n"), [/^1:1 the file has no users/], "a password file of mosquitto");
  t.match(said("users:\n"), [/^1:\d users is a list/]);
  t.match(said("user:\n  - name: a\n"), [/users is a list/, /^1:1 user is not known here — known: users/]);
  t.match(said("users:\n\t- name: a"), [/^2:1 not YAML: /]);
  t.match(said("users:\n  - name: a\n  - name: a\n"), [/^3:11 a second user a — keep one/]);
});

t.test("loading says all of it, with the file's name", async (t) => {
  const folder = t.testdir({ users: "users:\n  - name: 1\n  - name: 2\n" });
  const { throws } = t;
  throws(() => loadUsers(`${folder}/users`), {
    code: "mqtt.users_file",
    message: /^\S+users:2:11: .+\n\S+users:3:11: /,
    exitCode: 78,
  });
  throws(() => loadUsers(`${folder}/none`), {
    code: "mqtt.users_file",
    message: /can't read .*none/,
    exitCode: 78,
  });
});

t.test("a change of one user leaves the rest as it was written", async (t) => {
  const before = `# Ours.\nusers:\n  # The first turbine.\n  - name: t07\n    password: ${HASH}\n    publish: [windfarm/T07/+]\n  - name: t08\n`;
  const hash = await hashPassword("other");
  const changed = withUser(before, { name: "t07", passwordHash: hash });
  t.equal(changed, before.replace(HASH, hash), "topics stay, comments stay");
  const added = withUser(before, { name: "t09", passwordHash: HASH, publish: ["#"], subscribe: [] });
  t.ok(added.startsWith(before));
  t.same(readUsersText(added).users.at(-1), { name: "t09", password: HASH, publish: ["#"], subscribe: [] });
  t.equal(withUser(added, { name: "t09", passwordHash: HASH, publish: ["#"] }), added, "again: the same");
  t.equal(withoutUser(added, "t09"), before);
  t.equal(withoutUser(before, "nobody"), undefined);
  const certified = withUser(before, { name: "t07", passwordHash: null });
  t.notMatch(certified, /password/);
});

t.test(
  "a first user makes the file, with a word on what it is; the last one leaves an empty list",
  async (t) => {
    const first = withUser(undefined, { name: "true", passwordHash: HASH, publish: ["windfarm/+/+"] });
    t.match(first, /^# Users of windfarm's embedded broker/);
    t.same(readUsersText(first).users, [
      { name: "true", password: HASH, publish: ["windfarm/+/+"], subscribe: [] },
    ]);
    const empty = withoutUser(first, "true") ?? "";
    t.same(readUsersText(empty), { users: [], problems: [] });
    t.match(withUser(empty, { name: "a", passwordHash: null }), /users:\n {2}- name: a\n/);
  },
);

t.test("filters: which are some, which cover others, which have a topic in common", async (t) => {
  for (const filter of ["a", "+", "#", "a/+/b", "a/#", "/", "$SYS/#"]) t.ok(isFilter(filter), filter);
  for (const filter of ["", "a#", "#/a", "a/b+", "a\0", "a\n"])
    t.notOk(isFilter(filter), JSON.stringify(filter));
  const covering: [string, string, boolean][] = [
    ["windfarm/T07/#", "windfarm/T07/+", true],
    ["windfarm/T07/#", "windfarm/T07", true],
    ["windfarm/+/+", "windfarm/T07/power-factor", true],
    ["windfarm/T07/+", "windfarm/+/+", false],
    ["windfarm/+", "windfarm/#", false],
    ["windfarm/+", "windfarm", false],
    ["windfarm/+", "windfarm/T07/power-factor", false],
    ["#", "$SYS/uptime", false],
    ["$SYS/#", "$SYS/uptime", true],
  ];
  for (const [wide, narrow, expected] of covering)
    t.equal(covers(levelsOf(wide), levelsOf(narrow)), expected, `${wide} ${narrow}`);
  const meeting: [string, string, boolean][] = [
    ["windfarm/T07/+", "windfarm/+/+", true],
    ["windfarm/T07/power-factor", "windfarm/+/+", true],
    ["windfarm/#", "windfarm/+/+", true],
    ["#", "windfarm/+/+", true],
    ["windfarm/T07", "windfarm/+/+", false],
    ["farm/T07/+", "windfarm/+/+", false],
    ["windfarm/T07/a/b", "windfarm/+/+", false],
  ];
  for (const [one, other, expected] of meeting) {
    t.equal(meet(one, other), expected, `${one} ${other}`);
    t.equal(meet(other, one), expected);
  }
});
