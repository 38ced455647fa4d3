'use strict';

/**
 * Gets uncaught exceptions in the place of the test runner, which would fail the file for them. What
 * the last of several answers throws is a rejection if that was Redis' count: Socket.IO awaits it.
 * @param {import('node:test').TestContext} t
 * @param {(error: any) => void} callback
 */
function catchUncaught(t, callback) {
  for (const event of ['uncaughtException', 'unhandledRejection']) {
    const others = process.listeners(event);
    process.removeAllListeners(event);
    process.on(event, callback);
    t.after(() => {
      process.removeListener(event, callback);
      for (const other of others) process.on(event, other);
    });
  }
}

module.exports = { catchUncaught };
