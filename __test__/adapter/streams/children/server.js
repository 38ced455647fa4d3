'use strict';

/** A server that another process kills. Its parent says where Redis is, and what a client joins and carries. */

const { Server } = require('socket.io-4');
const { createStreamsAdapter } = require('../../../..');

const [, , url, opts] = process.argv;
const adapter = createStreamsAdapter(url, JSON.parse(opts));
const io = new Server({ adapter, connectionStateRecovery: {} });

io.on('connection', (socket) => {
  socket.on('join', (/** @type {string} */ room, /** @type {() => void} */ done) => {
    socket.join(room);
    done();
  });
  socket.on('carry', (/** @type {any} */ data, /** @type {() => void} */ done) => {
    socket.data.carried = data;
    done();
  });
});
io.listen(0);
const { httpServer } = /** @type {any} */ (io);
httpServer.on('listening', async () => {
  await adapter.ready();
  process.send?.({ port: httpServer.address().port });
});
process.on('message', (/** @type {any} */ [room, ...event]) => {
  const to = room === null ? io : io.to(room);
  to.emit(...event);
});
process.on('disconnect', () => process.exit());
