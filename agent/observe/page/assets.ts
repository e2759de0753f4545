/** The page's script and style, and the runbook as HTML, as deploy/build.mjs makes them; in the bundle this module is replaced by their text. */

import { readFileSync } from "node:fs";

export interface PageAssets {
  script: string;
  style: string;
  /** Markup of our own: deploy/RUNBOOK.md. */
  runbook: string;
}

export function loadAssets(): PageAssets {
  const built = new URL("../../../dist/page/", import.meta.url);
  return {
    script: readFileSync(new URL("page.js", built), "utf8"),
    style: readFileSync(new URL("page.css", built), "utf8"),
    runbook: readFileSync(new URL("runbook.html", built), "utf8"),
  };
}
