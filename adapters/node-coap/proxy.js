// SPDX-License-Identifier: BSD-2-Clause
// node-coap's own proxy: a server with `proxy: true`. Requests without Proxy-Uri are the
// application's, which has nothing to serve.
'use strict'

const coap = require('coap')
const { once } = require('events')

const { Arguments } = require('./arguments')
const { complain, sayEvent } = require('./lines')
const { familiesOf } = require('./server')

class Proxy {
  constructor (start) {
    this.port = start.port || 5683
    this.families = familiesOf(start)
    this.servers = []
  }

  verbs () {
    return { restart: (pairs) => this.restart(pairs) }
  }

  async open () {
    for (const family of this.families) {
      const server = coap.createServer({ type: `udp${family}`, proxy: true })
      server.on('error', (e) => complain(`node-coap: ${e.message}`))
      server.on('request', (request, response) => {
        response.statusCode = '4.04'
        response.end()
      })
      await new Promise((resolve, reject) => {
        server.listen(this.port, (e) => { e instanceof Error ? reject(e) : resolve() })
      })
      this.servers.push(server)
    }
  }

  async close () {
    for (const server of this.servers) {
      const closed = once(server, 'close')
      server.close()
      await closed
    }
    this.servers = []
  }

  async restart (pairs) {
    new Arguments(pairs, []) // eslint-disable-line no-new
    await this.close()
    await this.open()
    sayEvent('restart')
  }
}

module.exports = { Proxy }
