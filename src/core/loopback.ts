const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1|\[::1\])$/;

/** Whether a name or address is this machine's own, which no other can reach. */
export const isLoopback = (host: string) => LOOPBACK.test(host);
