/**
 * The log: one JSON object a line on stdout, or readable lines on a terminal.
 *
 * Under systemd every line is preceded by its syslog priority, `<4>{…}`, which journald takes off again and files
 * (sd-daemon(3)), so that `journalctl -p warning` works. The same number stands in the object as `priority`.
 *
 * ERROR: data was lost or a human is needed. WARN: unexpected, nothing lost. INFO: a state changed. DEBUG: detail,
 * never once per reading.
 */

import { fstatSync } from "node:fs";
import {
  type DestinationStream,
  destination,
  type Logger,
  type LoggerOptions,
  pino,
  stdSerializers,
} from "pino";
import { prettyFactory } from "pino-pretty";
import { printable, printableLines } from "../common/printable.ts";
import { Fault, messageOf } from "../errors.ts";
import type { LastProblems } from "./last-problems.ts";

export const LOG_LEVELS = ["error", "warn", "info", "debug", "trace"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface LogSettings {
  level: LogLevel;
  /** Readable lines instead of JSON. Default: when stdout is a terminal. */
  pretty?: boolean;
  /** Precede each line with its priority. Default: when stdout leads to the journal. */
  journal?: boolean;
  /** Where lines go. Default: stdout. */
  output?: DestinationStream;
  /** Told of each warning and error. */
  problems?: LastProblems;
  /** Filled with the logger and its children, whose levels are their own, for whoever changes the level later. */
  loggers?: Logger[];
}

/** Syslog priorities (RFC 5424) of pino's levels. */
const PRIORITIES: Readonly<Record<string, number>> = {
  fatal: 2,
  error: 3,
  warn: 4,
  info: 6,
  debug: 7,
  trace: 7,
};
const SECRET_KEYS = [
  "password",
  "passphrase",
  "secret",
  "token",
  "secretAccessKey",
  "sessionToken",
  "accessKeyId",
  "privateKey",
  "authorization",
];
const REDACTED = SECRET_KEYS.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]);

export function createLogger(settings: LogSettings): Logger {
  const log = buildLogger(settings);
  settings.loggers?.push(log);
  return log;
}

function buildLogger(settings: LogSettings): Logger {
  const output = settings.output ?? stdout();
  if (settings.pretty ?? (settings.output === undefined && process.stdout.isTTY)) {
    return pino(optionsOf(settings), readable(output));
  }
  const journal =
    settings.journal ?? (settings.output === undefined && isJournal(process.env.JOURNAL_STREAM));
  return pino(optionsOf(settings), journal ? prioritised(output) : output);
}

/** True where stdout is the stream that systemd names, `device:inode` (systemd.exec(5), $JOURNAL_STREAM). */
export function isJournal(named: string | undefined, fd = 1): boolean {
  if (named === undefined) return false;
  try {
    const { dev, ino } = fstatSync(fd, { bigint: true });
    return named === `${dev}:${ino}`;
  } catch {
    return false;
  }
}

function optionsOf({ level, problems, loggers }: LogSettings): LoggerOptions {
  return {
    ...(problems === undefined ? {} : { hooks: remembering(problems) }),
    ...(loggers === undefined ? {} : { onChild: (child: Logger) => void loggers.push(child) }),
    level,
    base: null,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label) => ({ level: label, priority: PRIORITIES[label] ?? 6 }) },
    serializers: { err: describe, error: describe },
    redact: { paths: REDACTED, censor: "[secret]" },
  };
}

const WARN = 40;
const ERROR = 50;

function remembering(problems: LastProblems): NonNullable<LoggerOptions["hooks"]> {
  return {
    logMethod(args, method, level) {
      const [fields, message]: unknown[] = args;
      if (level >= WARN) {
        const text = typeof fields === "string" ? fields : typeof message === "string" ? message : "";
        problems.add(Date.now(), level >= ERROR ? "error" : "warn", fields, text);
      }
      method.apply(this, args);
    },
  };
}

/** A `Fault` says itself where it came from; anything else is a surprise and brings its stack. */
function describe(error: unknown): unknown {
  if (!(error instanceof Fault)) return error instanceof Error ? stdSerializers.err(error) : error;
  const { code, message, hint, retry, cause } = error;
  return { code, message, hint, retry, ...(cause === undefined ? {} : { cause: messageOf(cause) }) };
}

/** Written at once, so that the last words before a crash are not lost. A reader that went away stops nothing. */
function stdout(): DestinationStream {
  const stream = destination({ fd: 1, sync: true });
  stream.on("error", () => {});
  return stream;
}

/** In this process, not in a worker: the agent is one file. */
function readable(output: DestinationStream): DestinationStream {
  const format = prettyFactory({
    colorize: process.stdout.isTTY === true && process.env.NO_COLOR === undefined,
    translateTime: "SYS:HH:MM:ss",
    ignore: "priority",
  });
  return { write: (line) => output.write(format(withoutSteering(JSON.parse(line)))) };
}

/** A line's object with nothing in its texts that a terminal would obey; line ends stay in stacks only. */
function withoutSteering(value: unknown, key = ""): unknown {
  if (typeof value === "string") return key === "stack" ? printableLines(value) : printable(value);
  if (Array.isArray(value)) return value.map((each) => withoutSteering(each));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [printable(name), withoutSteering(each, name)]),
  );
}

const PRIORITY = /^\{"level":"\w+","priority":(\d)/;

function prioritised(output: DestinationStream): DestinationStream {
  return { write: (line) => output.write(`<${PRIORITY.exec(line)?.[1] ?? "6"}>${line}`) };
}
