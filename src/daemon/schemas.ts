/**
 * Every request body the daemon reads, checked against docker's shapes (src/spec/engine-api.ts). Go's clients write null
 * where there is nothing, and members newer or older than these: both pass, the latter kept for `inspect`.
 */
import * as v from 'valibot';

const text = v.optional(v.nullable(v.string(), ''));
const flag = v.optional(v.nullable(v.boolean(), false));
const count = v.optional(v.nullable(v.pipe(v.number(), v.safeInteger())));
const texts = v.optional(v.nullable(v.array(v.string())));
const labels = v.optional(v.nullable(v.record(v.string(), v.string())));
const anything = v.record(v.string(), v.any());

/** `["a", "b"]`, and from old clients `"a"`. */
const words = v.optional(
  v.nullable(
    v.pipe(
      v.union([v.string(), v.array(v.string())]),
      v.transform((value) => (typeof value === 'string' ? [value] : value)),
    ),
  ),
);

const healthcheck = v.looseObject({
  Test: texts,
  Interval: count,
  Timeout: count,
  StartPeriod: count,
  StartInterval: count,
  Retries: count,
});

const portBindings = v.optional(
  v.nullable(
    v.record(
      v.pipe(v.string(), v.regex(/^\d{1,5}(-\d{1,5})?(\/(tcp|udp|sctp))?$/, 'expected PORT/PROTOCOL')),
      v.nullable(
        v.array(
          v.looseObject({ HostIp: v.optional(v.string(), ''), HostPort: v.optional(v.nullable(v.string(), ''), '') }),
        ),
      ),
    ),
  ),
);

const restartPolicy = v.looseObject({
  Name: v.optional(v.picklist(['', 'no', 'always', 'unless-stopped', 'on-failure']), ''),
  MaximumRetryCount: v.optional(v.number(), 0),
});

const resources = {
  Memory: count,
  MemorySwap: count,
  MemoryReservation: count,
  NanoCpus: count,
  CpuShares: count,
  CpuPeriod: count,
  CpuQuota: count,
  CpusetCpus: text,
  PidsLimit: count,
  BlkioWeight: count,
  Ulimits: v.optional(v.nullable(v.array(v.looseObject({ Name: v.string(), Soft: v.number(), Hard: v.number() })))),
};

const mount = v.looseObject({
  Type: v.picklist(['bind', 'volume', 'tmpfs'], 'mount type unknown'),
  Source: v.optional(v.string()),
  Target: v.string(),
  ReadOnly: v.optional(v.boolean()),
});

const hostConfig = v.looseObject({
  ...resources,
  Binds: texts,
  LogConfig: v.optional(
    v.nullable(v.looseObject({ Type: v.optional(v.string(), ''), Config: v.optional(v.nullable(anything, {}), {}) })),
  ),
  NetworkMode: text,
  PortBindings: portBindings,
  RestartPolicy: v.optional(v.nullable(restartPolicy)),
  AutoRemove: flag,
  VolumesFrom: texts,
  Mounts: v.optional(v.nullable(v.array(mount))),
  ExtraHosts: texts,
  Links: texts,
  PublishAllPorts: flag,
  ReadonlyRootfs: flag,
  Tmpfs: labels,
  Init: flag,
});

const endpoint = v.looseObject({ Aliases: texts, Links: texts, IPAMConfig: v.optional(v.nullable(anything)) });

export const CREATE_CONTAINER = v.looseObject({
  Image: v.optional(v.string(), ''),
  Hostname: text,
  Domainname: text,
  User: text,
  AttachStdin: flag,
  AttachStdout: flag,
  AttachStderr: flag,
  Tty: flag,
  OpenStdin: flag,
  StdinOnce: flag,
  Env: texts,
  Cmd: words,
  Entrypoint: words,
  WorkingDir: text,
  Labels: labels,
  ExposedPorts: v.optional(v.nullable(anything)),
  Volumes: v.optional(v.nullable(anything)),
  Healthcheck: v.optional(v.nullable(healthcheck)),
  StopSignal: v.optional(v.nullable(v.string())),
  StopTimeout: count,
  Shell: texts,
  HostConfig: v.optional(v.nullable(hostConfig)),
  NetworkingConfig: v.optional(
    v.nullable(v.looseObject({ EndpointsConfig: v.optional(v.nullable(v.record(v.string(), v.nullable(endpoint)))) })),
  ),
});

export const UPDATE_CONTAINER = v.looseObject({ ...resources, RestartPolicy: v.optional(v.nullable(restartPolicy)) });

export const CREATE_EXEC = v.looseObject({
  User: text,
  Privileged: flag,
  Tty: flag,
  AttachStdin: flag,
  AttachStdout: flag,
  AttachStderr: flag,
  Detach: flag,
  DetachKeys: text,
  Env: texts,
  WorkingDir: text,
  Cmd: v.pipe(
    words,
    v.check((value) => value != null && value.length > 0, 'No exec command specified'),
  ),
  ConsoleSize: v.optional(v.nullable(v.tuple([v.number(), v.number()]))),
});

export const START_EXEC = v.looseObject({
  Detach: flag,
  Tty: flag,
  ConsoleSize: v.optional(v.nullable(v.tuple([v.number(), v.number()]))),
});

export const CREATE_VOLUME = v.looseObject({ Name: text, Driver: text, DriverOpts: labels, Labels: labels });

export const CREATE_NETWORK = v.looseObject({
  Name: v.pipe(v.string(), v.nonEmpty('a name is required')),
  Driver: text,
  Scope: text,
  Internal: flag,
  Attachable: flag,
  Ingress: flag,
  EnableIPv4: v.optional(v.nullable(v.boolean())),
  EnableIPv6: v.optional(v.nullable(v.boolean())),
  Options: labels,
  Labels: labels,
  IPAM: v.optional(
    v.nullable(
      v.looseObject({
        Driver: text,
        Options: labels,
        Config: v.optional(
          v.nullable(
            v.array(
              v.looseObject({
                Subnet: v.optional(v.string()),
                IPRange: v.optional(v.string()),
                Gateway: v.optional(v.string()),
              }),
            ),
          ),
        ),
      }),
    ),
  ),
});

export const CONNECT_NETWORK = v.looseObject({
  Container: v.pipe(v.string(), v.nonEmpty('a container is required')),
  EndpointConfig: v.optional(v.nullable(endpoint)),
});

export const DISCONNECT_NETWORK = v.looseObject({
  Container: v.pipe(v.string(), v.nonEmpty('a container is required')),
  Force: flag,
});

/** The body of /commit is a container's config, of which the changes come as `changes`. */
export const COMMIT = v.looseObject({});

/** The last three are wctr's own: see CheckpointOptions of the engine. */
export const CREATE_CHECKPOINT = v.looseObject({
  CheckpointID: text,
  CheckpointDir: text,
  Exit: flag,
  Reference: text,
  Changes: texts,
  Init: text,
});

export const LOGIN = v.looseObject({
  username: text,
  password: text,
  serveraddress: text,
  identitytoken: text,
});
