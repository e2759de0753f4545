/**
 * Text from outside as it may stand on a terminal. A topic or a payload may hold escape sequences that move the cursor,
 * name the window or paste a command, and marks that turn the order of reading: they become visible instead.
 */

/** Control characters, marks of format and direction, line separators, halves of characters. */
const STEERING = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;
/** The same without what JSON.stringify escapes by itself. */
const STEERING_JSON = /[\x7f-\x9f\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;
const NAMED: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** One line: `\x1b[31m` for a red beginning. */
export function printable(text: string): string {
  return text.replace(STEERING, visible);
}

/** Lines of our own making with such text in them: they stay lines. */
export function printableLines(text: string): string {
  return text.replace(STEERING, (character) => (character === "\n" ? character : visible(character)));
}

/** JSON that says the same and holds nothing a terminal would obey. */
export function printableJson(json: string): string {
  return json.replace(STEERING_JSON, asUnits);
}

function visible(character: string): string {
  const code = character.charCodeAt(0);
  return NAMED[character] ?? (code < 0x100 ? `\\x${hex(code, 2)}` : asUnits(character));
}

function asUnits(character: string): string {
  return Array.from({ length: character.length }, (_, i) => `\\u${hex(character.charCodeAt(i), 4)}`).join("");
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, "0");
}
