export const SERVICES = ["up", "api", "worker"] as const;
export type Service = (typeof SERVICES)[number];

export interface UnitOptions {
  service: Service;
  /** Where the program is, as an absolute path. */
  binary: string;
  /** `null`: the system's own file. */
  config: string | null;
  user: string;
  /** Whose members may use Docker's socket; `null`: the user has no need of it, or is one already. */
  dockerGroup: string | null;
  /** Names of credentials; systemd passes over those that are not there. */
  credentials: readonly string[];
}

export interface SocketOptions {
  service: Service;
  /** `ADDRESS:PORT`. */
  listen: string;
}

const DOES: Record<Service, string> = {
  up: "container jobs over HTTP",
  api: "container jobs over HTTP: the API",
  worker: "container jobs over HTTP: what runs them",
};

/** Variables that would change what the program is, or how it reaches others. */
const UNSET = [
  "BUN_BE_BUN",
  "BUN_OPTIONS",
  "NODE_OPTIONS",
  "NODE_TLS_REJECT_UNAUTHORIZED",
  "DOCKER_HOST",
  "DOCKER_TLS_VERIFY",
  "DOCKER_CERT_PATH",
  "HTTP_PROXY",
  "HTTPS_PROXY",
];

/** As the unit is called, without the dot and what follows. */
function unitName(service: Service): string {
  return service === "up" ? "fastlane" : `fastlane-${service}`;
}

/** The service's unit, which runs with systemd 247 and later. */
export function serviceUnit(options: UnitOptions): string {
  const { service, binary, config, user, dockerGroup, credentials } = options;
  const command = [binary, service, ...(config === null ? [] : ["--config", config])];
  const name = unitName(service);
  return unit([
    [
      "Unit",
      [
        `Description=fastlane, ${DOES[service]}`,
        "Wants=network-online.target",
        `After=network-online.target docker.service postgresql.service${service === "worker" ? "" : ` ${name}.socket`}`,
        "# Tried again for ever: what it waits for, such as Postgres, comes back.",
        "StartLimitIntervalSec=0",
      ],
    ],
    [
      "Service",
      [
        "# It says when it works, and how it is; the program systemd-notify says it for it.",
        "Type=notify",
        "NotifyAccess=all",
        `ExecStart=${command.map(quoted).join(" ")}`,
        "ExecReload=/bin/kill -HUP $MAINPID",
        "Restart=always",
        "RestartSec=1",
        "# The first start makes a database, and one of a new version may change it.",
        "TimeoutStartSec=600",
        "TimeoutStopSec=60",
        "# It stops its own Postgres; what is left when it has ended is killed.",
        "KillMode=mixed",
        "# No sign of life for so long, and it is killed and started again. Containers run on.",
        "WatchdogSec=60",
        "WatchdogSignal=SIGKILL",
        "OOMPolicy=continue",
        "",
        `User=${user}`,
        `Group=${user}`,
        ...(dockerGroup === null
          ? []
          : [
              "# Whoever may use Docker's socket is root on this machine in all but name.",
              `SupplementaryGroups=${dockerGroup}`,
            ]),
        "UMask=0077",
        "WorkingDirectory=/",
        "StateDirectory=fastlane",
        "StateDirectoryMode=0700",
        "LimitNOFILE=65536",
        "LimitCORE=0",
        `UnsetEnvironment=${UNSET.join(" ")}`,
        "",
        "# Secrets: what is in /etc/credstore/fastlane.NAME counts for the key NAME.",
        ...credentials.map((credential) => `LoadCredential=${credential}:fastlane.${credential}`),
        "",
        ...HARDENING,
      ],
    ],
    ["Install", ["WantedBy=multi-user.target"]],
  ]);
}

/** The socket's unit: systemd listens, so that no connection is refused while the service restarts. */
export function socketUnit({ service, listen }: SocketOptions): string {
  return unit([
    ["Unit", [`Description=The HTTP API of fastlane, on ${listen}`]],
    [
      "Socket",
      [
        `ListenStream=${listen}`,
        "# Connections that wait to be taken while the service restarts.",
        "Backlog=4096",
        "NoDelay=true",
        "FileDescriptorName=http",
        `Service=${unitName(service)}.service`,
      ],
    ],
    ["Install", ["WantedBy=sockets.target"]],
  ]);
}

/** docs/systemd.md says what is not among them, and why. */
const HARDENING = [
  "NoNewPrivileges=yes",
  "CapabilityBoundingSet=",
  "AmbientCapabilities=",
  "ProtectSystem=strict",
  "ProtectHome=yes",
  "PrivateMounts=yes",
  "PrivateTmp=yes",
  "PrivateUsers=yes",
  "PrivateDevices=yes",
  "DevicePolicy=closed",
  "ProtectClock=yes",
  "ProtectHostname=yes",
  "ProtectControlGroups=yes",
  "ProtectKernelLogs=yes",
  "ProtectKernelModules=yes",
  "ProtectKernelTunables=yes",
  "ProtectProc=invisible",
  "LockPersonality=yes",
  "RemoveIPC=yes",
  "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6",
  "RestrictNamespaces=yes",
  "RestrictRealtime=yes",
  "RestrictSUIDSGID=yes",
  "SystemCallArchitectures=native",
  "SystemCallFilter=@system-service",
  "SystemCallFilter=~@privileged @resources",
  "SystemCallErrorNumber=EPERM",
];

function unit(sections: readonly (readonly [string, readonly string[]])[]): string {
  const parts = sections.map(([name, lines]) => `[${name}]\n${lines.join("\n")}\n`);
  return parts.join("\n");
}

/** A word of a command, which systemd would else take apart or fill in. */
function quoted(word: string): string {
  const plain = word.replaceAll("%", "%%").replaceAll("$", "$$$$");
  return /^[\w@%+=:,./$-]+$/.test(plain) ? plain : `"${plain.replaceAll(/["\\]/g, "\\$&")}"`;
}
