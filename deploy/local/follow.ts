/**
 * Lines loaded before a program, which must be given an IPC channel: when the process that started it is gone, without
 * a word too, the program stops in order by itself.
 */
const LINES = `
const stop = () => process.kill(process.pid, "SIGTERM");
process.on("disconnect", stop);
if (process.connected) process.channel.unref();
else stop();
`;

/** Arguments of node, before the program's file. */
export const FOLLOW_PARENT: readonly string[] = [
  "--import",
  `data:text/javascript,${encodeURIComponent(LINES)}`,
];
