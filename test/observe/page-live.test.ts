/** The parts of the page that show single values, payloads and problems. */

import t from "tap";
import { LastProblems } from "../../agent/observe/last-problems.ts";
import { mainOf } from "../../agent/observe/page/main.ts";
import { RateWindow } from "../../agent/observe/rates.ts";
import type { Snapshot } from "../../agent/observe/snapshot.ts";
import { LastSeen } from "../../agent/validate/last-seen.ts";
import { liveOf, sampleLive } from "./sample-live.ts";
import { NOON_MS, sampleSnapshot } from "./sample-snapshot.ts";

const markupOf = (snapshot: Snapshot, live = sampleLive()) =>
  mainOf(snapshot, new RateWindow(10_000), live.view()).text;
const textOf = (snapshot: Snapshot, live = sampleLive()) =>
  markupOf(snapshot, live)
    .replace(/<[^>]*>/g, " ")
    .replaceAll("\u00a0", " ")
    .replace(/\s+/g, " ");

t.test("Each turbine has a row with its values, and what was out of range is marked", async (t) => {
  const text = textOf(sampleSnapshot());
  t.match(
    text,
    /2 turbines now Turbine Power Factor Temperature Battery Hydraulic Pressure T01 0\.97\d 23\.48 °C 75\.76 bar T02/,
  );
  t.match(text, /bar 1 out of range/);
  const [first = "", second = ""] = markupOf(sampleSnapshot()).split("T02");
  t.match(
    first,
    /<svg class="spark"[^>]* aria-label="Hydraulic Pressure, the last 30 values: 75\.00 to 77\.00"/,
  );
  t.notMatch(first, /class="mark"/);
  t.match(second, /class="mark" d="M69\.0 0v24"/, "the twenty-first of thirty");
});

t.test("A sensor that fell silent says when it was heard last, one never heard has a dash", async (t) => {
  let nowMs = NOON_MS;
  const seen = new LastSeen();
  const live = liveOf(seen, () => nowMs);
  seen.take("T01", "Power Factor", 0.5, true);
  live.sample();
  nowMs += 600_000;
  t.match(textOf(sampleSnapshot(), live), /T01 0\.500 10 min ago &ndash; &ndash;/);
});

t.test("A turbine's name, a payload, a topic and a log line from outside stay text", async (t) => {
  const evil = `<img src=x onerror=alert(1)>"'&`;
  const seen = new LastSeen();
  const problems = new LastProblems();
  const live = liveOf(seen, () => NOON_MS, problems);
  seen.take(evil, "Power Factor", 1, true);
  seen.refuse({ reason: "not_json", detail: evil }, evil, Buffer.from(evil));
  problems.add(NOON_MS, "warn", { code: evil, hint: evil }, evil);
  const markup = markupOf(sampleSnapshot(), live);
  t.notMatch(markup, /<img/);
  t.notMatch(markup, /"[^"<>]*"'&/, "and none leaves its attribute");
  t.ok(markup.split("&lt;img").length > 7);
});

t.test("A refused message is shown with its reason, place and beginning", async (t) => {
  t.match(
    textOf(sampleSnapshot()),
    "not JSON 0 s ago, 12 B on windfarm/T01/power-factor the payload is not JSON",
  );
  t.match(markupOf(sampleSnapshot()), "<code>{&quot;id&quot;:&quot;PP_7&quot;</code>");
});

t.test("A problem leads to its article in the runbook", async (t) => {
  const problems = new LastProblems();
  problems.add(NOON_MS - 60_000, "error", { code: "ship.dns", hint: "Check DNS." }, "no name");
  const markup = markupOf(
    sampleSnapshot(),
    liveOf(new LastSeen(), () => NOON_MS, problems),
  );
  t.match(markup, '<a href="/runbook#ship.dns"><code>ship.dns</code></a>');
  t.match(markup, /Check DNS\..*\n.*Error 60\u00a0s ago/);
});

t.test(
  "Room, link, wear, clock and certificates are told in words, and what needs somebody is marked",
  async (t) => {
    const snapshot = sampleSnapshot();
    snapshot.buffer.lastsSeconds = 9 * 86_400;
    snapshot.usage = {
      link: { totalBytes: 4_000_000, todayBytes: 3_000_000, monthBytes: 90_000_000 },
      disk: { totalBytes: 9_000_000, todayBytes: 8_000_000 },
    };
    snapshot.ship.newestShippedMs = NOON_MS - 2000;
    snapshot.ship.backlogReadings = 1200;
    snapshot.ship.identity = { described: "thing gw-01 as role alias farm", secondsLeft: 3000 };
    snapshot.collect.refusedLogins = { "10.0.0.7": 12 };
    snapshot.health.throttled = ["too hot"];
    snapshot.health.clockSynchronised = false;
    snapshot.health.certificates = [{ use: "AWS IoT", endsMs: NOON_MS + 20 * 86_400_000 }];
    const text = textOf(snapshot);
    for (const words of [
      "Buffer lasts 9 days without a link",
      "Over the link today 2.9 MiB, 85.8 MiB a month at this rate",
      "Written today 7.6 MiB ",
      "Dashboards are current up to 2 s ago",
      "Behind the live readings 1 200 readings",
      "Known to AWS as thing gw-01 as role alias farm",
      "Credentials hold for 50 min, then renewed",
      "Logins refused, by address 12 10.0.0.7",
      "Processor too hot",
      "Clock not synchronised",
      "Certificate for AWS IoT ends in 20 days",
    ])
      t.match(text, words);
    const marked = [...markupOf(snapshot).matchAll(/<span class="outside">([^<]+)</g)].map(
      ([, words]) => words,
    );
    t.match(marked.join(), /too hot,not synchronised,ends in/);
  },
);
