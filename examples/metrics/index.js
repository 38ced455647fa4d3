/**
 * A chat on Socket.IO 4 whose figures Prometheus reads. metrics.js makes the figures of `stats()`, and
 * grafana-dashboard.json is a dashboard that shows them: in Grafana, *Dashboards* → *New* → *Import*.
 *
 *     npm install
 *     PORT=3000 npm start
 *     curl http://localhost:3000/metrics
 *
 * Start several servers, each on a port of its own. REDIS_URL says where Redis is.
 */

import http from 'node:http';
import { Registry, collectDefaultMetrics } from 'prom-client';
import { Server } from 'socket.io';
import { createAdapter, WebSocketServer } from 'socket.io-redis-native';
import { watch, watchWebSockets } from './metrics.js';

const { PORT = '3000', REDIS_URL = 'redis://localhost:6379' } = process.env;

const registry = new Registry();
collectDefaultMetrics({ register: registry }); // memory, CPU and the delay of the event loop

const server = http.createServer((request, response) => {
  if (request.url !== '/metrics') return response.writeHead(404).end();
  registry.metrics().then(
    (text) => response.setHeader('Content-Type', registry.contentType).end(text),
    (error) => response.writeHead(500).end(error.message),
  );
});
const io = new Server(server, { adapter: createAdapter(REDIS_URL), wsEngine: WebSocketServer });
const { adapter } = io.of('/');
adapter.on('error', (error) => console.error(error.code, error.message));
watch(registry, { adapter });
watchWebSockets(registry, io);

io.on('connection', (socket) => {
  socket.on('say', (text) => io.emit('said', { name: 'guest', text, node: process.pid }));
  socket.emit('welcome', { node: process.pid });
});

server.listen(Number(PORT), () => console.log(`node ${process.pid} is on http://localhost:${server.address().port}`));
