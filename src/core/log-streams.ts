/** In the order in which the index of a chunk counts them. */
export const LOG_STREAMS = ["stdout", "stderr", "pull"] as const;

/** What a container wrote to either of its outputs, or how the pull of its image went on. */
export type LogStream = (typeof LOG_STREAMS)[number];
