'use strict';

/**
 * A NestJS gateway on several nodes, with an IoAdapter as Nest's page on WebSockets shows it for
 * `@socket.io/redis-adapter`; what differs: there are no clients to connect before. In plain
 * JavaScript, so that it runs without a build; in TypeScript, write decorators for `decorate`. Start
 * several nodes, each on a port of its own.
 *
 *     PORT=3000 node examples/adapter-nestjs
 *     PORT=3001 node examples/adapter-nestjs
 *
 * To take it away: npm install @nestjs/{common,core,platform-express,websockets,platform-socket.io}
 *   reflect-metadata rxjs socket.io@4 socket.io-redis-native
 * (Here platform-express is left out; to run it here: node -r ./__test__/examples/adapter-modules.js examples/adapter-nestjs)
 */

require('reflect-metadata');
const { Module } = require('@nestjs/common');
const { NestFactory } = require('@nestjs/core');
const { IoAdapter } = require('@nestjs/platform-socket.io');
const { SubscribeMessage, WebSocketGateway, WebSocketServer } = require('@nestjs/websockets');
const { createAdapter } = require('socket.io-redis-native');

const { PORT = '3000', REDIS_HOST = '127.0.0.1', REDIS_PORT = '6379' } = process.env;

class RedisIoAdapter extends IoAdapter {
  #adapterConstructor = createAdapter({ host: REDIS_HOST, port: REDIS_PORT });

  createIOServer(port, options) {
    const server = super.createIOServer(port, options);
    server.adapter(this.#adapterConstructor);
    return server;
  }
}

class ChatGateway {
  handleConnection(socket) {
    socket.emit('welcome', { node: process.pid });
  }

  say(socket, text) {
    this.server.emit('said', { name: 'guest', text, node: process.pid });
  }
}
decorate(ChatGateway, WebSocketGateway());
decorate(ChatGateway, WebSocketServer(), 'server');
decorate(ChatGateway, SubscribeMessage('say'), 'say');

class AppModule {}
decorate(AppModule, Module({ providers: [ChatGateway] }));

/** `@decorator` before a class or before its member. */
function decorate(target, decorator, member) {
  if (member === undefined) decorator(target);
  else decorator(target.prototype, member, Object.getOwnPropertyDescriptor(target.prototype, member));
}

async function main() {
  const app = await NestFactory.create(AppModule, { logger: ['error', 'warn'] });
  app.useWebSocketAdapter(new RedisIoAdapter(app));
  app.enableShutdownHooks();
  await app.listen(PORT);
  console.log(`node ${process.pid} is on http://localhost:${app.getHttpServer().address().port}`);
}

main();
