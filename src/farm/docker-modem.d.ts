declare module "docker-modem/lib/http.js" {
  /** What docker-modem makes its requests with, by protocol. */
  const requests: { http: typeof import("node:http"); https: typeof import("node:https") };
  export default requests;
}
