/** Of executions that wait in a pool. */
interface WaitingNumbers {
  pool: string;
  waiting: number;
  /** For how long the one has waited that could have begun first; 0 where none could. */
  oldestSeconds: number;
}

interface RunningNumbers {
  pool: string;
  host: string;
  status: string;
  count: number;
}

interface HostNumbers {
  host: string;
  isOwned: boolean;
  /** Its owner reaches it. */
  isUp: boolean;
  isBlacklisted: boolean;
  circuit: string;
  failures: number;
}

interface DeliveryNumbers {
  kind: string;
  waiting: number;
  /** For how long the one is overdue that was due first; 0 where none is. */
  overdueSeconds: number;
}

interface MessageNumbers {
  state: string;
  count: number;
  oldestSeconds: number;
}

interface ConnectionNumbers {
  application: string;
  state: string;
  count: number;
}

/** What the rows tell of the whole installation: the same whichever node is asked. */
export interface Numbers {
  nodes: number;
  waiting: readonly WaitingNumbers[];
  running: readonly RunningNumbers[];
  /** Of the hosts of the configuration. */
  hosts: readonly HostNumbers[];
  deliveries: readonly DeliveryNumbers[];
  messages: readonly MessageNumbers[];
  connections: readonly ConnectionNumbers[];
  maxConnections: number;
  databaseBytes: number;
}
