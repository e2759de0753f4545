/** The stub as a process of its own, for benches: its CPU time is not the agent's. Tells its port, answers "counts". */

import { startKinesisStub } from "./kinesis-stub.ts";

const stub = await startKinesisStub({ keep: false });
process.on("message", () => process.send?.({ counts: stub.counts }));
process.on("disconnect", () => process.exit(0));
process.send?.({ endpoint: stub.endpoint });
