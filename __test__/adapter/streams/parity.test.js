'use strict';

/**
 * Suites that know nothing of streams, with `createStreamsAdapter` and `createAdapter` of the official package: both
 * ways between them.
 */

process.env.ADAPTER_WIRE = 'streams';

for (const name of ['acks', 'broadcast', 'fetch', 'flags', 'namespaces', 'order', 'payloads', 'server-side-emit']) {
  require(`../parity/${name}.test.js`);
}
