/** A real browser, where this machine has one. */

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
  type Request,
} from "playwright-core";
import type { Test } from "tap";

const PLACES = [
  process.env.CHROMIUM ?? "",
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
];
const executablePath = PLACES.find((place) => place !== "" && existsSync(place));

/** Why the tests are skipped, or false where there is a browser. */
export const skip =
  executablePath === undefined ? "no Chromium found; install it or name it in $CHROMIUM" : false;

/** Set to a folder to keep the pictures. */
export const pictures = process.env.WINDFARM_PICTURES;

export const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true };
export const DESKTOP = { viewport: { width: 1200, height: 900 } };

/** Nothing is asked of any machine but the one under test. */
const QUIET = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export interface Visit {
  page: Page;
  /** What the browser complained about: errors, refusals of the security policy, failed requests. */
  complaints: string[];
}

/** Opens pages in one browser that ends with the test. */
export async function startBrowser(t: Test) {
  const profile = mkdtempSync(join(tmpdir(), "windfarm-web-"));
  const options = executablePath === undefined ? {} : { executablePath };
  const browser = await chromium.launch({ ...options, args: QUIET, env: { ...process.env, HOME: profile } });
  t.teardown(async () => {
    await browser.close();
    rmSync(profile, { recursive: true, force: true });
  });
  /** @param asks told of every request of the page, its own among them */
  return async (
    url: string,
    context: BrowserContextOptions = {},
    asks: (request: Request) => void = () => {},
  ): Promise<Visit> => {
    const opened: BrowserContext = await browser.newContext({
      viewport: { width: 1200, height: 900 },
      ...context,
    });
    const page = await opened.newPage();
    const complaints: string[] = [];
    page.on("request", asks);
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
    });
    page.on("dialog", (dialog) => {
      complaints.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    await page.goto(url);
    return { page, complaints };
  };
}

/** Waits until the expression is true on the page. (`page.waitForFunction` needs the `eval` that the page forbids.) */
export async function until(page: Page, expression: string): Promise<void> {
  while ((await page.evaluate(expression)) !== true)
    await page.evaluate("new Promise(requestAnimationFrame)");
}

/** The text of the first element found, blanks made one. */
export async function textOf(page: Page, selector: string): Promise<string> {
  const text = await page.locator(selector).first().textContent();
  return (text ?? "").replace(/\s+/g, " ").trim();
}
