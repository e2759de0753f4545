import { readFile } from "node:fs/promises";
import { transform } from "esbuild";

const OPTIONS = { loader: "ts", format: "esm", target: `node${process.versions.node}`, sourcemap: "inline" };

export async function load(url, context, next) {
  if (!/^file:.*\.ts$/.test(url)) return await next(url, context);
  const { code } = await transform(await readFile(new URL(url), "utf8"), { ...OPTIONS, sourcefile: url });
  return { format: "module", source: code, shortCircuit: true };
}
