import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { stackOf } from "../core/errors.ts";
import { isLoopback } from "../core/loopback.ts";
import type { HttpLog, HttpMetrics } from "./context.ts";
import { isName } from "./guard.ts";
import { PortTaken } from "./port-taken.ts";

export interface MetricsServer {
  readonly port: number;
  stop(): Promise<void>;
}

interface MetricsServerDeps {
  metrics: Pick<HttpMetrics, "scrape">;
  log: Pick<HttpLog, "error">;
}

/**
 * Listens for those who scrape, and for nothing else; nobody is asked who they are. Where other
 * machines reach it, it answers under any name, since it is asked under what they know it by.
 *
 * @param port 0 for any that is free.
 * @throws {PortTaken} If another program has the port.
 */
export async function startMetricsServer(
  { host, port }: { host: string; port: number },
  { metrics, log }: MetricsServerDeps,
): Promise<MetricsServer> {
  const isAnswered = ({ host: name = "" }) => !isLoopback(host) || isName(name, undefined);
  const server = createServer(async (request, response) => {
    const answer = (status: number, text: string, type = "text/plain; charset=utf-8") =>
      response.writeHead(status, { "content-type": type }).end(text);
    const path = (request.url ?? "").replace(/\?.*$/, "");
    if (!isAnswered(request.headers)) return answer(403, "This name is not ours\n");
    if (!/^\/metrics\/?$/.test(path)) return answer(404, "There is only /metrics here\n");
    if (request.method !== "GET" && request.method !== "HEAD") {
      return answer(405, "Only GET and HEAD are allowed\n");
    }
    try {
      const { contentType, text } = await metrics.scrape();
      return answer(200, text, contentType);
    } catch (error) {
      log.error({ operation: "metrics", error: stackOf(error) }, "bug");
      return answer(500, "fastlane failed to tell its metrics: its log tells why\n");
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => {
      const isTaken = "code" in error && error.code === "EADDRINUSE";
      const hint = "stop it, or choose another by metricsPort";
      reject(isTaken ? new PortTaken(host, port, hint) : error);
    });
    server.listen(port, host, resolve);
  });
  const { port: listened } = server.address() as AddressInfo;
  return {
    port: listened,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
