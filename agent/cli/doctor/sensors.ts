/** Whether sensors get in and speak. */

import { countOf } from "../../common/format.ts";
import { spoken } from "../../observe/reasons.ts";
import type { Status } from "../status-client.ts";
import { type Finding, failed, note, ok, skipped } from "./finding.ts";

const HINTS: Readonly<Record<string, string>> = {
  refused_login: "windfarm user add NAME sets the password anew; it must be the one in the sensor",
  unsupported_version: "set the sensor's client to MQTT 3.1.1",
  not_authorized: "windfarm user add NAME --publish 'windfarm/TURBINE/+' lets it publish there",
  tls: "does the sensor trust the certificate's authority, and is its own clock right?",
};

export function sensorsFinding(status: Status | undefined): Finding {
  if (status === undefined) return skipped("Only the running agent knows");
  const { closedConnections, connections } = status.collect;
  const [worst] = Object.entries(closedConnections)
    .filter(([reason]) => reason in HINTS)
    .sort(([, one], [, other]) => other - one);
  const silent = status.state === "idle" || status.received === 0;
  if (worst !== undefined) {
    const [reason, count] = worst;
    const message = `Sensors are turned away, ${countOf(count, "time")}: ${spoken(reason)}`;
    return silent || connections === 0 ? failed(message, HINTS[reason]) : note(message, HINTS[reason]);
  }
  if (!silent) return ok(`${countOf(connections, "connection")}, and readings come in`);
  const hint =
    "are the sensors on, and do they publish to this address with QoS 1? docs/sensors.md shows how to try";
  return failed(
    connections === 0 ? "No sensor is connected" : `Connected, and silent: ${countOf(connections, "sensor")}`,
    hint,
  );
}
