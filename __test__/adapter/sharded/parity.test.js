'use strict';

/**
 * Suites that know nothing of sharded channels, with `createShardedAdapter`, official and ours: both ways between
 * them, in each mode. Those that are about the messages of the other wire are not among them.
 */

process.env.ADAPTER_WIRE = 'sharded';

for (const name of [
  'acks',
  'broadcast',
  'emitters',
  'fetch',
  'flags',
  'namespaces',
  'order',
  'payloads',
  'server-side-emit',
]) {
  require(`../parity/${name}.test.js`);
}
