/** What the page looks like: on a phone, in the dark, to those who see or hear it differently. */

import { join } from "node:path";
import t from "tap";
import { axeFindings } from "./axe.ts";
import { DESKTOP, PHONE, pictures, skip, startBrowser, until } from "./browser.ts";
import { LOWEST_CONTRAST } from "./contrast.ts";
import { startLiveAgent } from "./live-agent.ts";
import { fill, outage, STATES } from "./states.ts";

for (const [state, bend] of Object.entries(STATES)) {
  t.test(`${state}: on a phone and a desk, by day and night, every text can be read`, { skip }, async (t) => {
    const agent = await startLiveAgent(t);
    agent.bend(bend);
    if (state !== "nothing-received") fill(agent);
    const visit = await startBrowser(t);
    for (const colorScheme of ["light", "dark"] as const) {
      for (const [screen, shape] of Object.entries({ phone: PHONE, desktop: DESKTOP })) {
        const foreign: string[] = [];
        const { page, complaints } = await visit(agent.url, { colorScheme, ...shape }, (request) => {
          if (!request.url().startsWith(agent.url)) foreign.push(request.url());
        });
        await page.locator("#rate-chart canvas").waitFor();
        t.equal(await page.evaluate(`${LOWEST_CONTRAST}.contrast >= 4.5 || ${LOWEST_CONTRAST}.text`), true);
        t.equal(await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), true);
        if (state === "delivering" || state === "link-down") t.same(await axeFindings(page), []);
        t.same(foreign, [], "nothing is asked of another host");
        t.same(complaints, []);
        if (pictures !== undefined)
          await page.screenshot({
            path: join(pictures, `${state}-${screen}-${colorScheme}.png`),
            fullPage: true,
          });
        await page.context().close();
      }
    }
  });
}

t.test("The runbook opens at the error's article, and axe finds nothing in it", { skip }, async (t) => {
  const agent = await startLiveAgent(t);
  agent.bend(outage);
  const visit = await startBrowser(t);
  const { page, complaints } = await visit(agent.url, PHONE);
  await page.locator(".trouble a").click();
  await page.locator("#the-link-is-down").waitFor();
  t.match(page.url(), /\/runbook#ship\.refused$/);
  t.equal(
    await page.evaluate("document.getElementById('the-link-is-down').getBoundingClientRect().top < 200"),
    true,
  );
  t.equal(await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), true);
  t.same(await axeFindings(page), []);
  t.same(complaints, []);
  if (pictures !== undefined) await page.screenshot({ path: join(pictures, "runbook.png") });
});

for (const width of [320, 375, 768, 1920]) {
  t.test(`At a width of ${width} pixels nothing runs over the edge`, { skip }, async (t) => {
    const agent = await startLiveAgent(t);
    fill(agent);
    agent.bend((snapshot) => {
      outage(snapshot);
      snapshot.gateway = "a-gateway-whose-name-is-as-long-as-nobody-would-ever-make-it";
      snapshot.ship.stream =
        "a-stream-with-a-name-that-fills-the-hundred-and-twenty-eight-letters-that-are-allowed";
      const [received, shipped] = [snapshot.received + 1e12, snapshot.shipped + 1e12];
      Object.assign(snapshot, { received, shipped });
    });
    const visit = await startBrowser(t);
    const { page } = await visit(agent.url, { viewport: { width, height: 800 }, isMobile: width < 500 });
    await page.locator("#rate-chart canvas").waitFor();
    t.equal(await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), true);
    t.equal(
      await page.evaluate(`[...document.querySelectorAll("main *")].filter((element) => {
        const { left, right } = element.getBoundingClientRect();
        return element.checkVisibility() && (left < 0 || right > innerWidth + 1) && !element.closest(".u-wrap, svg");
      }).map((element) => element.outerHTML.slice(0, 80)).join()`),
      "",
    );
    const shown = await page.evaluate("document.querySelector('h1').getBoundingClientRect().top < 300");
    t.equal(shown, true, "the sentence comes first");
    if (pictures !== undefined)
      await page.screenshot({ path: join(pictures, `width-${width}.png`), fullPage: true });
  });
}

t.test(
  "The page is made of landmarks, one heading of the first order, and named pictures",
  { skip },
  async (t) => {
    const agent = await startLiveAgent(t);
    const visit = await startBrowser(t);
    const { page } = await visit(agent.url);
    await page.locator("#rate-chart canvas").waitFor();
    for (const role of ["banner", "main", "contentinfo", "navigation"] as const) {
      t.equal(await page.getByRole(role).count(), 1, role);
    }
    t.equal(await page.getByRole("heading", { level: 1 }).count(), 1);
    t.equal(await page.locator("section:not([aria-label])").count(), 0, "every section has a name");
    t.equal(await page.locator('[role="img"]:not([aria-label])').count(), 0, "every picture has words");
    t.equal(await page.getAttribute("html", "lang"), "en");
  },
);

t.test("Who asked for less motion gets none", { skip }, async (t) => {
  const agent = await startLiveAgent(t);
  const visit = await startBrowser(t);
  const running = 'document.getAnimations().filter((animation) => animation.animationName === "flow").length';
  const moving = await visit(agent.url);
  await until(moving.page, `${running} > 0`);
  const still = await visit(agent.url, { reducedMotion: "reduce" });
  await still.page.locator('.arrow[data-moving="true"]').first().waitFor();
  t.equal(await still.page.evaluate(running), 0);
});
