/** What `npm start` shows: the programs' lines behind their names, and below them one line that is kept up to date. */

import { prettyFactory } from "pino-pretty";

/** Select Graphic Rendition codes (ECMA-48). */
const SGR = { bold: 1, red: 31, green: 32, magenta: 35, cyan: 36 } as const;
type Colour = keyof typeof SGR;

const COLOURS: Readonly<Record<string, Colour>> = { cloud: "magenta", agent: "green", sensors: "cyan" };
const NAME_WIDTH = 8;

export interface Terminal {
  write(text: string): void;
  isTTY: boolean;
  columns: number;
}

export class Screen {
  readonly #out: Terminal;
  readonly #coloured: boolean;
  readonly #pretty: (line: string) => string;
  #live = "";

  /** @param coloured only where the reader is a person who has not asked for plain text */
  constructor(out: Terminal, coloured: boolean) {
    this.#out = out;
    this.#coloured = coloured;
    const format = prettyFactory({
      colorize: coloured,
      translateTime: "SYS:HH:MM:ss",
      ignore: "pid,hostname,priority,part",
      singleLine: true,
    });
    this.#pretty = (line) => format(line).trimEnd();
  }

  /** Characters of the live line. */
  get width(): number {
    return this.#out.isTTY ? Math.max(1, this.#out.columns - 1) : Number.POSITIVE_INFINITY;
  }

  /** A line that a program said: a log's JSON is made readable, anything else shown as it is. */
  said(name: string, line: string): void {
    const text = line.startsWith("{") ? this.#pretty(line) : line;
    const prefix = this.paint(COLOURS[name] ?? "bold", name.padEnd(NAME_WIDTH));
    for (const part of text.split("\n")) this.line(`${prefix}│ ${part}`);
  }

  /** A line of our own. */
  line(text: string): void {
    this.#out.write(`${this.#clear()}${text}\n${this.#live}`);
  }

  /** Shown at the bottom of a terminal, where it replaces the one before; elsewhere a line like any other. */
  live(text: string): void {
    if (!this.#out.isTTY) {
      this.line(text);
      return;
    }
    const clear = this.#clear();
    this.#live = this.paint("bold", text.slice(0, this.width));
    this.#out.write(clear + this.#live);
  }

  /** Leaves the last live line where it stands. */
  endLive(): void {
    if (this.#live !== "") this.#out.write("\n");
    this.#live = "";
  }

  paint(colour: Colour, text: string): string {
    return this.#coloured ? `\x1b[${SGR[colour]}m${text}\x1b[0m` : text;
  }

  #clear(): string {
    return this.#live === "" ? "" : "\r\x1b[2K";
  }
}

/** The terminal of this process, and whether to use colours on it (https://no-color.org). */
export function ownScreen(): Screen {
  const { stdout } = process;
  const terminal: Terminal = {
    write: (text) => stdout.write(text),
    isTTY: stdout.isTTY ?? false,
    get columns() {
      return stdout.columns || 80;
    },
  };
  return new Screen(terminal, terminal.isTTY && !process.env.NO_COLOR);
}
