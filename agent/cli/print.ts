/** What a command says on standard output: nothing in it steers the terminal, wherever it came from. */

import { printableJson, printableLines } from "../common/printable.ts";

export function print(text: string): void {
  process.stdout.write(`${printableLines(text)}\n`);
}

export function printJson(value: unknown, indent?: number): void {
  process.stdout.write(`${printableJson(JSON.stringify(value, null, indent))}\n`);
}
