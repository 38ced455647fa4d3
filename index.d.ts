/// <reference types="node" />

/**
 * The Redis backplane of Socket.IO, off the event loop. For Socket.IO 4 it is {@link createAdapter}, which is the default
 * export too. For Socket.IO 0.9 it is {@link RedisStore}. The other types say what goes in and what comes out.
 *
 * @module
 */

import { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
// @ts-ignore -- Socket.IO 0.9 comes without it
import { Adapter } from 'socket.io-adapter';

/**
 * TLS for an endpoint, with the names of Node's `tls.connect`. Texts and Buffers hold PEM. What else
 * `tls.connect` takes does nothing for a client's connection, and is ignored, or is a TypeError.
 */
export interface TlsOptions {
  /**
   * The certificates to trust: of authorities, or self-signed ones of servers. Default: what Node trusts,
   * with `NODE_EXTRA_CA_CERTS` and Node's flags, and what the system trusts: its store, or what
   * `SSL_CERT_FILE` and `SSL_CERT_DIR` name in its place.
   */
  ca?: string | Buffer | Array<string | Buffer>;
  /** Whether what is in `ca` is trusted without its issuer. Default: `false`. */
  allowPartialTrustChain?: boolean;
  /** The client's certificate chain; goes together with `key`. */
  cert?: string | Buffer;
  /** The client's private key; goes together with `cert`. */
  key?: string | Buffer;
  /** Opens `key`. */
  passphrase?: string;
  /** The name that the server's certificate must bear. Default: the host. */
  servername?: string;
  /** Whether the server's certificate is checked. Default: `true`, unless `NODE_TLS_REJECT_UNAUTHORIZED` is 0. */
  rejectUnauthorized?: boolean;
  /** The lowest version of TLS; below 1.2 there is none. Default: Node's, 1.2. */
  minVersion?: 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';
  /** The highest version of TLS. Default: Node's, 1.3. */
  maxVersion?: 'TLSv1.2' | 'TLSv1.3';
  /** The version of TLS as OpenSSL's methods name it, such as `TLSv1_2_method`. */
  secureProtocol?: string;
  /** The cipher suites by OpenSSL's names, separated by colons, the best first. Default: all that are known. */
  ciphers?: string;
  /** The groups for the key exchange, separated by colons: `X25519`, `P-256`, `P-384`, `P-521`. Default: all. */
  ecdhCurve?: string;
  /** The protocols to offer. */
  ALPNProtocols?: string[];
}

/** Who enters. */
export interface Credentials {
  /** ACL user. */
  username?: string;
  /** Password. */
  password?: string;
}

/** What is asked for credentials before each connection, as `redis` 5 and 6 have it. */
export interface AsyncCredentialsProvider {
  /** The kind. */
  type: 'async-credentials-provider';
  /** Returns a user name, a password or both. What it throws is an `error` with the code `ERR_CONNECT`. */
  credentials: () => Promise<Credentials>;
}

/**
 * Where Redis is, with the names that the clients `redis` and `ioredis` know: one server, a cluster
 * (`cluster`), or the master that Sentinels name (`sentinels`, `name`). Their other options are accepted and
 * do nothing here; an unknown one is a TypeError.
 */
export type EndpointOptions = UsedEndpointOptions &
  ClusterEndpointOptions &
  SentinelEndpointOptions &
  Partial<Record<AcceptedOption, unknown>>;

/** A server's address. */
export interface Address {
  /** Name or IP address. */
  host: string;
  /** TCP port. */
  port: number;
}

/** A Sentinel's address. */
export interface SentinelAddress {
  /** Name or IP address. Default: `localhost` */
  host?: string;
  /** TCP port. Default: 26379 */
  port?: number | string;
  /** Of `ioredis`, and without a meaning here: addresses of both families are tried. */
  family?: unknown;
}

/**
 * Where the addresses lead that a cluster or Sentinels give, by `host:port`: an object, or a function, which
 * may be async. What it does not know, or answers with nothing, is taken as it is.
 */
export type AddressMap = Record<string, Address> | ((address: string) => AddressMapAnswer | Promise<AddressMapAnswer>);

/** Where an address leads; nothing: it is taken as it is. */
export type AddressMapAnswer = Address | null | undefined;

/**
 * A cluster. The other options say how to enter its nodes; `host`, `port` and `path` have no say. It has
 * only database 0.
 */
export interface ClusterEndpointOptions {
  /**
   * Some of its nodes, as URLs or options; the others are found. User, password and TLS may stand there
   * when they are the same at all.
   */
  cluster?: Array<string | URL | (UsedEndpointOptions & Partial<Record<AcceptedOption, unknown>>)>;
  /** Where addresses lead, as `redis` names it; of Sentinels too. */
  nodeAddressMap?: AddressMap;
  /** Where addresses lead, as `ioredis` names it; of Sentinels too. */
  natMap?: AddressMap;
  /** Finds the addresses of its nodes, as `ioredis` has it. Default: the system does. */
  dnsLookup?: (
    hostname: string,
    callback: (error: Error | null | undefined, address: string, family?: number) => void,
  ) => void;
  /** The same as `cluster`, as `createCluster` of `redis` names it. */
  rootNodes?: UsedEndpointOptions[];
  /** How to enter the nodes, as `createCluster` takes it beside `rootNodes`. */
  defaults?: UsedEndpointOptions & Partial<Record<AcceptedOption, unknown>>;
}

/** The master that Sentinels name. The other options say how to enter it; `host`, `port` and `path` have no say. */
export interface SentinelEndpointOptions {
  /** Where the Sentinels are. Default port: 26379. `name` is then what they call the master. */
  sentinels?: SentinelAddress[];
  /** ACL user of the Sentinels. */
  sentinelUsername?: string | null;
  /** Password of the Sentinels. Default: none; the master's is never sent to them. */
  sentinelPassword?: string | null;
  /** TLS to the Sentinels: `true`, or its options. Default: none, whatever `tls` says. */
  sentinelTls?: boolean | TlsOptions;
  /** The same as `sentinelTls`, as `ioredis` names it. */
  sentinelTLS?: boolean | TlsOptions;
  /** Whether `tls` holds for the master, as `ioredis` has it, where it does not by default. Default: `true`. */
  enableTLSForSentinelMode?: boolean;
  /** Only `master`: replicas publish nothing. */
  role?: 'master' | 'slave';
  /** The same as `sentinels`, as `createSentinel` of `redis` names it. */
  sentinelRootNodes?: Address[];
  /** How to enter the master, as `createSentinel` takes it beside `sentinelRootNodes`. */
  nodeClientOptions?: UsedEndpointOptions & Partial<Record<AcceptedOption, unknown>>;
  /** How to enter the Sentinels, as `createSentinel` takes it beside `sentinelRootNodes`. */
  sentinelClientOptions?: UsedEndpointOptions & Partial<Record<AcceptedOption, unknown>>;
}

/** Those of the {@link EndpointOptions} that do something. */
export interface UsedEndpointOptions {
  /** Host name or address. Default: `localhost`. */
  host?: string;
  /** TCP port. Default: 6379. */
  port?: number | string;
  /** Path of a unix domain socket; it beats `host` and `port`. */
  path?: string;
  /** ACL user (Redis 6 and later). Without a password it enters with an empty one. */
  username?: string;
  /** Password. */
  password?: string;
  /**
   * Asked for user and password before each connection: for identities that a platform manages, and secrets
   * that change. What it throws, an answer that is none, and none within 10 s are an `error` with the code
   * `ERR_CONNECT`; it is asked again at the next attempt.
   */
  credentials?: () => Credentials | Promise<Credentials>;
  /** The same as `credentials`, as `redis` 5 and 6 have it. */
  credentialsProvider?: AsyncCredentialsProvider;
  /** The connections' name (`CLIENT SETNAME`): printable ASCII without spaces. */
  clientName?: string;
  /** The same as `clientName`, as `redis` 4 and later name it; with `sentinels` it is the master's. */
  name?: string;
  /** The same as `clientName`, as `ioredis` names it. */
  connectionName?: string;
  /** Stands before the ids of a store's clients, and never before channels. */
  keyPrefix?: string;
  /** The same as `keyPrefix`, as `redis` 2 and 3 name it. */
  prefix?: string;
  /** Whether connections keep to themselves what they are (`CLIENT SETINFO`). Default: `false`. */
  disableClientInfo?: boolean;
  /** Stands behind this package's name in `CLIENT SETINFO`, in brackets. */
  clientInfoTag?: string;
  /** Password, as `redis` 0.8 to 3 name it. */
  auth_pass?: string;
  /** Number of the database for session data. Default: 0. */
  db?: number;
  /** The same as `db`, as `redis` 4 and later name it. */
  database?: number;
  /** A URL; fields beside it win. */
  url?: string | URL;
  /** TLS: `true`, or its options. */
  tls?: boolean | TlsOptions;
  /** Host, port, path and TLS, as `redis` 4 and later take them. */
  socket?: {
    /** Host name or address. */
    host?: string;
    /** TCP port. */
    port?: number;
    /** Path of a unix domain socket. */
    path?: string;
    /** Whether to use TLS; its options stand beside it. */
    tls?: boolean;
    /** Finds the host's addresses, like `dns.lookup`. Default: the system does. */
    lookup?: (
      hostname: string,
      options: any,
      callback: (error: Error | null, address: any, family?: number) => void,
    ) => void;
  } & TlsOptions &
    Partial<Record<AcceptedSocketOption, unknown>>;
}

/** Options of `redis` 4 and later, and of `net.connect`, that tune a socket: they are accepted and do nothing. */
export type AcceptedSocketOption =
  | 'allowHalfOpen'
  | 'autoSelectFamily'
  | 'autoSelectFamilyAttemptTimeout'
  | 'connectTimeout'
  | 'family'
  | 'hints'
  | 'keepAlive'
  | 'keepAliveInitialDelay'
  | 'localAddress'
  | 'localPort'
  | 'noDelay'
  | 'onread'
  | 'readable'
  | 'reconnectStrategy'
  | 'signal'
  | 'socketTimeout'
  | 'timeout'
  | 'writable';

/** Other options of `redis` and `ioredis`, and other names of some above: those that tune a client do nothing. */
export type AcceptedOption =
  | 'RESP'
  | 'auth_user'
  | 'autoPipeliningIgnoredCommands'
  | 'autoResendUnfulfilledCommands'
  | 'autoResubscribe'
  | 'blockingTimeout'
  | 'blockingTimeoutGrace'
  | 'camel_case'
  | 'clientSideCache'
  | 'clusterNodeRetryStrategy'
  | 'clusterRetryStrategy'
  | 'commandOptions'
  | 'commandQueue'
  | 'commandTimeout'
  | 'command_queue_high_water'
  | 'command_queue_low_water'
  | 'commandsQueueMaxLength'
  | 'connectTimeout'
  | 'connect_timeout'
  | 'detect_buffers'
  | 'disableOfflineQueue'
  | 'disable_resubscribing'
  | 'disconnectTimeout'
  | 'dropBufferSupport'
  | 'emitInvalidate'
  | 'enableAutoPipelining'
  | 'enableOfflineQueue'
  | 'enableReadyCheck'
  | 'enable_offline_queue'
  | 'failoverDetector'
  | 'family'
  | 'functions'
  | 'himportFieldsets'
  | 'himportRegistry'
  | 'isolationPoolOptions'
  | 'keepAlive'
  | 'lazyConnect'
  | 'legacyMode'
  | 'maintEndpointType'
  | 'maintMovingEndpointType'
  | 'maintNotifications'
  | 'maintPushNotifications'
  | 'maintRelaxedCommandTimeout'
  | 'maintRelaxedSocketTimeout'
  | 'masterPoolSize'
  | 'maxCommandRedirections'
  | 'maxCommandRediscovers'
  | 'maxLoadingRetryTime'
  | 'maxRedirections'
  | 'maxRetriesPerRequest'
  | 'maxScriptsCachingTime'
  | 'max_attempts'
  | 'minimizeConnections'
  | 'modules'
  | 'monitor'
  | 'noDelay'
  | 'no_ready_check'
  | 'offlineQueue'
  | 'parser'
  | 'pass'
  | 'passthroughClientErrorEvents'
  | 'pingInterval'
  | 'preferredSlaves'
  | 'protocol'
  | 'readOnly'
  | 'readonly'
  | 'reconnectOnError'
  | 'replicaPoolSize'
  | 'replyMapping'
  | 'reserveClient'
  | 'retryDelayOnClusterDown'
  | 'retryDelayOnFailover'
  | 'retryDelayOnMoved'
  | 'retryDelayOnTryAgain'
  | 'retryStrategy'
  | 'retry_max_delay'
  | 'retry_strategy'
  | 'retry_unfulfilled_commands'
  | 'return_buffers'
  | 'scaleReads'
  | 'scanInterval'
  | 'scripts'
  | 'sentinelCommandTimeout'
  | 'sentinelMaxConnections'
  | 'sentinelReconnectStrategy'
  | 'sentinelRetryStrategy'
  | 'shardedSubscribers'
  | 'showFriendlyErrorStack'
  | 'slotsRefreshInterval'
  | 'slotsRefreshTimeout'
  | 'socketTimeout'
  | 'socket_initial_delay'
  | 'socket_keepalive'
  | 'socket_nodelay'
  | 'stringNumbers'
  | 'string_numbers'
  | 'topologyRefreshOnReconnectionAttemptStrategy'
  | 'unstableResp3'
  | 'updateSentinels'
  | 'useReplicas'
  | 'user';

/**
 * A client object of `redis` 0.7 to 6 or `ioredis` 4 to 6, or one of a cluster or of Sentinels: of
 * `createCluster` (`redis` 4 to 6), `createSentinel` (`redis` 6; with 5 pass its options), `Cluster` and
 * `sentinels` of `ioredis`. It is only asked where it points, once
 * the tick is over, so `.auth()` and `.select()` may still be called on it; nothing is ever sent
 * through it. With `redis` 4 and later, put user, password and database into its options.
 */
export interface RedisClientObject {
  /** By which it is told from options: all clients emit events. */
  on(event: any, listener: (...args: any[]) => void): unknown;
}

/**
 * Where to connect: a client object, options, a URL (`redis://`, `rediss://`, `valkey://`,
 * `valkeys://`, `unix://`, `redis+unix://`), or an array of URLs of nodes of a cluster.
 */
export type RedisEndpoint = RedisClientObject | EndpointOptions | string | URL | Array<string | URL>;

/** The options of connections, and of the queues on both of their sides. */
export interface BackplaneOptions {
  /** How much may wait while Redis is away; beyond it the oldest is dropped, counted and reported. */
  offlineQueue?: {
    /** Publishes and commands. Default: 10000. */
    messages?: number;
    /** Their size in bytes. Default: 16777216 (16 MiB). */
    bytes?: number;
  };
  /** How much may wait for an event loop that is behind; `overflow` says what happens beyond it. */
  mailbox?: {
    /** Messages. Default: 100000. */
    messages?: number;
    /** Their size in bytes. Default: 67108864 (64 MiB). */
    bytes?: number;
  };
  /**
   * What happens when the mailbox is full. What is dropped is counted (`overflowed`) and reported
   * (`gap`).
   * - `wait`: nothing more is read, so that Redis holds the messages; it cuts the connection when
   *   its own buffer for it is full, which is a `gap`. Streams lose nothing by that, and are read on later. Default of
   *   {@link RedisStore} and {@link createStreamsAdapter}
   * - `drop-oldest`: the oldest messages are dropped. Default of {@link createAdapter}
   * - `drop-newest`: the messages that arrive are dropped
   * - `disconnect`: the connection is closed until the event loop has caught up
   */
  overflow?: 'wait' | 'drop-oldest' | 'drop-newest' | 'disconnect';
  /** How long a command waits for its reply, in ms. Default: 5000. */
  commandTimeout?: number;
  /**
   * Whether servers of this package tell each other, about once a second, that they are there; by pub/sub, on a
   * channel of their own: `socket.io-heartbeat`, or with the `key` or `channelPrefix` of the adapter in the place of
   * `socket.io`. One that is alone only says so when it connects. Default: true.
   *
   * - Messages that another server published and that did not arrive, since it was on another Redis for a while,
   *   are a `gap`.
   * - Where what is published does not come back, both connections look for their Redis anew: `ERR_SPLIT`.
   * - Requests to other servers do not wait for one that has gone: within 3 s they end with what has arrived, and
   *   name it in `missing`. A server whose event loop is blocked has not gone, and nobody has while Redis is slow.
   *
   * A user of Redis without the right to the channel does without: `stats().heartbeat` is `refused`.
   */
  heartbeat?: boolean;
}

/** The options of a {@link RedisStore}; those of `socket.io@0.9`'s own, and a few more. */
export interface RedisStoreOptions extends BackplaneOptions {
  /** Where to publish. Default: `localhost:6379`. */
  redisPub?: RedisEndpoint;
  /** Where to subscribe. Default: `localhost:6379`. */
  redisSub?: RedisEndpoint;
  /** Where to keep session data. Default: `localhost:6379`. */
  redisClient?: RedisEndpoint;
  /** The client module, as 0.9 takes it: accepted, and only used to recognise its clients. */
  redis?: unknown;
  /** Returns the id that marks this node's messages, unique in the cluster. Default: a UUID. */
  nodeId?: () => string | number;
  /**
   * How to pack what is published. Both are always understood on arrival. Default: `msgpack` where
   * the module `msgpack` can be required, as in 0.9, else `json`.
   */
  codec?: 'json' | 'msgpack';
  /** Packs `{ nodeId, args }` in the place of a codec; goes together with `unpack`. */
  pack?: (message: {
    /** What marks this node's messages. */
    nodeId: string | number;
    /** The arguments of `publish`, without the channel. */
    args: unknown[];
  }) => string | Buffer;
  /**
   * Unpacks what `pack` packed. It gets a string, or a Buffer where `redisSub` has
   * `return_buffers`, as with the client of 0.9.
   */
  unpack?: (packed: any) => {
    /** What marks the messages of the node that sent it. */
    nodeId: string | number;
    /** The arguments of `publish`, without the channel. */
    args: unknown[];
  };
  /** What one message of another node may be; beyond it, it is counted and reported as malformed. */
  limits?: {
    /** Bytes, as it crosses Redis. Default: 8388608 (8 MiB). */
    bytes?: number;
  };
}

/** What an Error that this package makes bears. */
export interface RedisStoreError extends Error {
  /**
   * - `ERR_CONNECT`: no connection could be opened
   * - `ERR_SENTINEL`: the Sentinels lead to no master; the message says what is wrong with each of them
   * - `ERR_REFUSED`: Redis refused the credentials, has no room for more clients, or is still loading; once until the
   *   connection is up, or is refused for another reason
   * - `ERR_CONNECTION_LOST`: a connection broke, or was silent while another one was answered
   * - `ERR_SHARDED_UNSUPPORTED`: Redis does not know `SSUBSCRIBE`, which {@link createShardedAdapter} needs and
   *   version 7 has
   * - `ERR_READ_ONLY`: the server was a master and is a replica now; it is tried again until it is a master, or
   *   its name leads to one
   * - `ERR_SPLIT`: what is published does not come back, so publishing and subscribing lead to different servers;
   *   both look for theirs anew
   * - `ERR_STALLED`: Redis has not answered for a while; the connection is kept
   * - `ERR_SUBSCRIPTION_REFUSED`: Redis refused a subscription, which is asked for again
   * - `ERR_COMMAND_TIMEOUT`: no reply within `commandTimeout`
   * - `ERR_QUEUE_FULL`: it was the oldest in a full `offlineQueue`
   * - `ERR_REDIS_REPLY`: Redis answered with an error. Each callback gets its own; as an event, it comes once until
   *   something that was refused works again (`MISCONF`, `OOM`, `NOREPLICAS`; of `NOPERM`, for each command)
   * - `ERR_ENCODE`: what was published cannot be packed, or an id, a key, a value or a channel cannot be text
   * - `ERR_MALFORMED_MESSAGE`: something arrived that no store publishes
   * - `ERR_MAILBOX_FULL`: the event loop is behind, and `overflow` is `disconnect`
   * - `ERR_CLOSED`: the store has been destroyed, or the adapter closed
   * - `ERR_REQUEST_TIMEOUT`: another server did not answer within `requestsTimeout`
   * - `ERR_WS_MISSING`: of a {@link WebSocketServer}; a WebSocket was refused with 503, since it cannot be native
   *   and there is no ws
   * - `ERR_INTERNAL`: a bug of this package, which was contained
   *
   * Thrown, and never an event:
   * - `ERR_INVALID_OPTION`: a TypeError that names the option in `option`
   * - `ERR_SOCKET_IO_MISSING`: an {@link AdapterFactory} was called where there is no Socket.IO 4
   * - `ERR_NATIVE_MISSING`: by `require`; the platform's package is not installed, or there is none
   * - `ERR_NATIVE_LOAD`: by `require`; the native part is there and cannot be loaded
   *
   * Process warnings have codes too: `WARN_PASSWORD_UNUSED`, a password that Redis does not ask for;
   * `WARN_TLS_UNVERIFIED`, `NODE_TLS_REJECT_UNAUTHORIZED` is 0; `WARN_CA_UNREADABLE`, a file of authorities
   * that a variable names cannot be read; `WARN_RECOVERY_UNSUPPORTED`, `connectionStateRecovery` is set, and the
   * adapter is not that of {@link createStreamsAdapter}.
   */
  code: string;
  /** Of `ERR_SUBSCRIPTION_REFUSED`: the command, such as `SUBSCRIBE`. */
  command?: string;
  /** Of `ERR_SUBSCRIPTION_REFUSED`: the channel, or the pattern. */
  channel?: string;
  /** The connection that it happened on, where it happened on one. */
  connection?: ConnectionName | null;
}

/** A connection, named as the store's properties are. */
export type ConnectionName = 'pub' | 'sub' | 'cmd';

/** The events of connections. Commands are reported under `pub` where they share it. */
export interface BackplaneEvents {
  /** A connection is up; `sub` once all its subscriptions are confirmed, and again after it was degraded. */
  connect: [
    {
      /** The connection that is up. */
      connection: ConnectionName;
      /** The server that it leads to, see {@link ConnectionStats.endpoint}. */
      endpoint: string;
    },
  ];
  /** A connection that was up is lost. */
  disconnect: [
    {
      /** The connection that is lost. */
      connection: ConnectionName;
      /**
       * The server that it led to: `host:port` or a socket's path. Of sharded channels on several nodes of a cluster,
       * the node whose connection is lost.
       */
      endpoint: string;
      /** Why it is lost. */
      error: RedisStoreError;
    },
  ];
  /** The next attempt follows after `delay` ms. */
  reconnecting: [
    {
      /** The connection that is down. */
      connection: ConnectionName;
      /** What it is to lead to, see {@link ConnectionStats.endpoint}. */
      endpoint: string;
      /** The attempt that follows, from 1 on. */
      attempt: number;
      /** The pause before it, in ms. */
      delay: number;
    },
  ];
  /**
   * Messages may have been missed: on `sub` such that others published in this time, on `pub` such
   * that this node published.
   */
  gap: [
    {
      /** The connection that was broken. */
      connection: ConnectionName;
      /** Nothing from before is missing, in ms since the epoch. */
      since: number;
      /** From then until the connection was whole again, in ms. */
      duration: number;
      /** On `pub` what never left, on `sub` what the full mailbox dropped; exactly. */
      dropped: number;
      /** What was written to a connection that broke before Redis answered: it may have arrived. */
      unconfirmed: number;
      /** Of {@link createStreamsAdapter}, the stream that has dropped entries before they were read, if it is one. */
      stream?: string;
      /** The id of the last entry of it that was read before. */
      from?: string;
      /** The id of the first one that is there after that, or of the last one that was added where none is. */
      to?: string;
    },
  ];
  /** Something went wrong that no callback gets. Never thrown. */
  error: [RedisStoreError];
  /** After the end: all that was queued is dealt with. */
  close: [];
}

/** The events of a {@link RedisStore}. */
export interface RedisStoreEvents extends BackplaneEvents {
  /** A message was published with these arguments. */
  publish: [name: string, ...args: any[]];
  /** A subscription was made with these arguments. */
  subscribe: [name: string, consumer?: (...args: any[]) => void, fn?: (error?: RedisStoreError) => void];
  /** A channel was left with these arguments. */
  unsubscribe: [name: string, fn?: (error?: RedisStoreError) => void];
}

/** How full a queue is. */
export interface QueueDepth {
  /** How many wait. */
  messages: number;
  /** How many bytes they take. */
  bytes: number;
}

/** How a connection is. */
export interface ConnectionStats {
  /**
   * - `connecting`: has never been up
   * - `connected`: is up; `sub`: with all its subscriptions confirmed
   * - `degraded`: `sub` is up, and Redis refuses a subscription; see {@link SubscriberStats.refused}
   * - `stalled`: is up, and Redis has not answered for a while
   * - `reconnecting`: was up, and is being opened again
   * - `closed`: the store has been destroyed
   */
  state: 'connecting' | 'connected' | 'degraded' | 'stalled' | 'reconnecting' | 'closed';
  /**
   * While it is up, the server that it leads to: `host:port` or a socket's path; of a cluster, where it takes
   * connections to several nodes (sharded channels, session data), all of these with `, ` between them. Else what
   * you have passed: of a cluster its first node, of Sentinels the master's name.
   */
  endpoint: string;
}

/** How the subscribing connection is. */
export interface SubscriberStats extends ConnectionStats {
  /** The channels and patterns that Redis refuses, up to 100 of them. They are asked for again. */
  refused: string[];
}

/** Figures since the connections were opened. */
export interface BackplaneStats {
  /** Publishes that Redis confirmed. */
  published: number;
  /** Messages that arrived on a subscribed channel. */
  received: number;
  /** Those of them that were handed to the event loop. */
  delivered: number;
  /**
   * Those of them that were broadcasts of Socket.IO 4 for native sockets (`WebSocketServer`): written to these without
   * the event loop. Where others have to get them too, they are among `delivered` as well.
   */
  deliveredNatively: number;
  /** To how many native sockets they were written, all in all. */
  nativeWrites: number;
  /** Those of them that were this node's own, and so were dropped. */
  filteredOwn: number;
  /** Those of them that were broadcasts of Socket.IO 4 for rooms without a socket here. */
  filteredRooms: number;
  /** Those of them that were broadcasts of Socket.IO 4 for another namespace. */
  filteredNamespaces: number;
  /** Responses of Socket.IO 4 that arrived while this server had asked for none: they were to others. */
  filteredResponses: number;
  /** Those of them that were dropped because the mailbox was full; see `overflow`. */
  overflowed: number;
  /** Those of them that could not be understood. */
  malformed: number;
  /** Publishes and commands that never left: the queue was full, or the store destroyed. */
  dropped: number;
  /**
   * Publishes that may or may not have arrived: on a connection that broke before Redis answered, or answered by a
   * former master after it had been replaced (those were `published` before).
   */
  unconfirmed: number;
  /** Connections that came back after an outage. */
  reconnects: number;
  /** Bugs of this package that were contained; each kind is an `error` too. */
  internalErrors: number;
  /** Whether servers of this package tell each other that they are there; `refused`: Redis does not let this one. */
  heartbeat: 'on' | 'off' | 'refused';
  /** How many other processes of this package are there, as their heartbeats tell. */
  peers: number;
  /** What waits, and how much of it. */
  queues: {
    /** What waits to be published or added to a stream, and commands for the same server or cluster. */
    publish: QueueDepth;
    /** Commands that wait for another server or cluster than what is published. */
    command: QueueDepth;
    /** What waits for the event loop. */
    mailbox: QueueDepth;
  };
  /** The connections; `cmd` is that of `pub` where commands share it. */
  connections: Record<'pub' | 'cmd', ConnectionStats> & {
    /** The subscribing connection. */
    sub: SubscriberStats;
  };
}

/** Figures since the store was made. */
export interface RedisStoreStats extends BackplaneStats {
  /** What marks this node's messages. */
  nodeId: string | number;
  /** The WebSockets of the server, where {@link RedisStore.engine} has been called. */
  webSockets?: {
    /** How many are native now. */
    native: number;
    /** How many were left to 0.9, by what stood against it, such as `tls`. */
    fallbacks: Record<string, number>;
  };
}

/**
 * The data of one client, in a Redis hash whose key is the client's id: what `socket.get` and
 * `socket.set` of 0.9 work on. A callback gets an error with the code `ERR_COMMAND_TIMEOUT`,
 * `ERR_QUEUE_FULL`, `ERR_REDIS_REPLY` or `ERR_CLOSED`; without a callback it is an `error`
 * event of the store.
 */
export class Client {
  /** {@link RedisStore.client} makes one where it is needed. */
  constructor(store: RedisStore, id: string);
  /** The store that it belongs to. */
  readonly store: RedisStore;
  /** The client's id, which is the key in Redis. */
  readonly id: string;
  /**
   * Reads a field.
   *
   * @param key the field
   * @param fn gets the text, or `null` when the field is missing; a Buffer where `redisClient` gives one
   *   (`return_buffers`; with `detect_buffers` for a key that is one)
   */
  get(key: string | Buffer, fn?: (error: RedisStoreError | null, value?: any) => void): this;
  /**
   * Writes a field.
   *
   * @param key the field
   * @param value a Buffer is written as it is, anything else as `String(value)`
   * @param fn gets 1 when the field is new, else 0
   */
  set(key: string, value: unknown, fn?: (error: RedisStoreError | null, added?: number) => void): this;
  /**
   * Deletes a field.
   *
   * @param key the field
   * @param fn gets 1, or 0 when the field was missing
   */
  del(key: string, fn?: (error: RedisStoreError | null, deleted?: number) => void): this;
  /**
   * Finds out whether there is such a field.
   *
   * @param key the field
   * @param fn gets `true` or `false`
   */
  has(key: string, fn?: (error: RedisStoreError | null, has?: boolean) => void): this;
  /**
   * Deletes all fields.
   *
   * @param expiration seconds until then; left out, at once
   */
  destroy(expiration?: number): this;
}

/**
 * The store of Socket.IO 0.9 on Redis, in the place of `socket.io@0.9`'s own `RedisStore`: same
 * options, same methods, same wire; the work is done off the event loop.
 *
 * ```js
 * io.set('store', new RedisStore());
 * io.set('store', new RedisStore({ redisPub, redisSub, redisClient }));
 * ```
 *
 * It keeps the process alive until {@link RedisStore.destroy}.
 */
export class RedisStore extends EventEmitter<RedisStoreEvents> {
  /**
   * Connects once the tick is over; what is published before waits in the queue.
   *
   * @throws {TypeError} with code `ERR_INVALID_OPTION` and the name of the option in `option`
   */
  constructor(options?: RedisStoreOptions);
  /** The class of what {@link RedisStore.client} returns. */
  static Client: typeof Client;

  /** The options as they were passed. */
  readonly options: RedisStoreOptions;
  /** The clients whose data has been asked for, by id. */
  clients: Record<string, Client>;
  /** What marks this node's messages. */
  readonly nodeId: string | number;
  /** The client object passed as `redisPub`, else `null`. */
  readonly pub: RedisClientObject | null;
  /** The client object passed as `redisSub`, else `null`. */
  readonly sub: RedisClientObject | null;
  /** The client object passed as `redisClient`, else `null`. */
  readonly cmd: RedisClientObject | null;
  /** The server's manager, which sets it. */
  manager: unknown;

  /**
   * Publishes to the other nodes. While Redis is away it waits in `offlineQueue`.
   *
   * @param name the channel
   * @param args what JSON can hold
   */
  publish(name: string, ...args: unknown[]): void;
  /**
   * Subscribes to a channel, which may have several consumers.
   *
   * @param name the channel
   * @param consumer gets the arguments of what other nodes publish
   * @param fn called once Redis has confirmed; with an error when Redis refuses
   *   (`ERR_SUBSCRIPTION_REFUSED`; it is asked again) or the store is closed (`ERR_CLOSED`)
   */
  subscribe(name: string, consumer?: (...args: any[]) => void, fn?: (error?: RedisStoreError) => void): void;
  /**
   * Leaves a channel with all its consumers.
   *
   * @param name the channel
   * @param fn called once Redis has confirmed; with an error when the store is closed (`ERR_CLOSED`)
   */
  unsubscribe(name: string, fn?: (error?: RedisStoreError) => void): void;
  /** The data of a client; the same object each time, until it is destroyed. */
  client(id: string): Client;
  /** Deletes a client's data, at once or after `expiration` seconds. */
  destroyClient(id: string, expiration?: number): this;
  /**
   * Destroys all clients (their data goes at once or after `expiration` seconds), flushes what is
   * queued for at most `commandTimeout`, and closes; then `close` is emitted. It also ends the
   * client objects that were passed, as 0.9's store does.
   */
  destroy(expiration?: number): void;
  /** Lets the process exit although the store is open. */
  unref(): this;
  /** Takes {@link RedisStore.unref} back: the store keeps the process alive, as it does at first. */
  ref(): this;
  /** Figures for a dashboard or an alarm: counted since the store was made. */
  stats(): RedisStoreStats;
  /**
   * Has the WebSockets of a Socket.IO 0.9 server read and written off the event loop, and broadcasts written to them
   * without it: `io.store.engine(io)`. WebSockets under TLS in Node or on Windows, and transports of other kinds,
   * stay 0.9's. Further calls do nothing.
   *
   * @param io what `listen()` of socket.io 0.9 returned
   * @throws {TypeError} with code `ERR_INVALID_OPTION` when it is something else
   */
  engine(io: object): this;
  /**
   * An adapter for Socket.IO 4 on this store's connections. From then on the store lets the process
   * exit; the connections stay until {@link RedisStore.destroy}.
   *
   * ```js
   * const store = new RedisStore({ redisPub: 'redis://localhost', redisSub: 'redis://localhost' });
   * const io = new Server({ adapter: store.adapter() });
   * ```
   *
   * @throws {TypeError} with code `ERR_INVALID_OPTION` and the name of the option in `option`
   */
  adapter(options?: AdapterOptions): AdapterFactory;
}

/** The options of an adapter; those of `@socket.io/redis-adapter`, and a few more. */
export interface AdapterOptions {
  /** What all channels begin with. Default: `socket.io`. */
  key?: string;
  /** How long the other servers have to answer a request, in ms. Default: 5000. */
  requestsTimeout?: number;
  /**
   * Whether responses go to the server that asked alone, although it may not hear them: adapters before 7.1 do
   * not. Those that are known to hear them get them so anyway. Default: `false`.
   */
  publishOnSpecificResponseChannel?: boolean;
  /**
   * Packs and unpacks messages in the place of MessagePack; all servers must use the same. The work
   * is then done in JavaScript.
   */
  parser?: {
    /** Packs a message. */
    encode: (message: any) => string | Buffer;
    /** Unpacks what `encode` has packed. */
    decode: (payload: Buffer) => any;
  };
  /**
   * Which broadcasts Redis sends to this server.
   * - `pattern`: all of the namespace, by one pattern, as with the official adapter. Those for rooms
   *   without a socket here are dropped off the event loop. Default
   * - `dynamic`: those for all, and those for rooms with sockets here, by one channel for each;
   *   and those for single sockets, by one pattern or, where Redis refuses that, by one channel for each
   * - `dynamic-private`: the same, but by one channel for each socket too
   *
   * Official servers and emitters work with all of them. What they emit to a room right after
   * `socketsJoin(room)` may come before a server that is not in `pattern` hears the room's channel; what
   * servers of this package emit then takes a channel that all hear, for `requestsTimeout`.
   */
  subscriptionMode?: 'pattern' | 'dynamic' | 'dynamic-private';
  /**
   * Whether `fetchSockets()` and the like give what has arrived when a server does not answer in
   * time, with {@link PartialAnswer} in `partial`, in the place of the official rejection. Default: `false`.
   */
  partial?: boolean;
  /**
   * What one message of another server may hold, so that none holds the event loop for long. What
   * exceeds a limit is counted (`malformed`), reported (`ERR_MALFORMED_MESSAGE`) and not delivered. All
   * servers should have the same.
   */
  limits?: {
    /** Rooms, and exceptions. Default: 10000. */
    rooms?: number;
    /** Binary parts. Default: 1000. */
    attachments?: number;
    /**
     * Values (numbers, texts, objects, …) in what is decoded in JavaScript: requests, responses, broadcasts
     * with acknowledgements or with a parser of the application's own. In the list of a response, each item
     * may have as many, since lists are read one part after the other. Default: 100000.
     */
    values?: number;
    /** Bytes, as it crosses Redis; a response that is a list may have 8 times as many. Default: 8388608 (8 MiB). */
    bytes?: number;
  };
}

/** All options of `@socket.io/redis-adapter`, by their type's name there. */
export type RedisAdapterOptions = Required<
  Pick<AdapterOptions, 'key' | 'requestsTimeout' | 'publishOnSpecificResponseChannel' | 'parser'>
>;

/** The options of {@link createAdapter}. */
export interface CreateAdapterOptions extends AdapterOptions, BackplaneOptions {}

/**
 * Makes the adapter of a namespace: what `new Server({ adapter })` and `io.adapter(…)` of Socket.IO 4
 * take. Each adapter is a {@link RedisAdapter}. It throws `ERR_SOCKET_IO_MISSING` where there is no
 * Socket.IO 4.3.1 or later.
 */
export interface AdapterFactory {
  /** Socket.IO calls it for each namespace. */
  (nsp: any): RedisAdapter;
  /**
   * Resolves once all namespaces of the adapter are ready, see {@link RedisAdapter.ready}.
   *
   * ```js
   * const adapter = createAdapter('redis://localhost:6379');
   * const io = new Server({ adapter });
   * await adapter.ready();
   * ```
   *
   * It rejects with `ERR_SUBSCRIPTION_REFUSED` or `ERR_CLOSED`, the latter also where no namespace uses the
   * adapter yet.
   */
  ready(): Promise<void>;
  /**
   * Closes all namespaces of the adapter, see {@link RedisAdapter.close}, and resolves once what was
   * published has left and the connections are closed, after `commandTimeout` at the latest. Before Socket.IO
   * 4.7, `io.close()` does not close adapters: call this after it. The connections of a store stay open.
   */
  close(): Promise<void>;
}

/**
 * An adapter for Socket.IO 4, in the place of `@socket.io/redis-adapter`'s: same arguments, same
 * wire; the work is done off the event loop.
 *
 * ```js
 * const io = new Server({ adapter: createAdapter(pubClient, subClient) });
 * ```
 *
 * Client objects are only asked where they point. The connections are open as long as there is a
 * namespace, and let the process exit once what was published has left.
 *
 * @param pubClient where to publish. Default: `localhost:6379`
 * @param subClient where to subscribe. Default: where to publish
 * @param opts the options
 * @throws {TypeError} with code `ERR_INVALID_OPTION` and the name of the option in `option`
 */
export function createAdapter(
  pubClient?: RedisEndpoint | null,
  subClient?: RedisEndpoint | null,
  opts?: CreateAdapterOptions,
): AdapterFactory;
/**
 * The same with one endpoint for both.
 *
 * @param endpoint where to publish and subscribe
 * @param opts the options
 */
export function createAdapter(endpoint: RedisEndpoint | null | undefined, opts: CreateAdapterOptions): AdapterFactory;

export default createAdapter;

/** The options of {@link createShardedAdapter}. */
export interface CreateShardedAdapterOptions
  extends Pick<AdapterOptions, 'requestsTimeout' | 'partial' | 'limits'>, BackplaneOptions {
  /** What the names of all channels begin with. Default: `socket.io` */
  channelPrefix?: string;
  /**
   * Which channels servers subscribe to; it has to be the same on all of them, official ones too.
   *
   * - `static`: two for each namespace
   * - `dynamic`: one more for each room. Not for the rooms that sockets have under their ids, but for those of
   *   clients of Socket.IO 2 (`allowEIO3`) in namespaces other than `/`, on whose channels official servers publish
   * - `dynamic-private`: one more for each room, those of ids too
   *
   * Default: `dynamic`
   */
  subscriptionMode?: 'static' | 'dynamic' | 'dynamic-private';
}

/**
 * An adapter for Socket.IO 4 on sharded channels, which Redis has from version 7 on: in a cluster each belongs
 * to the nodes of one slot. It stands in the place of the function of this name in `@socket.io/redis-adapter`:
 * same arguments, same wire, and it works together with servers on that one; the work is done off the event
 * loop. A server that has no `SSUBSCRIBE` is an `error` with the code `ERR_SHARDED_UNSUPPORTED`.
 *
 * ```js
 * const io = new Server({ adapter: createShardedAdapter(pubClient, subClient) });
 * ```
 *
 * Official servers have no message that asks for their rooms, nor one for ids or a count: where there are some,
 * `allRooms`, `fetchSocketIds` and `countSockets` cost as much as `fetchSockets`. `remoteJoin`, `remoteLeave` and
 * `remoteDisconnect` resolve once they are sent, since nobody answers them.
 *
 * @param pubClient where to publish. Default: `localhost:6379`
 * @param subClient where to subscribe. Default: where to publish
 * @param opts the options
 * @throws {TypeError} with code `ERR_INVALID_OPTION` and the name of the option in `option`
 */
export function createShardedAdapter(
  pubClient?: RedisEndpoint | null,
  subClient?: RedisEndpoint | null,
  opts?: CreateShardedAdapterOptions,
): AdapterFactory;
/**
 * The same with one endpoint for both.
 *
 * @param endpoint where to publish and subscribe
 * @param opts the options
 */
export function createShardedAdapter(
  endpoint: RedisEndpoint | null | undefined,
  opts: CreateShardedAdapterOptions,
): AdapterFactory;

/** The options of {@link createStreamsAdapter}: those of `@socket.io/redis-streams-adapter`, and a few more. */
export interface CreateStreamsAdapterOptions
  extends Pick<AdapterOptions, 'requestsTimeout' | 'partial' | 'limits'>, BackplaneOptions {
  /** The name of the stream. All servers have to have the same. Default: `socket.io` */
  streamName?: string;
  /**
   * Over how many streams namespaces are spread, in a cluster over as many slots: `socket.io-0`, `socket.io-1` and
   * so on. At most 1024; all servers have to have the same. Default: 1
   */
  streamCount?: number;
  /**
   * How many entries a stream keeps, about (`MAXLEN ~`). It says how long Redis, or a client, may be away without a
   * loss. Default: 10000
   */
  maxLen?: number;
  /** How many entries one `XREAD` brings at most. Default: 100 */
  readCount?: number;
  /** How long an `XREAD` may wait for entries, in ms; it does not delay them. At most 1000 count. Default: 5000 */
  blockTimeInMs?: number;
  /** What the keys of sessions begin with. Default: `sio:session:` */
  sessionKeyPrefix?: string;
  /** What the names of the channels begin with on which servers ask each other. Default: `socket.io` */
  channelPrefix?: string;
  /** Whether these channels are sharded ones, which Redis has from version 7 on. Default: `false` */
  useShardedPubSub?: boolean;
  /**
   * Whether all entries are JSON: for applications that never send anything binary, which JSON does not bring back
   * as such. Default: `false`
   */
  onlyPlaintext?: boolean;
  /** Accepted, and without an effect, as officially. In ms. */
  heartbeatInterval?: number;
  /** Accepted, and without an effect, as officially. In ms. */
  heartbeatTimeout?: number;
  /**
   * When the sessions of clients are written to Redis, with `connectionStateRecovery`:
   *
   * - `on-disconnect`: when a connection breaks, as officially. The sessions of a server that crashes are lost
   * - `always`: when a client connects too, and again when its rooms or `socket.data` change, at most once in a turn
   *   of the event loop, so that its session is there after a crash. What changes `socket.data` beside events of
   *   the client and joins is noticed within 5 s
   *
   * Default: `on-disconnect`
   */
  persistSessions?: 'on-disconnect' | 'always';
  /** The most that one recovery brings; a client that has missed more is not recovered, and gets a new session. */
  recovery?: {
    /** Packets. Default: 10000 */
    packets?: number;
    /** Bytes, about. Default: 16777216 (16 MiB) */
    bytes?: number;
  };
}

/**
 * An adapter for Socket.IO 4 on Redis streams, in the place of `createAdapter` of
 * `@socket.io/redis-streams-adapter`: same arguments, same wire, and it works together with servers on that one. What
 * is broadcast while Redis is away arrives once it is back, as long as the stream still has it: the event `gap` tells
 * when it has not.
 *
 * ```js
 * const io = new Server({
 *   adapter: createStreamsAdapter(client),
 *   connectionStateRecovery: { maxDisconnectionDuration: 2 * 60 * 1000 },
 * });
 * ```
 *
 * With `connectionStateRecovery`, clients that come back, on whatever server, get their id, rooms, `socket.data` and
 * the packets that they missed, in order, none twice and none missing. What is broadcast then reaches the clients of
 * this server too when it comes back from Redis, in the order of the stream; `socketsJoin`, `socketsLeave` and
 * `disconnectSockets` are done then too. While Redis is away, broadcasts reach the clients here without an offset.
 * Volatile packets, and those with an acknowledgement, are not kept for clients.
 *
 * As with {@link createShardedAdapter}, `allRooms`, `fetchSocketIds` and `countSockets` cost as much as
 * `fetchSockets` where there are official servers, and nobody answers `remoteJoin` and the like.
 *
 * @param client where Redis is. Default: `localhost:6379`
 * @param opts the options
 * @throws {TypeError} with code `ERR_INVALID_OPTION` and the name of the option in `option`
 */
export function createStreamsAdapter(client?: RedisEndpoint | null, opts?: CreateStreamsAdapterOptions): AdapterFactory;

/** Which servers have not answered a request. */
export interface PartialAnswer {
  /** How many were asked. */
  expected: number;
  /** How many have answered in time. */
  received: number;
  /** The uids of those that have not, as far as is known: the answers of official servers carry no uid. */
  missing: string[];
}

/** What a result has in addition, when it was allowed to be partial and is. */
export interface MaybePartial {
  /** Which servers have not answered. */
  partial?: PartialAnswer;
}

/** Which sockets a method of a {@link RedisAdapter} is about. */
export interface SocketFilter {
  /** Those in any of these rooms; none means all. */
  rooms?: Iterable<string | number>;
  /** But not those in any of these. */
  except?: Iterable<string | number>;
  /** Flags, as Socket.IO passes them. */
  flags?: {
    /** Whether only this server is asked. */
    local?: boolean;
  };
  /** Overrides the option `partial`. */
  partial?: boolean;
}

/** The events of a {@link RedisAdapter}, next to those of Socket.IO's own adapter. */
export interface RedisAdapterEvents extends BackplaneEvents {
  /** A server has not answered a request that may have a partial answer. */
  partial: [
    PartialAnswer & {
      /** The request: `fetchSockets`, say. */
      request: string;
    },
  ];
  /** A room has got its first socket on this server. */
  'create-room': [room: string];
  /** A room has lost its last socket on this server. */
  'delete-room': [room: string];
  /** A socket of this server has joined a room. */
  'join-room': [room: string, id: string];
  /** A socket of this server has left a room. */
  'leave-room': [room: string, id: string];
}

/** A listener of an event of a {@link RedisAdapter}, or of any other. */
export type RedisAdapterListener<E> = E extends keyof RedisAdapterEvents
  ? (...args: RedisAdapterEvents[E]) => void
  : (...args: any[]) => void;

/**
 * The adapter of a namespace: `io.of('/').adapter`, which {@link createAdapter} makes. What Socket.IO itself
 * calls is left out here. Without Socket.IO 4 it is `undefined`.
 *
 * ```js
 * const { adapter } = io.of('/');
 * if (adapter instanceof RedisAdapter) console.log(await adapter.countSockets());
 * ```
 */
export class RedisAdapter extends Adapter {
  /** Only {@link createAdapter} and {@link RedisStore.adapter} make one. */
  private constructor();
  /** Adds a listener. */
  on<E extends string | symbol>(event: E, listener: RedisAdapterListener<E>): this;
  /** Adds a listener for one time. */
  once<E extends string | symbol>(event: E, listener: RedisAdapterListener<E>): this;
  /** Removes a listener. */
  off<E extends string | symbol>(event: E, listener: RedisAdapterListener<E>): this;
  /** What marks this server's messages in the namespace. */
  readonly uid: string;
  /** The option of that name, in ms. It may be changed. */
  requestsTimeout: number;
  /** The requests that wait for answers, by their ids. */
  readonly requests: ReadonlyMap<string, unknown>;
  /** The broadcasts whose acknowledgements may still come, by their ids. */
  readonly ackRequests: ReadonlyMap<string, unknown>;
  /** The option of that name. */
  readonly publishOnSpecificResponseChannel: boolean;
  /** What packs what is not packed off the event loop: the option `parser`, or notepack.io. */
  readonly parser: NonNullable<AdapterOptions['parser']>;
  /** What was passed as `pubClient`. */
  readonly pubClient: unknown;
  /** What was passed as `subClient`. */
  readonly subClient: unknown;
  /** The ids of the sockets in each room of this server. */
  readonly rooms: Map<string, Set<string>>;
  /** The rooms of each socket of this server. */
  readonly sids: Map<string, Set<string>>;
  /** The channel of broadcasts to all. */
  readonly channel: string;
  /** The channel of requests. */
  readonly requestChannel: string;
  /** The channel of responses. */
  readonly responseChannel: string;
  /** The channel of responses to this server. */
  readonly specificResponseChannel: string;
  /**
   * How many servers take part in the namespace; without Redis, how many there were. It rejects only
   * when Redis refuses `PUBSUB` (`ERR_REDIS_REPLY`), as with the official adapter.
   */
  serverCount(): Promise<number>;
  /**
   * The rooms of all servers.
   *
   * @param opts `partial` overrides the option
   */
  allRooms(opts?: Pick<SocketFilter, 'partial'>): Promise<Set<string> & MaybePartial>;
  /**
   * The sockets of all servers, with handshakes and data; those of others as plain objects, of which
   * `io.fetchSockets()` makes sockets.
   *
   * @param opts which sockets
   */
  fetchSockets(opts: SocketFilter & { rooms: Set<string> }): Promise<any[] & MaybePartial>;
  /**
   * The ids of the sockets of all servers. No handshake crosses Redis.
   *
   * @param opts which sockets; default: all
   */
  fetchSocketIds(opts?: SocketFilter): Promise<Set<string> & MaybePartial>;
  /**
   * The ids of sockets: of all servers up to Socket.IO 4.5, else of this one, as with the official adapters of
   * their times.
   *
   * @param rooms in any of these rooms; none means all
   */
  sockets(rooms: Set<string>): Promise<Set<string>>;
  /**
   * Has one socket join a room, on whatever server it is; `socketsJoin` is newer. It rejects with
   * `ERR_REQUEST_TIMEOUT` when no server has the socket.
   *
   * @param id the socket's
   * @param room which room
   */
  remoteJoin(id: string, room: string): Promise<void>;
  /** The same with `leave`. */
  remoteLeave(id: string, room: string): Promise<void>;
  /** The same with `disconnect`; `close` closes the connection too. */
  remoteDisconnect(id: string, close?: boolean): Promise<void>;
  /**
   * How many sockets there are on all servers. Where all are of this package, only numbers cross
   * Redis.
   *
   * @param opts which sockets; default: all
   */
  countSockets(opts?: SocketFilter): Promise<number>;
  /** Figures for a dashboard or an alarm, of all namespaces on the same connections. */
  stats(): BackplaneStats;
  /**
   * Resolves once Redis has confirmed all subscriptions of the namespace and the publishing connection is up:
   * from then on this server hears the others, and is counted. While Redis is away, it waits. It rejects with
   * `ERR_SUBSCRIPTION_REFUSED` when Redis refuses a subscription, and with `ERR_CLOSED` when the adapter is closed.
   */
  ready(): Promise<void>;
  /**
   * Leaves all channels of the namespace; `io.close()` of Socket.IO 4.7 and later calls it. It resolves at once;
   * what was published leaves still. After that, the methods answer for this server alone, and what only others
   * could answer is an error with `ERR_CLOSED`. When the server listens again, the namespace opens again.
   */
  close(): Promise<void>;
}

/** What {@link WebSocketServer.with} binds. */
export interface WebSocketSettings {
  /**
   * How many bytes may wait for one client, once the kernel takes no more. A client that is so slow is closed
   * with 1013, and counted in `slow`. Default: 16777216 (16 MiB).
   */
  maxBufferedAmount?: number;
  /**
   * How many threads read and write, 1 to 64. All servers of a process (or of a worker thread) share them: those of
   * the first one count. Default: half of the processors, 4 at most.
   */
  threads?: number;
}

/**
 * Why a WebSocket is not native:
 * - `tls`: Node encrypts it. A proxy in front that does so leaves it native
 * - `permessageDeflate`: the option `perMessageDeflate` is on, and the client offers extensions
 * - `platform`: Windows
 * - `noDescriptor`: the runtime does not give its sockets' descriptors away, such as Bun and Deno
 * - `notASocket`: it is another stream than a `net.Socket`
 * - `pendingWrites`: something that was written to the socket before has not left
 * - `failed`: the system gave no descriptor or no thread
 */
export type FallbackReason =
  'tls' | 'permessageDeflate' | 'platform' | 'noDescriptor' | 'notASocket' | 'pendingWrites' | 'failed';

/**
 * What a {@link WebSocketServer} has counted. The first three are its own; the others are of all native
 * connections of the process (or of the worker thread), also of those before.
 */
export interface WebSocketServerStats {
  /** Native connections that are open. */
  native: number;
  /** Connections of ws that are open. */
  ws: number;
  /** How many connections went to ws, by reason; those that there were none of are left out. */
  fallbacks: Partial<Record<FallbackReason, number>>;
  /** Native connections that are open, of all servers. */
  open: number;
  /** Frames that were given to connections. */
  sent: number;
  /** Bytes that the kernel has taken. */
  sentBytes: number;
  /** How often the kernel was asked to. */
  writes: number;
  /** Messages that arrived. */
  received: number;
  /** Bytes that arrived. */
  receivedBytes: number;
  /** Connections that were closed since more than `maxBufferedAmount` waited for them. */
  slow: number;
  /** Connections that were closed since the client broke a rule of the protocol. */
  violations: number;
  /** Volatile packets that were left out, since the connection had something else to write. */
  volatileDropped: number;
  /** Bugs of this package, which were contained. */
  internalErrors: number;
  /** Messages that wait for the event loop. 10,000 of them, or 64 MiB, and no more is read from clients. */
  waiting: number;
  /** Their bytes. */
  waitingBytes: number;
}

/** The options of ws's `WebSocketServer` that change something here; others are ignored. */
export interface WebSocketServerOptions {
  /** The longest message that is taken, in bytes; 0 stands for no limit. Engine.io passes its `maxHttpBufferSize`. Default: 104857600 (100 MiB). */
  maxPayload?: number;
  /** Whether ws is to compress, for clients that offer it: they are not native. Default: `false`. */
  perMessageDeflate?: boolean | object;
  /** Requests for another path are refused with 400. Default: any. */
  path?: string;
  /** Whether {@link WebSocketServer.clients} is kept. Default: `true`. */
  clientTracking?: boolean;
  /** Accepts a client, or not, then with 401: by what it returns, or, with two parameters, by the callback. */
  verifyClient?:
    | ((info: { origin: string | undefined; secure: boolean; req: IncomingMessage }) => boolean)
    | ((
        info: { origin: string | undefined; secure: boolean; req: IncomingMessage },
        callback: (verified: boolean, status?: number, message?: string, headers?: Record<string, string>) => void,
      ) => void);
  /** Chooses one of the subprotocols that a client offers; false stands for none. Default: the first. */
  handleProtocols?: (protocols: Set<string>, req: IncomingMessage) => string | false;
  /** Nothing else is possible: the HTTP server is engine.io's. */
  noServer?: boolean;
  [ignored: string]: unknown;
}

/** The events of a {@link WebSocketServer}. */
export interface WebSocketServerEvents {
  /** A handshake is about to be accepted with these lines, to which more may be added. */
  headers: [headers: string[], req: IncomingMessage];
  /** A handshake is invalid. With a listener, that has to answer and to end the socket. */
  wsClientError: [error: Error, socket: Duplex, req: IncomingMessage];
  /** It is closed. With `clientTracking`: and its connections are gone. */
  close: [];
  /** `ERR_WS_MISSING`; without a listener it goes to the console, once. */
  error: [error: RedisStoreError];
}

/**
 * The WebSocket engine for Socket.IO 4, and for engine.io 6: connections are read and written by threads of their
 * own, off the event loop.
 *
 * ```js
 * const io = new Server(httpServer, { adapter: createAdapter('redis://localhost'), wsEngine: WebSocketServer });
 * ```
 *
 * With the adapter of this package, broadcasts go to native sockets without the event loop. With another one, what
 * each socket is sent and what it sends is read and written natively.
 *
 * What cannot be native is served by the ws of engine.io, see {@link FallbackReason}. All is as with ws, except:
 * text messages come as strings; pings are always answered, and text always has to be UTF-8; `fin: false` and Blobs
 * cannot be sent; `request.socket` looks open, has its addresses, and ends the connection, but reads and
 * writes nothing itself.
 */
export class WebSocketServer extends EventEmitter<WebSocketServerEvents> {
  /**
   * The same class with settings of its own, for `wsEngine`:
   *
   * ```js
   * new Server(httpServer, { wsEngine: WebSocketServer.with({ maxBufferedAmount: 1024 * 1024 }) });
   * ```
   *
   * @throws {TypeError} with code `ERR_INVALID_OPTION` and the name of the option in `option`
   */
  static with(settings: WebSocketSettings): typeof WebSocketServer;

  /**
   * Engine.io makes it.
   * @throws {TypeError} with code `ERR_INVALID_OPTION`, where `port` or `server` is given
   */
  constructor(options?: WebSocketServerOptions);

  /** As they were given. */
  readonly options: WebSocketServerOptions;

  /** The open connections; `undefined` where `clientTracking` is off, as with engine.io. */
  readonly clients?: Set<any>;

  /** Whether a request is for this server: by the option `path`. */
  shouldHandle(req: IncomingMessage): boolean;

  /**
   * Answers a request to upgrade. The callback gets a WebSocket with the interface of ws's.
   * @throws {Error} when the socket has been upgraded already
   */
  handleUpgrade(
    req: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    callback: (webSocket: any, req: IncomingMessage) => void,
  ): void;

  /** Throws: as of a server of ws with `noServer`. */
  address(): never;

  /** Refuses further handshakes, with 503; connections stay. Calls back with the event `close`. */
  close(callback?: (error?: Error) => void): void;

  /** What there is of connections, and why some are not native. */
  stats(): WebSocketServerStats;
}

/** What the options of an {@link Emitter} and of a {@link StreamsEmitter} have in common. */
export interface CommonEmitterOptions extends Omit<BackplaneOptions, 'heartbeat'> {
  /** How long the servers have to answer, and clients to acknowledge unless `timeout()` says, in ms. Default: 5000. */
  requestsTimeout?: number;
  /**
   * Whether `fetchSockets()` and `countSockets()` give what has arrived when a server does not answer in time.
   * Default: `false`.
   */
  partial?: boolean;
  /** What one answer of a server may hold. What exceeds it is counted (`malformed`) and not delivered. */
  limits?: AdapterOptions['limits'];
}

/** The options of an {@link Emitter}: those of `@socket.io/redis-emitter`, and those of its connections. */
export interface EmitterOptions extends CommonEmitterOptions {
  /** What all channels begin with, as the servers have it. Default: `socket.io`. */
  key?: string;
  /**
   * Packs messages in the place of MessagePack; the servers must use the same. The work is then done in JavaScript.
   */
  parser?: {
    /** Packs a message. */
    encode: (message: any) => string | Buffer;
    /** Unpacks what `encode` has packed. Without it, nothing that needs answers can be asked. */
    decode?: (payload: Buffer) => any;
  };
  /**
   * Whether the servers use {@link createShardedAdapter}: what is emitted goes by `SPUBLISH`. Not with `key` and
   * `parser`. Default: `false`.
   */
  sharded?: boolean;
  /** Of `sharded`: what all channels begin with, as the servers have it. Default: `socket.io`. */
  channelPrefix?: string;
  /**
   * The servers' option of that name. Of `sharded` it says which rooms have channels of their own. Else all servers
   * hear everything, but with a mode other than `pattern` what is emitted to a room right after `socketsJoin(room)`
   * takes a channel that all hear. Default: `dynamic` of `sharded`, else `pattern`.
   */
  subscriptionMode?: 'pattern' | 'static' | 'dynamic' | 'dynamic-private';
}

/** The options of a {@link StreamsEmitter}. The first four have to be the servers'. */
export interface StreamsEmitterOptions
  extends
    CommonEmitterOptions,
    Pick<
      CreateStreamsAdapterOptions,
      'streamName' | 'streamCount' | 'channelPrefix' | 'useShardedPubSub' | 'maxLen' | 'onlyPlaintext'
    > {}

/** The events of an {@link Emitter}'s connections. */
export interface EmitterEvents extends BackplaneEvents {
  /** A server has not answered a request that may have a partial answer. */
  partial: RedisAdapterEvents['partial'];
}

/** Any events with any arguments. */
export interface AnyEvents {
  /** The arguments of an event. */
  [event: string]: (...args: any[]) => void;
}

/** The arguments of an event, without its acknowledgement. */
export type EmitArguments<EmitEvents, Event extends keyof EmitEvents> = EmitEvents[Event] extends (
  ...args: infer Args
) => any
  ? Args extends [...infer Before, (...args: any[]) => any]
    ? Before
    : Args
  : never;

/** What {@link Emitter} and {@link EmitterOperator} have in common: they emit to sockets, and change them. */
export interface EmitterMethods<EmitEvents = AnyEvents> {
  /** Those in a room, or in any of several; called again: those in any of all of them. */
  to(room: string | number | Array<string | number>): EmitterOperator<EmitEvents>;
  /** The same as `to`. */
  in(room: string | number | Array<string | number>): EmitterOperator<EmitEvents>;
  /** But not those in a room, or in any of several. */
  except(room: string | number | Array<string | number>): EmitterOperator<EmitEvents>;
  /** What is emitted may be lost where a client is not ready. */
  readonly volatile: EmitterOperator<EmitEvents>;
  /** Whether what is emitted is compressed. */
  compress(compress: boolean): EmitterOperator<EmitEvents>;
  /**
   * How long clients may take to acknowledge what is emitted.
   *
   * @param timeout in ms. Default: the option `requestsTimeout`
   * @throws {TypeError} with code `ERR_INVALID_OPTION`
   */
  timeout(timeout: number): EmitterOperator<EmitEvents>;
  /**
   * Emits an event. While Redis is away it waits in `offlineQueue`.
   *
   * With a callback as the last argument, clients acknowledge it, of Socket.IO 4.5 and later: it gets what they
   * answer, once all have, or an error with the code `ERR_REQUEST_TIMEOUT` and what has come until then. Such an
   * event leaves once Redis has told how its answers come; the first one of a namespace may so be overtaken by
   * what is emitted after it.
   *
   * @throws {Error} when the name is reserved, such as `disconnect`; `ERR_ENCODE`, `ERR_CLOSED`
   */
  emit<Event extends keyof EmitEvents & (string | symbol)>(
    event: Event,
    ...args: [...EmitArguments<EmitEvents, Event>] | [...EmitArguments<EmitEvents, Event>, EmitterCallback]
  ): true;
  /**
   * The same with a promise of what clients answer.
   *
   * @returns rejects with what the callback would get, and has the answers until then as `responses`
   */
  emitWithAck<Event extends keyof EmitEvents & (string | symbol)>(
    event: Event,
    ...args: EmitArguments<EmitEvents, Event>
  ): Promise<any>;
  /** Has the sockets join rooms. @throws {Error} `ERR_CLOSED` */
  socketsJoin(rooms: string | number | Array<string | number>): void;
  /** Has the sockets leave rooms. @throws {Error} `ERR_CLOSED` */
  socketsLeave(rooms: string | number | Array<string | number>): void;
  /**
   * Disconnects the sockets from the namespace.
   *
   * @param close whether their connections are closed too. Default: `false`
   * @throws {Error} `ERR_CLOSED`
   */
  disconnectSockets(close?: boolean): void;
  /**
   * The sockets of all servers.
   *
   * @returns rejects with `ERR_REQUEST_TIMEOUT` when a server does not answer in time, unless the option `partial`
   *   is set; with `ERR_CLOSED`, and with `ERR_REDIS_REPLY` when Redis refuses `PUBSUB NUMSUB`
   */
  fetchSockets(): Promise<Array<EmitterSocket<EmitEvents>> & MaybePartial>;
  /** How many sockets there are on all servers; it rejects as `fetchSockets` does. */
  countSockets(): Promise<number>;
}

/** Gets what clients acknowledge, in the order in which they did; of an {@link EmitterSocket} the one answer. */
export type EmitterCallback = (error: RedisStoreError | null, responses: any) => void;

/** Chooses sockets, and does something with them; each method that chooses gives another one. */
export interface EmitterOperator<EmitEvents = AnyEvents> extends EmitterMethods<EmitEvents> {}

/** A socket of a server, as that has described it. */
export interface EmitterSocket<EmitEvents = AnyEvents> extends Pick<
  EmitterMethods<EmitEvents>,
  'emit' | 'emitWithAck' | 'timeout'
> {
  /** The socket's id. */
  readonly id: string;
  /** Its handshake. */
  readonly handshake: any;
  /** The rooms that it was in. */
  readonly rooms: Set<string>;
  /** What its server had in `socket.data`. */
  readonly data: any;
  /** Has it join rooms. */
  join(rooms: string | string[]): void;
  /** Has it leave rooms. */
  leave(rooms: string | string[]): void;
  /** Disconnects it; `close` closes its connection too. */
  disconnect(close?: boolean): this;
}

/**
 * Emits to the clients of Socket.IO servers from a process that is none, in the place of `Emitter` of
 * `@socket.io/redis-emitter` 5: same arguments, same wire. It reaches servers with {@link createAdapter} and with
 * the official adapters; nothing of Socket.IO has to be installed beside it.
 *
 * ```js
 * const emitter = new Emitter('redis://localhost:6379');
 * emitter.to('room').emit('news', { hello: 'world' });
 * const answers = await emitter.timeout(1000).emitWithAck('question');
 * await emitter.close();
 * ```
 *
 * It has connections of its own, and lets the process exit once what was emitted has left.
 */
export class Emitter<EmitEvents = AnyEvents> {
  /**
   * Connects once the tick is over; what is emitted before waits in the queue.
   *
   * @param redisClient where to publish. Default: `localhost:6379`
   * @param opts the options
   * @param nsp the namespace's name. Default: `/`
   * @throws {TypeError} with code `ERR_INVALID_OPTION` and the name of the option in `option`
   */
  constructor(redisClient?: RedisEndpoint | null, opts?: EmitterOptions | null, nsp?: string);
  /** What was passed as `redisClient`. */
  readonly redisClient: any;
  /** The namespace's name. */
  readonly nsp: string;
  /** The emitter of a namespace, on the same connections. */
  of(nsp: string): Emitter<EmitEvents>;
  /**
   * Emits an event on all servers of the namespace.
   *
   * @throws {Error} when the last argument is a function, as the original does; `ERR_ENCODE`, `ERR_CLOSED`
   */
  serverSideEmit(event: string, ...args: any[]): void;
  /** Adds a listener for an event of the connections. Errors without one go to the console, once in an outage. */
  on<E extends keyof EmitterEvents>(event: E, listener: (...args: EmitterEvents[E]) => void): this;
  /** The same for one time. */
  once<E extends keyof EmitterEvents>(event: E, listener: (...args: EmitterEvents[E]) => void): this;
  /** Removes a listener. */
  off<E extends keyof EmitterEvents>(event: E, listener: (...args: EmitterEvents[E]) => void): this;
  /** Figures for a dashboard or an alarm, of all emitters on the same connections. */
  stats(): BackplaneStats;
  /** Resolves once the publishing connection is up; rejects with `ERR_CLOSED`. While Redis is away, it waits. */
  ready(): Promise<void>;
  /**
   * Closes the connections, of all emitters on them, once what was emitted has left, for at most `commandTimeout` if
   * Redis is away. Resolves when they are closed.
   */
  close(): Promise<void>;
}

export interface Emitter<EmitEvents = AnyEvents> extends EmitterMethods<EmitEvents> {}

/**
 * The same for servers with {@link createStreamsAdapter}, or with `@socket.io/redis-streams-adapter`: what it emits is
 * an entry of the stream, so that clients that come back get it too, and servers that were cut off from Redis.
 *
 * ```js
 * const emitter = new StreamsEmitter('redis://localhost:6379', { streamName: 'chat' });
 * ```
 *
 * `serverSideEmit`, and what wants an answer, goes by Pub/Sub, as between servers.
 */
export class StreamsEmitter<EmitEvents = AnyEvents> extends Emitter<EmitEvents> {
  /**
   * Connects once the tick is over; what is emitted before waits in the queue.
   *
   * @param redisClient where the streams are. Default: `localhost:6379`
   * @param opts the options
   * @param nsp the namespace's name. Default: `/`
   * @throws {TypeError} with code `ERR_INVALID_OPTION` and the name of the option in `option`
   */
  constructor(redisClient?: RedisEndpoint | null, opts?: StreamsEmitterOptions | null, nsp?: string);
  of(nsp: string): StreamsEmitter<EmitEvents>;
}
