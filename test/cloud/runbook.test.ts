/** The runbook knows every error a running gateway can show, and its own links lead somewhere. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { STAGES } from "../../cloud/names.ts";
import { settingsOf } from "../../cloud/settings.ts";
import { anchorsOf } from "./anchors.ts";

const runbook = readFileSync("deploy/RUNBOOK.md", "utf8");

/** Where a code of an error is given its meaning: a Fault, a log line, an entry of the shipping's catalogue. */
const CODE = /(?:Fault\(\s*|code: |^ {2})"((?:ship|buffer|mqtt|collect|status)\.[a-z_]+)"(?::|,|\s)/gm;

function codesIn(folder: string): string[] {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) =>
    file.endsWith(".ts"),
  );
  const texts = files.map((file) => readFileSync(join(folder, file), "utf8"));
  return texts.flatMap((text) => [...text.matchAll(CODE)].map(([, code]) => code ?? ""));
}

const codes = [...new Set(codesIn("agent"))].sort();
/** The table that leads from a code to its article. */
const rows = [...runbook.matchAll(/^\| ((?:`[a-z_.]+` *)+)\| \[.+\]\(#.+\) *\|$/gm)];
const listed = rows.flatMap(([, names]) => (names ?? "").match(/[a-z]+\.[a-z_]+/g) ?? []);

t.test("every error of a running gateway has its article", async (t) => {
  t.ok(codes.length > 30, `${codes.length} codes found in the agent`);
  t.same(
    codes.filter((code) => !listed.includes(code)),
    [],
  );
});

t.test("no article is for an error there isn't", async (t) => {
  t.same(
    listed.filter((code) => !codes.includes(code)),
    [],
  );
});

t.test("runbook and page of the cloud lead to each other's headings", async (t) => {
  const cloud = readFileSync("docs/cloud.md", "utf8");
  const leads = (from: string, link: RegExp, to: string, atLeast: number) => {
    const anchors = [...from.matchAll(link)].map(([, anchor]) => anchor ?? "");
    t.ok(anchors.length >= atLeast, `${anchors.length} links seen`);
    t.same(
      anchors.filter((anchor) => !anchorsOf(to).includes(anchor)),
      [],
    );
  };
  leads(cloud, /\]\(#([^)]+)\)/g, cloud, 2);
  leads(cloud, /\]\(\.\.\/deploy\/RUNBOOK\.md#([^)]+)\)/g, runbook, 1);
  leads(runbook, /\]\(\.\.\/docs\/cloud\.md#([^)]+)\)/g, cloud, 2);
});

t.test("the page of the cloud has the readings a second that the stages are made for", async (t) => {
  const [dev, prod] = STAGES.map((stage) => settingsOf(stage).curation.keepsUpWith);
  t.match(
    readFileSync("docs/cloud.md", "utf8"),
    `\`curation.keepsUpWith\` readings a second of all gateways together, ${dev} in \`dev\` and ${prod} in \`prod\``,
  );
});

t.test("every link within the runbook leads to a heading", async (t) => {
  const anchors = anchorsOf(runbook);
  const links = [...runbook.matchAll(/\]\(#([^)]+)\)/g)].map(([, anchor]) => anchor ?? "");
  t.ok(links.length > 20, `${links.length} links seen`);
  t.same(
    links.filter((anchor) => !anchors.includes(anchor)),
    [],
  );
});
