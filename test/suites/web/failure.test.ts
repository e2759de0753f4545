/** The page of an agent whose configuration is wrong. */

import { join } from "node:path";
import { pino } from "pino";
import t from "tap";
import { failureRoutes } from "../../../agent/observe/failure-page.ts";
import { FailureServer } from "../../../agent/observe/failure-server.ts";
import { loadAssets } from "../../../agent/observe/page/assets.ts";
import { DESKTOP, PHONE, pictures, skip, startBrowser, textOf } from "./browser.ts";
import { LOWEST_CONTRAST } from "./contrast.ts";

t.test(
  "configuration-wrong: the page says what is wrong and where, on a phone and a desk, by day and night",
  { skip },
  async (t) => {
    const failure = {
      version: "0.2.0",
      sentence: "The configuration is wrong: 2 problems in /etc/windfarm/agent.config.yaml.",
      file: "/etc/windfarm/agent.config.yaml",
      problems: [
        {
          file: "/etc/windfarm/agent.config.yaml",
          line: 12,
          column: 3,
          message: "buffer.max_sise is not a setting",
          hint: "did you mean max_size?",
        },
        {
          file: "/etc/windfarm/agent.config.yaml",
          line: 30,
          column: 9,
          message: "kinesis.region is missing",
        },
      ],
    };
    const routes = failureRoutes(() => failure, loadAssets().style);
    const server = new FailureServer({ routes, log: pino({ level: "silent" }) });
    await server.listen({ host: "127.0.0.1", port: 0 });
    t.teardown(() => server.stop());
    const url = `http://127.0.0.1:${server.port}/`;
    const visit = await startBrowser(t);
    for (const colorScheme of ["light", "dark"] as const) {
      for (const [screen, shape] of Object.entries({ phone: PHONE, desktop: DESKTOP })) {
        const foreign: string[] = [];
        const { page, complaints } = await visit(url, { colorScheme, ...shape }, (request) => {
          if (!request.url().startsWith(url) && !request.url().startsWith("data:"))
            foreign.push(request.url());
        });
        t.equal(await textOf(page, "h1"), "Failed: the configuration is wrong; nothing is collected.");
        t.match(await textOf(page, "main"), /did you mean max_size\?.*line 12, column 3/);
        t.equal(await page.evaluate(`${LOWEST_CONTRAST}.contrast >= 4.5 || ${LOWEST_CONTRAST}.text`), true);
        t.equal(await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), true);
        t.same(foreign, []);
        // That its answer is 503 is meant.
        t.same(
          complaints.filter((text) => !text.includes("503")),
          [],
        );
        if (pictures !== undefined)
          await page.screenshot({
            path: join(pictures, `configuration-wrong-${screen}-${colorScheme}.png`),
            fullPage: true,
          });
        await page.context().close();
      }
    }
  },
);
