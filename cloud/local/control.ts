/** The local cloud's own endpoint: what it has, and "bring everything into the table now". */

import http from "node:http";
import type { Logger } from "pino";
import { messageOf } from "../../agent/errors.ts";
import { answerJson } from "./http.ts";

/** What can be asked, such as `GET /_local/status`, and who answers. */
export type Questions = Readonly<Record<string, () => unknown>>;

/** The server that answers them. */
export function controlServer(questions: Questions, log: Logger): http.Server {
  const serve = async (request: http.IncomingMessage, response: http.ServerResponse) => {
    const asked = `${request.method} ${request.url?.split("?")[0]}`;
    request.resume();
    const ask = questions[asked];
    if (ask === undefined) {
      const there = Object.keys(questions).join(" and ");
      return answerJson(response, 404, { error: `${asked} is not here; there are ${there}` });
    }
    try {
      answerJson(response, 200, await ask());
    } catch (error) {
      log.error({ problem: messageOf(error), asked }, "a request to the local cloud failed");
      answerJson(response, 500, { error: messageOf(error) });
    }
  };
  return http.createServer((request, response) => void serve(request, response));
}
