/** The label that says whose a container is; nothing without our own value is ever touched. */
export const INSTALLATION_LABEL = "fastlane.installation";

const EXECUTION_LABEL = "fastlane.execution";
const HOST_LABEL = "fastlane.host";
const PLACEMENT_LABEL = "fastlane.placement";

/** One name an execution: the engine lets only one container have it. */
export function containerNameOf(executionId: string): string {
  return `fastlane-job-${executionId}`;
}

export function labelsOf(
  installation: string,
  host: string,
  execution: { id: string; jobId: string; taskId: string; placements: number },
): Record<string, string> {
  return {
    ...probeLabelsOf(installation, host),
    [EXECUTION_LABEL]: execution.id,
    [PLACEMENT_LABEL]: String(execution.placements),
    "fastlane.job": execution.jobId,
    "fastlane.task": execution.taskId,
  };
}

/** Of a container that only shows that the host can run one: ours, and of no execution. */
export function probeLabelsOf(installation: string, host: string): Record<string, string> {
  return { [INSTALLATION_LABEL]: installation, [HOST_LABEL]: host };
}

/** The execution that a container is of; `null` when its labels do not tell. */
export function executionIdOf(labels: Readonly<Record<string, string>>): string | null {
  return labels[EXECUTION_LABEL] ?? null;
}

/**
 * Whether a container was made under this name of its host. One engine can have two names in a
 * configuration (an address and a DNS name): what one made is not the other's to judge.
 */
export function isMadeUnder(host: string, labels: Readonly<Record<string, string>>): boolean {
  return labels[HOST_LABEL] === host;
}

/**
 * Whether a container was made for an execution as it stands: one that was lost and is run again
 * may find the container of its former placement under its name.
 */
export function isOfPlacement(
  execution: { id: string; placements: number },
  labels: Readonly<Record<string, string>>,
): boolean {
  const placement = labels[PLACEMENT_LABEL] ?? String(execution.placements);
  return executionIdOf(labels) === execution.id && placement === String(execution.placements);
}
