'use strict';

/**
 * A server whose event loop its parent blocks: it answers nothing then, and beats. It reads a line from its standard
 * input without the event loop: that is over when the parent writes one.
 */

const { readSync } = require('node:fs');
const { Server } = require('socket.io-4');
const { createAdapter } = require('../../../..');

const [url, ...namespaces] = process.argv.slice(2);
const io = new Server({ adapter: createAdapter(url) });
for (const name of ['/', ...namespaces]) io.of(name);

process.on('message', (message) => {
  if (message === 'close') return io.close();
  process.send('blocked', () => {
    readSync(0, Buffer.alloc(1));
    process.send('free');
  });
});
process.on('disconnect', () => process.exit());

io.of('/')
  .adapter.ready()
  .then(() => process.send({ uid: io.of('/').adapter.uid }));
