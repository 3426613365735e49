/** What the page is about, as the server has written it on the body. */
export interface About {
  taskId: string;
  /** Where the API is: a path without a slash at its end. */
  root: string;
  jobPath: string;
  /** `null` on a job's own page, until it is known. */
  executionId: string | null;
  /** Whether the page follows whatever execution is the job's last. */
  isOfJob: boolean;
  /** How far the browser's clock is ahead of the server's, in milliseconds. */
  clockAheadMs: number;
}

export function readAbout(body: HTMLElement): About {
  const { task, root, jobPath, execution, now } = body.dataset;
  if (task === undefined || root === undefined || jobPath === undefined) {
    throw new Error("The page does not say what it is about");
  }
  return {
    taskId: task,
    root,
    jobPath,
    executionId: execution || null,
    isOfJob: !execution,
    clockAheadMs: clockAheadOf(Date.parse(now ?? "")),
  };
}

/** Where the API tells of the execution, or of the job while there is none. */
export function subjectPath({ jobPath, executionId }: About): string {
  return executionId === null ? jobPath : executionPath(jobPath, executionId);
}

export function executionPath(jobPath: string, executionId: string): string {
  return `${jobPath}/executions/${encodeURIComponent(executionId)}`;
}

/** The server wrote its time when the answer began; a page that was kept tells an old one. */
function clockAheadOf(serverTime: number): number {
  const [navigation] = performance.getEntriesByType("navigation");
  const isFresh = navigation instanceof PerformanceNavigationTiming && navigation.transferSize > 0;
  if (!isFresh || Number.isNaN(serverTime)) return 0;
  return performance.timeOrigin + navigation.responseStart - serverTime;
}
