'use strict';

/**
 * Ends a client object that the application passed, as 0.9's store does in `destroy()`. What it
 * had not yet sent is given up.
 * @param {any} client of `redis` 0.7 to 6 or `ioredis` 4 to 6, or null
 */
function endClient(client) {
  if (client === null) return;
  if ('isOpen' in client) {
    endModernRedis(client);
  } else if (typeof client.disconnect === 'function') {
    client.disconnect(); // ioredis
  } else {
    client.end(false); // redis 0.7 to 3; `false` says that nothing is owed to pending callbacks
  }
}

/** redis 4 to 6: closing what is not open is an error there. */
function endModernRedis(client) {
  if (!client.isOpen) return;
  if (typeof client.destroy === 'function') {
    client.destroy();
  } else {
    // It rejects when the application closes it at the same time, and then all is well.
    client.disconnect().catch(() => {});
  }
}

module.exports = { endClient };
