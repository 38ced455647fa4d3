// The types of the WebSocket engine, as an application uses them. `tsc` is the test.

import { createServer } from 'node:http';
import { Server } from 'socket.io-4';
import {
  createAdapter,
  WebSocketServer,
  type FallbackReason,
  type WebSocketServerEvents,
  type WebSocketServerOptions,
  type WebSocketServerStats,
  type WebSocketSettings,
} from '../..';

const settings: WebSocketSettings = { maxBufferedAmount: 1024, threads: 2 };
const httpServer = createServer();
const io = new Server(httpServer, { adapter: createAdapter('redis://localhost'), wsEngine: WebSocketServer });
new Server(httpServer, { wsEngine: WebSocketServer.with(settings) });

const options: WebSocketServerOptions = {
  noServer: true,
  maxPayload: 1000,
  perMessageDeflate: { threshold: 1024 },
  path: '/ws',
  clientTracking: false,
  verifyClient: ({ origin, secure, req }) => origin === 'https://example.org' && secure && req.url === '/ws',
  handleProtocols: (protocols) => protocols.has('chat') && 'chat',
  skipUTF8Validation: true,
};
const server = new WebSocketServer(options);
const other: WebSocketServer = new (WebSocketServer.with({}))({
  verifyClient: ({ req }, callback) => callback(req.method === 'GET', 403, 'No', { 'X-Why': 'no' }),
});
httpServer.on('upgrade', (req, socket, head) => {
  if (server.shouldHandle(req)) server.handleUpgrade(req, socket, head, (webSocket) => webSocket.send('hello'));
});
server.on('headers', (headers: string[], req) => headers.push(`X-Url: ${req.url}`));
server.on('wsClientError', (error, socket) => socket.destroy(error));
server.on('error', ({ code }) => console.error(code));
other.close((error?: Error) => console.log(error?.message, other.clients?.size));

const stats: WebSocketServerStats = server.stats();
const reason: FallbackReason = 'tls';
const counted: number | undefined = stats.fallbacks[reason];
const event: keyof WebSocketServerEvents = 'close';

// @ts-expect-error -- it is a number of bytes
WebSocketServer.with({ maxBufferedAmount: '1 MiB' });
// @ts-expect-error -- there is no such setting
WebSocketServer.with({ maxBuffered: 1 });

export { counted, event, io };
