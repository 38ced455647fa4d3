'use strict';

/*
 * The names that options objects of the supported clients may have, collected from
 * their READMEs, type declarations and sources. What says where Redis is gets read
 * (options.js); the rest is known here so that a typo can be recognised.
 */

/** The aliases of each thing that we read. The first one wins when several are given. */
const ALIASES = {
  username: ['username', 'user', 'auth_user'],
  password: ['password', 'auth_pass', 'pass'],
  db: ['db', 'database'],
};

/** The options that say that there are many servers, and nothing of one. */
const MANY = [
  'cluster',
  'defaults',
  'dnsLookup',
  'nodeAddressMap',
  'nodeClientOptions',
  'rootNodes',
  'sentinelClientOptions',
  'sentinelRootNodes',
  'sentinelTls',
  'sentinels',
];

/** What the clients call the prefix of all keys: `redis` 2 and 3, `ioredis`. */
const PREFIXES = ['prefix', 'keyPrefix'];

/** Options of `redis` 0.7 to 3 about how that client works. */
const REDIS_CALLBACK = [
  'camel_case',
  'command_queue_high_water',
  'command_queue_low_water',
  'connect_timeout',
  'detect_buffers',
  'disable_resubscribing',
  'enable_offline_queue',
  'max_attempts',
  'no_ready_check',
  'parser',
  'retry_max_delay',
  'retry_strategy',
  'retry_unfulfilled_commands',
  'return_buffers',
  'socket_initial_delay',
  'socket_keepalive',
  'socket_nodelay',
  'string_numbers',
];

/** Options of `redis` 4 to 6 about how that client works. */
const REDIS_PROMISE = [
  'RESP',
  'clientSideCache',
  'commandOptions',
  'commandsQueueMaxLength',
  'disableOfflineQueue',
  'emitInvalidate',
  'functions',
  'himportRegistry',
  'isolationPoolOptions',
  'legacyMode',
  'maintEndpointType',
  'maintMovingEndpointType',
  'maintNotifications',
  'maintPushNotifications',
  'maintRelaxedCommandTimeout',
  'maintRelaxedSocketTimeout',
  'modules',
  'pingInterval',
  'readonly',
  'scripts',
  'unstableResp3',
];

/** Options of `ioredis` 4 to 6 about how that client works, and of its Sentinels, which mean nothing without any. */
const IOREDIS = [
  'autoPipeliningIgnoredCommands',
  'autoResendUnfulfilledCommands',
  'autoResubscribe',
  'blockingTimeout',
  'blockingTimeoutGrace',
  'commandQueue',
  'commandTimeout',
  'connectTimeout',
  'disconnectTimeout',
  'dropBufferSupport',
  'enableAutoPipelining',
  'enableOfflineQueue',
  'enableReadyCheck',
  'enableTLSForSentinelMode',
  'failoverDetector',
  'family',
  'himportFieldsets',
  'keepAlive',
  'lazyConnect',
  'maxLoadingRetryTime',
  'maxRetriesPerRequest',
  'maxScriptsCachingTime',
  'monitor',
  'natMap',
  'noDelay',
  'offlineQueue',
  'preferredSlaves',
  'protocol',
  'readOnly',
  'reconnectOnError',
  'replyMapping',
  'retryStrategy',
  'role',
  'sentinelCommandTimeout',
  'sentinelMaxConnections',
  'sentinelPassword',
  'sentinelReconnectStrategy',
  'sentinelRetryStrategy',
  'sentinelTLS',
  'sentinelUsername',
  'showFriendlyErrorStack',
  'socketTimeout',
  'stringNumbers',
  'updateSentinels',
];

/** Options of clusters and Sentinels, of `redis` 4 to 6 and of `ioredis`, about how that client works. */
const CLUSTERS = [
  'clusterNodeRetryStrategy',
  'clusterRetryStrategy',
  'masterPoolSize',
  'maxCommandRediscovers',
  'maxCommandRedirections',
  'maxRedirections',
  'minimizeConnections',
  'passthroughClientErrorEvents',
  'replicaPoolSize',
  'reserveClient',
  'retryDelayOnClusterDown',
  'retryDelayOnFailover',
  'retryDelayOnMoved',
  'retryDelayOnTryAgain',
  'scaleReads',
  'scanInterval',
  'shardedSubscribers',
  'slotsRefreshInterval',
  'slotsRefreshTimeout',
  'topologyRefreshOnReconnectionAttemptStrategy',
  'useReplicas',
];

/** Known names that change nothing about where Redis is. */
const IGNORED = new Set([...REDIS_CALLBACK, ...REDIS_PROMISE, ...IOREDIS, ...CLUSTERS]);

/** Options of `net.connect` and of redis 4's `socket` that tune a socket (https://nodejs.org/api/net.html). */
const SOCKET_IGNORED = [
  'allowHalfOpen',
  'autoSelectFamily',
  'autoSelectFamilyAttemptTimeout',
  'connectTimeout',
  'family',
  'hints',
  'keepAlive',
  'keepAliveInitialDelay',
  'localAddress',
  'localPort',
  'noDelay',
  'onread',
  'readable',
  'reconnectStrategy',
  'signal',
  'socketTimeout',
  'timeout',
  'writable',
];

const NO_STREAM = 'a connection of your own is not supported; pass host and port, or path.';
const NO_RENAMING = 'renamed commands are not supported; leave it out.';
const NO_SRV = 'SRV records are not looked up; name the nodes by host and port.';
const NO_REDIS_OPTIONS = 'what it says of user, password and TLS stands beside cluster here.';
const NO_OPTIONS =
  'this Sentinel client says nothing of where it connects to; pass in its place the options that it was made ' +
  'with: { name, sentinelRootNodes, nodeClientOptions, … }.';
const NO_POOL =
  'a pool does not say where it connects to; pass a client that createClient has made with the same options.';

/** Known names that we must not ignore, with what to do instead. */
const REFUSED = new Map([
  ['Connector', NO_STREAM],
  ['rename_commands', NO_RENAMING],
  ['redisOptions', NO_REDIS_OPTIONS],
  ['resolveSrv', NO_SRV],
  ['stream', NO_STREAM],
  ['useSRVRecords', NO_SRV],
]);

module.exports = {
  ALIASES,
  IGNORED,
  MANY,
  NO_OPTIONS,
  NO_POOL,
  NO_RENAMING,
  NO_SRV,
  NO_STREAM,
  PREFIXES,
  REFUSED,
  SOCKET_IGNORED,
};
