'use strict';

/** As little of `@nestjs/platform-express`, which is not installed here, as an application without routes needs. */

const http = require('node:http');
const { AbstractHttpAdapter } = require('@nestjs/core');

class ExpressAdapter extends AbstractHttpAdapter {
  constructor() {
    super({});
  }

  initHttpServer() {
    this.setHttpServer(http.createServer());
  }

  listen(port, ...args) {
    return this.httpServer.listen(port, ...args);
  }

  async close() {
    this.httpServer.close();
    this.httpServer.closeAllConnections();
  }

  getType() {
    return 'express';
  }

  createMiddlewareFactory() {
    return () => {};
  }

  registerParserMiddleware() {}
  setErrorHandler() {}
  setNotFoundHandler() {}
  applyVersionFilter() {}
  use() {}
  get() {}
}

module.exports = { ExpressAdapter };
