/** `npm run synth` as an operator runs it: the built app, the pinned command line, no account, no network. */

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { ROOT } from "../../helpers/program.ts";

export interface Synthesis {
  folder: string;
  /** As the clock has it, and of a processor: a busy machine stretches the one and not the other. */
  seconds: number;
  cpuSeconds: number;
  status: number | null;
  said: string;
}

/** True where this user may make a network namespace of his own, in which there is no network. */
export function canCutTheNetwork(): boolean {
  return spawnSync("unshare", ["--net", "true"], { stdio: "ignore" }).status === 0;
}

/** Synthesizes a stage into `folder`; `offline` without any network. */
export function synthesize(stage: string, folder: string, offline = false): Synthesis {
  const cdk = join(ROOT, "node_modules/aws-cdk/bin/cdk");
  const choices = ["-c", `stage=${stage}`, "-c", "email=ops@example.com"];
  const synth = [process.execPath, cdk, "synth", "--quiet", ...choices, "--output", folder];
  const command = offline ? ["unshare", "--net", ...synth] : synth;
  const { status, stdout, stderr } = spawnSync("bash", ["-c", 'time -p "$@"', "synth", ...command], {
    cwd: ROOT,
    encoding: "utf8",
    env: withoutAccount(),
  });
  const spent = (kind: string): number => Number(new RegExp(`^${kind} ([0-9.]+)$`, "m").exec(stderr)?.[1]);
  const cpuSeconds = Math.round(spent("user") + spent("sys"));
  return { folder, seconds: spent("real"), cpuSeconds, status, said: `${stdout}${stderr}` };
}

/** Nothing that could lead to credentials or a region. */
function withoutAccount(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !name.startsWith("AWS_") && !name.startsWith("CDK_"),
  );
  return {
    ...Object.fromEntries(kept),
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_CONFIG_FILE: "/nonexistent",
    AWS_SHARED_CREDENTIALS_FILE: "/nonexistent",
  };
}
