declare module "docker-modem/lib/http.js" {
  /** What docker-modem makes its requests with. */
  const http: { maxRedirects: number };
  export default http;
}
