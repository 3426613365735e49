/** How a server is reached. */
export interface Way {
  /** URL of the proxy that is asked in its place; `null` for none. */
  proxy: string | null;
  /** Certificates of authorities in PEM, in place of those that are built in; `null` for these. */
  ca: string | null;
}
