/** The texts the stack hands to the job are in the layout's words: as they stand in the shipped one. */

import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import t from "tap";
import { LAYOUT, type Layout } from "../../../cloud/layout.ts";
import { sourcesIn } from "../../../cloud/sources.ts";
import { conversionText, sqlFolder } from "../../../cloud/sql/read.ts";
import { build } from "../cdk/build.ts";
import { OTHER_LAYOUT } from "../other-layout.ts";

/** The folders of texts among the assets of the synthesised app, by the text of a name. */
function textsOf(layout: Layout): string[] {
  const { directory } = build("dev", sourcesIn(resolve(".")), layout).app.synth();
  const assets = readdirSync(directory).filter((name) => name.startsWith("asset."));
  return assets.flatMap((asset) => {
    try {
      return [readFileSync(join(directory, asset, "curate.sql"), "utf8")];
    } catch {
      return [];
    }
  });
}

t.test("the job's texts move with the layout", async (t) => {
  t.same(textsOf(OTHER_LAYOUT), [conversionText("curate", OTHER_LAYOUT)]);
  t.same(textsOf(LAYOUT), [readFileSync(join(sqlFolder(), "curate.sql"), "utf8")]);
});
