/** The configuration a gateway starts with. What isn't said here keeps its default. */

import { posix } from "node:path";
import { stringify } from "yaml";
import { FILES } from "./folder.ts";
import type { GatewayOutputs } from "./outputs.ts";

export interface DeviceConfig {
  gateway: string;
  site: string;
  /** The folder on the gateway that these files go into. */
  deviceFolder: string;
  outputs: GatewayOutputs;
  /** Host of the credentials provider. */
  credentialEndpoint: string;
}

/** systemd says where the service keeps its state; the agent fills the variable in. */
const BUFFER = `\${STATE_DIRECTORY:-/var/lib/windfarm}/buffer.db`;

export function deviceConfig({
  gateway,
  site,
  deviceFolder,
  outputs,
  credentialEndpoint,
}: DeviceConfig): string {
  const at = (name: string): string => posix.join(deviceFolder, name);
  const values = {
    version: 1,
    gateway: { id: gateway, site },
    // Loopback needs no credentials; any other address wants users or client certificates first.
    mqtt: { listen: "mqtt://127.0.0.1:1883" },
    buffer: { path: BUFFER },
    kinesis: {
      stream: outputs.stream,
      region: outputs.region,
      credentials: {
        iot: {
          endpoint: credentialEndpoint,
          role_alias: outputs.roleAlias,
          thing_name: gateway,
          cert_file: at(FILES.certificate),
          key_file: at(FILES.privateKey),
        },
      },
    },
  };
  return `# Written by "npm run provision" for ${gateway}; yours to edit. Every key: agent.config.yaml in the repository.\n${stringify(values)}`;
}
