/** The report of a day in a real browser, opened from disk as whoever was mailed it does. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import t from "tap";
import { parseDay } from "../../../cloud/local/report/day.ts";
import { pageOf } from "../../../cloud/local/report/page.ts";
import { readDay } from "../../../cloud/local/report/read-day.ts";
import { DAY, farm, MINUTE, START } from "../../cloud/local/helpers/farm-day.ts";
import { skip, startBrowser } from "./browser.ts";
import { LOWEST_CONTRAST } from "./contrast.ts";

/** Set to a folder to keep the pictures. */
const pictures = process.env.WINDFARM_PICTURES;

async function write(data: string): Promise<string> {
  const { lake } = await farm(data);
  const path = join(data, "report.html");
  writeFileSync(path, pageOf(await readDay(lake, parseDay(DAY), START + 2 * 1440 * MINUTE)));
  return pathToFileURL(path).href;
}

/** Of each chart: marks that take up room, whether they lie within it, whether it lies within the page. */
const CHARTS = `[...document.querySelectorAll("figure svg")].map((svg) => {
  const frame = svg.getBoundingClientRect();
  const boxes = [...svg.querySelectorAll(".line, .band, .out")].map((mark) => mark.getBoundingClientRect());
  const drawn = boxes.filter(({ width, height }) => width + height > 0);
  const within = (box, around) => box.left >= around.left - 1 && box.right <= around.right + 1
    && box.top >= around.top - 1 && box.bottom <= around.bottom + 1;
  const page = { left: 0, right: innerWidth, top: -Infinity, bottom: Infinity };
  return {
    marks: drawn.length,
    spread: Math.max(...drawn.map(({ width }) => width)) > frame.width / 3,
    inside: drawn.every((box) => within(box, frame)),
    fits: frame.width > 250 && within(frame, page),
    named: (svg.getAttribute("aria-label") ?? "").length > 10,
  };
})`;

/** Parts of captions, and cells without a picture, that are broken into lines. */
const BROKEN = `[...document.querySelectorAll("figcaption *, td:not(:has(svg))")].filter((element) => {
  const range = document.createRange();
  range.selectNodeContents(element);
  const tops = [...range.getClientRects()].map(({ bottom }) => bottom);
  return Math.max(...tops) - Math.min(...tops) > 8;
}).map((element) => element.textContent).join()`;

/** Texts that run over the page's edge and can't be scrolled to. */
const OVER_THE_EDGE = `[...document.querySelectorAll("body *")].filter((element) => {
  const { left, right } = element.getBoundingClientRect();
  return element.checkVisibility() && (left < 0 || right > innerWidth + 1) && !element.closest(".wide, svg");
}).map((element) => element.outerHTML.slice(0, 80)).join()`;

t.test("the report of a day", { skip }, async (t) => {
  const url = await write(t.testdir());
  const visit = await startBrowser(t);
  for (const width of [390, 1200]) {
    for (const colorScheme of ["light", "dark"] as const) {
      await t.test(`draws its charts ${width} pixels wide, in the ${colorScheme}`, async (t) => {
        const asked: string[] = [];
        const seen = (request: { url(): string }) => asked.push(request.url());
        const { page, complaints } = await visit(
          url,
          { viewport: { width, height: 900 }, isMobile: width < 500, colorScheme },
          seen,
        );
        const charts = (await page.evaluate(CHARTS)) as { marks: number }[];
        t.equal(charts.length, 6, "one per turbine and sensor");
        for (const chart of charts) {
          t.ok(chart.marks >= 2, `${chart.marks} marks: a line and its band at least`);
          t.match(chart, { spread: true, inside: true, fits: true, named: true });
        }
        t.equal(await page.evaluate(BROKEN), "", "captions and times stand in one line");
        t.equal(await page.locator("circle.out").count(), 3, "what is out of range is marked");
        t.equal(await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), true);
        t.equal(await page.evaluate(OVER_THE_EDGE), "");
        t.equal(await page.evaluate(`${LOWEST_CONTRAST}.contrast >= 4.5 || ${LOWEST_CONTRAST}.text`), true);
        t.same(complaints, [], "the browser has nothing to complain of");
        t.same(asked, [url], "nothing is asked of anybody");
        if (pictures !== undefined)
          await page.screenshot({
            path: join(pictures, `report-${width}-${colorScheme}.png`),
            fullPage: true,
          });
      });
    }
  }
});
