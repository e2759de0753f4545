/** The status page in a real browser. */

import t from "tap";
import { skip, startBrowser, textOf, until } from "./browser.ts";
import { startLiveAgent } from "./live-agent.ts";
import { outage } from "./states.ts";

t.test(
  "The page keeps itself up to date and the browser has nothing to complain about",
  { skip },
  async (t) => {
    const agent = await startLiveAgent(t);
    const visit = await startBrowser(t);
    const { page, complaints } = await visit(agent.url);
    t.equal(await textOf(page, "h1"), "Delivering, 0 s behind.");
    await page.evaluate("document.getElementById('received').kept = document.title = 'mine'");
    const first = numberOf(await textOf(page, "#received"));
    await until(
      page,
      `Number(document.getElementById('received').textContent.replace(/\\s/g, '')) > ${first + 40}`,
    );
    t.equal(
      await page.evaluate("document.getElementById('received').kept"),
      "mine",
      "changed in place, not replaced",
    );
    const parts = await Promise.all(
      ["#received", "#shipped", "#buffered", "#rejected", "#dropped"].map((id) => textOf(page, id)),
    );
    const [received, ...terms] = parts.map(numberOf);
    t.equal(
      received,
      terms.reduce((sum, term) => sum + term, 0),
      "the account adds up on the page",
    );
    t.match(await textOf(page, ".arrow"), /^\d[\d.]*\/s received$/);
    t.match(await page.title(), /^gw-01: Delivering/);
    t.same(complaints, []);
  },
);

t.test("The charts are drawn, described in words, and read out under the pointer", { skip }, async (t) => {
  const agent = await startLiveAgent(t);
  const visit = await startBrowser(t);
  const { page, complaints } = await visit(agent.url);
  await page.locator("#rate-chart canvas").waitFor();
  await page.locator("#depth-chart canvas").waitFor();
  const label = await page.locator("#rate-chart").getAttribute("aria-label");
  t.match(label, /^Over the last hour: received now [\d.]+\/s, at most [\d.]+\/s; shipped now/);
  t.match(await textOf(page, ".key"), /^received [\d.]+\/s\s?shipped [\d.]+\/s$/);
  await page.locator("#rate-chart .u-over").hover();
  t.match(await textOf(page, ".key"), /^\d\d:\d\d:\d\d\s?received/);
  t.same(complaints, []);
});

t.test("A change of state is seen, said to screen readers, and shown in the tab", { skip }, async (t) => {
  const agent = await startLiveAgent(t);
  const visit = await startBrowser(t);
  const { page } = await visit(agent.url);
  await until(page, "document.getElementById('news').textContent !== ''");
  agent.bend(outage);
  await page.locator('.headline[data-state="buffering"]').waitFor();
  t.match(
    await page.locator("#news[aria-live=polite]").textContent(),
    /^Buffering: Kinesis has taken nothing/,
  );
  t.match(await textOf(page, ".trouble"), /start the local cloud\. ship\.refused/);
  t.equal(await page.title(), "Buffering (43 120): gw-01");
  agent.bend(() => {});
  await page.locator('.headline[data-state="delivering"]').waitFor();
  t.equal(await page.locator(".trouble").count(), 0);
});

t.test("An agent that is gone is said to be gone, and welcomed when it is back", { skip }, async (t) => {
  const agent = await startLiveAgent(t);
  const visit = await startBrowser(t);
  const { page } = await visit(agent.url);
  await page.locator("#rate-chart canvas").waitFor();
  await agent.stop();
  await page.locator("body[data-gone]").waitFor();
  t.match(await textOf(page, "#gone[role=alert]"), /^The agent has not answered since \d\d:\d\d:\d\d/);
  t.equal(await page.locator("h1").isVisible(), false, "a sentence that may be wrong by now is not shown");
  t.match(await page.title(), /No answer/);
  await startLiveAgent(t, agent.port);
  await page.locator("body:not([data-gone])").waitFor();
  t.equal(await page.locator("#gone").isVisible(), false);
  t.equal(await page.locator("h1").isVisible(), true);
});

t.test("Without scripts the page tells the same and asks for itself again", { skip }, async (t) => {
  const agent = await startLiveAgent(t);
  const visit = await startBrowser(t);
  const { page } = await visit(agent.url, { javaScriptEnabled: false });
  t.equal(await textOf(page, "h1"), "Delivering, 0 s behind.");
  const first = numberOf(await textOf(page, "#received"));
  t.ok(first >= 48_213);
  t.equal(await page.locator(".charts").isVisible(), false, "no empty frames");
  await page.waitForEvent("framenavigated");
  await page.locator("#received").waitFor();
  t.ok(numberOf(await textOf(page, "#received")) > first);
});

t.test("Names and errors from outside stay text", { skip }, async (t) => {
  const agent = await startLiveAgent(t);
  const evil = `<img src=x onerror="alert(1)"><script>alert(2)</script>"'`;
  agent.bend((snapshot) => {
    Object.assign(snapshot, { gateway: evil, site: evil, sentence: evil });
    snapshot.ship.lastError = { code: evil, message: evil, hint: evil, atMs: snapshot.nowMs };
    snapshot.validate = { accepted: { [evil]: 1 }, outOfRange: { [evil]: 1 }, rejected: { [evil]: 1 } };
  });
  const visit = await startBrowser(t);
  const { page, complaints } = await visit(agent.url);
  await until(page, "document.getElementById('news').textContent !== ''");
  t.equal(await textOf(page, "h1"), evil);
  t.equal(await page.locator("img, body script").count(), 0);
  t.same(complaints, []);
});

function numberOf(text: string): number {
  return Number(text.replace(/\s/g, ""));
}
