import { once } from "node:events";
import t from "tap";
import { openSocket } from "../../agent/collect/subscriber-socket.ts";

t.test("a numeric address without a route is an error of the socket, heard by who awaits it", async (t) => {
  const address = { host: "255.255.255.255", port: 1883, tls: false, shown: "", username: undefined };
  // From a timer, as every try but the first: there the error would come before anything that is awaited.
  const error = await new Promise((resolve) => {
    setTimeout(async () => {
      const socket = await openSocket({ ...address, password: undefined }, undefined);
      resolve((await once(socket, "error"))[0]);
    });
  });
  t.type(error, Error);
});
