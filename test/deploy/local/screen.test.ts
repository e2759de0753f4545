import t from "tap";
import { Screen } from "../../../deploy/local/screen.ts";

function screen(isTTY: boolean, coloured = false): { screen: Screen; text: () => string } {
  let written = "";
  const terminal = {
    write: (text: string) => {
      written += text;
    },
    isTTY,
    columns: 40,
  };
  return { screen: new Screen(terminal, coloured), text: () => written };
}

const ESC = "\x1b[";

t.test("Each line stands behind the name of who said it", async (t) => {
  const { screen: shown, text } = screen(false);
  shown.said("cloud", "ready");
  shown.said("agent", '{"level":"info","time":"2026-11-22T12:00:00.000Z","msg":"windfarm collects"}');
  const [cloud, agent] = text().split("\n");
  t.equal(cloud, "cloud   │ ready");
  t.match(agent, /^agent {3}│ \[.*\] INFO: windfarm collects$/);
  t.notOk(text().includes(ESC), "no colours where nobody asked for them");
});

t.test("On a terminal one live line stays at the bottom", async (t) => {
  const { screen: shown, text } = screen(true);
  shown.live("received 1");
  shown.said("agent", "hello");
  shown.live("received 2");
  shown.endLive();
  shown.line("done");
  const clear = `\r${ESC}2K`;
  t.equal(text(), `received 1${clear}agent   │ hello\nreceived 1${clear}received 2\ndone\n`);
});

t.test("A live line never wraps, and elsewhere it is a line like any other", async (t) => {
  const narrow = screen(true);
  narrow.screen.live("x".repeat(100));
  t.equal(narrow.text(), "x".repeat(39));
  const file = screen(false);
  file.screen.live("received 1");
  file.screen.live("received 2");
  t.equal(file.text(), "received 1\nreceived 2\n");
});

t.test("Colours are for people", async (t) => {
  const { screen: shown, text } = screen(true, true);
  shown.said("sensors", "connected");
  t.ok(text().startsWith(ESC));
});
