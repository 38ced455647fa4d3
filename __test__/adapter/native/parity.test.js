'use strict';

/**
 * Suites that know nothing of native sockets, with native sockets: official adapters on our WebSockets too. Those
 * that are about Redis alone add nothing.
 */

process.env.WS_ENGINE = 'native';

for (const name of ['acks', 'broadcast', 'fetch', 'flags', 'members', 'namespaces', 'order', 'payloads', 'versions']) {
  require(`../parity/${name}.test.js`);
}
for (const name of ['deviations', 'payloads']) require(`../differential/${name}.test.js`);
