/** A new password: typed twice without being shown, or the first line of what is piped in. */

import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { EXIT, Fault } from "../errors.ts";

/** The longest that MQTT can carry, bytes. */
const MAX_BYTES = 65_535;

/** Throws Fault `cli.password` where there is none, or the two differ. */
export async function askPassword(name: string): Promise<string> {
  const terminal = process.stdin.isTTY === true;
  const password = terminal ? await askTwice(name) : await firstLine();
  if (password === "") {
    const hint = terminal
      ? "type one"
      : "pipe it in: printf '%s' \"$PASSWORD\" | windfarm user add …; or add --certificate";
    throw new Fault("cli.password", "there is no password", { hint, exitCode: EXIT.usage });
  }
  if (Buffer.byteLength(password) <= MAX_BYTES) return password;
  throw new Fault("cli.password", "the password is too long for MQTT", {
    hint: `take at most ${MAX_BYTES} bytes`,
    exitCode: EXIT.usage,
  });
}

/** Questions go to stderr: standard output is the result's. One reader for both, so that nothing typed ahead is shown. */
async function askTwice(name: string): Promise<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const input = createInterface({ input: process.stdin, output: nowhere, terminal: true });
  const lines = input[Symbol.asyncIterator]();
  const ask = async (question: string): Promise<string> => {
    process.stderr.write(question);
    const { done, value } = await lines.next();
    process.stderr.write("\n");
    if (done !== true) return value;
    // Ctrl-C or Ctrl-D.
    throw new Fault("cli.password", "nothing was changed");
  };
  try {
    const first = await ask(`Password for ${name}: `);
    if (first === "" || (await ask("Again: ")) === first) return first;
  } finally {
    input.close();
  }
  throw new Fault("cli.password", "the two passwords differ", { hint: "try again", exitCode: EXIT.usage });
}

async function firstLine(): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of process.stdin) {
    const piece: Buffer = Buffer.from(chunk);
    chunks.push(piece);
    bytes += piece.length;
    if (piece.includes(0x0a) || bytes > MAX_BYTES + 2) break;
  }
  const [line = ""] = Buffer.concat(chunks).toString("utf8").split(/\r?\n/);
  return line;
}
