'use strict';

const ignore = () => {};

/**
 * Ends a client object that the application passed, as 0.9's store does in `destroy()`, whatever state
 * it is in. What it had not yet sent is given up, and it connects no more.
 * @param {any} client of `redis` 0.7 to 6 or `ioredis` 4 to 6, or null
 */
function endClient(client) {
  if (client === null) return;
  if ('isOpen' in client) {
    endModernRedis(client);
  } else if (typeof client.disconnect === 'function') {
    client.disconnect(); // ioredis
  } else {
    endCallbackRedis(client);
  }
}

/** redis 4 to 6: closing what is not open is an error there. */
function endModernRedis(client) {
  if (!client.isOpen) return;
  if (typeof client.destroy === 'function') {
    client.destroy();
  } else {
    // It rejects when the application closes it at the same time, and then all is well.
    client.disconnect().catch(ignore);
  }
}

/**
 * redis 0.7 to 3. `end()` of 0.7 and 0.8 takes all listeners off the socket and leaves the timer of the
 * next attempt alone: an attempt that fails then is an uncaught exception, now or later.
 */
function endCallbackRedis(client) {
  // The global one: under fake timers the client has one of theirs.
  globalThis.clearTimeout(client.retry_timer);
  client.retry_timer = null;
  // 0.7 does not set it: it would go on connecting, without a listener for errors.
  client.closing = true;
  const { connected, stream } = client;
  client.end(false); // `false` says that nothing is owed to pending callbacks
  stream.on('error', ignore);
  // What is written leaves; 0.7 would wait for Redis to hang up.
  if (connected) stream.destroySoon();
  else stream.destroy();
}

module.exports = { endClient };
