// SPDX-License-Identifier: BSD-2-Clause
// A server as an application of node-coap. Its sockets are the application's, which node-coap
// offers: a socket of its own could be a member of one group only.
'use strict'

const coap = require('coap')
const dgram = require('dgram')
const net = require('net')
const { once } = require('events')

const { Arguments, badArgument, endpoint, refused, splitEndpoint } = require('./arguments')
const { complain, sayEvent } = require('./lines')
const { Resource } = require('./resource')
const { resourcesOf } = require('./tree')

// The IP versions of a node's addresses and groups.
function familiesOf (start) {
  const texts = [...(start.addresses ?? []), ...(start.groups ?? [])]
  const families = texts.map((text) => (net.isIP(text) || splitEndpoint(text).family))
  return families.length > 0 ? [...new Set(families)] : [6]
}

class Server {
  constructor (start) {
    this.port = start.port || 5683
    this.interface = start.interface ?? 'lan0'
    this.addresses = start.addresses ?? []
    this.families = familiesOf(start)
    this.groups = start.groups ?? []
    this.joined = new Set()
    this.sockets = new Map()
    this.servers = []
    this.resources = new Map(Object.entries(resourcesOf(start))
      .map(([path, what]) => [path, new Resource(path, what)]))
  }

  verbs () {
    return {
      set: (pairs) => this.set(pairs),
      join: (pairs) => this.join(pairs),
      leave: (pairs) => this.leave(pairs),
      restart: (pairs) => this.restart(pairs)
    }
  }

  async open () {
    for (const family of this.families) await this.listen(family)
    for (const group of this.groups) this.joinGroup(group)
  }

  async listen (family) {
    const socket = dgram.createSocket({ type: `udp${family}`, reuseAddr: true, ipv6Only: family === 6 })
    socket.bind(this.port)
    await once(socket, 'listening')
    const server = coap.createServer({ type: `udp${family}` })
    server.on('request', (request, response) => this.answer(request, response))
    server.on('error', (e) => complain(`node-coap: ${e.message}`))
    server.listen(socket)
    this.sockets.set(family, socket)
    this.servers.push(server)
  }

  async close () {
    for (const server of this.servers) server.close()
    for (const socket of this.sockets.values()) {
      socket.close()
      await once(socket, 'close')
    }
    this.servers = []
    this.sockets.clear()
  }

  // ---- groups ----

  membership (text) {
    const { host, port, family } = splitEndpoint(text)
    if (port !== this.port) throw refused(`group ${text}: the server has port ${this.port} alone`)
    const socket = this.sockets.get(family)
    if (socket === undefined) throw refused(`group ${text}: the server has no address of IPv${family}`)
    const local = this.addresses.find((address) => net.isIPv4(address))
    return { socket, host, through: family === 6 ? `::%${this.interface}` : local, name: endpoint(host, port) }
  }

  joinGroup (text) {
    const { socket, host, through, name } = this.membership(text)
    if (this.joined.has(name)) return
    try {
      socket.addMembership(host, through)
    } catch (e) {
      throw refused(`group ${text}: ${e.message}`)
    }
    this.joined.add(name)
    sayEvent('join', { peer: name })
  }

  join (pairs) {
    this.joinGroup(new Arguments(pairs, ['group']).needed('group'))
  }

  leave (pairs) {
    const text = new Arguments(pairs, ['group']).needed('group')
    const { socket, host, through, name } = this.membership(text)
    if (!this.joined.delete(name)) throw badArgument(`group: the server is no member of ${text}`)
    socket.dropMembership(host, through)
    sayEvent('leave', { peer: name })
  }

  // ---- requests ----

  answer (request, response) {
    const [path] = request.url.split('?')
    const resource = this.resources.get(path)
    if (resource === undefined) return this.respond(response, { code: '4.04' })
    if (!resource.methods.includes(request.method)) return this.respond(response, { code: '4.05' })
    this.sayExecute(request)
    const result = resource.run(request.method, request.payload)
    if (resource.processing === 0) return this.finish(resource, request, response, result)
    setTimeout(() => this.finish(resource, request, response, result), resource.processing)
  }

  sayExecute (request) {
    const { messageId, token, confirmable } = request._packet
    sayEvent('execute', {
      path: request.url,
      peer: endpoint(request.rsinfo.address, request.rsinfo.port),
      code: request.method,
      mid: messageId,
      token: token.toString('hex'),
      type: confirmable ? 'CON' : 'NON',
      payload: request.payload.toString('hex')
    })
  }

  finish (resource, request, response, result) {
    if (this.servers.length === 0) return // it was closed meanwhile
    if (result.full && resource.format !== undefined) {
      response.setOption('Content-Format', resource.format)
    }
    const observes = request.headers.Observe === 0 && resource.observable && result.code === '2.05'
    if (!observes) return this.respond(response, result)
    response.statusCode = result.code
    response.write(result.payload)
    resource.observers.add(response)
    response.on('finish', () => resource.observers.delete(response))
  }

  respond (response, result) {
    response.statusCode = result.code
    response.on('error', (e) => complain(`node-coap: ${e.message}`))
    if (result.payload?.length > 0) response.end(result.payload)
    else response.end()
  }

  // ---- commands ----

  set (pairs) {
    const given = new Arguments(pairs, ['path', 'payload', 'payload-hex', 'code'])
    const path = given.needed('path')
    const resource = this.resources.get(path)
    if (resource === undefined) throw badArgument(`path: there is no resource ${path}`)
    resource.set(given)
  }

  async restart (pairs) {
    new Arguments(pairs, []) // eslint-disable-line no-new
    const configured = this.groups.map((text) => this.membership(text).name)
    await this.close()
    sayEvent('restart')
    for (const resource of this.resources.values()) resource.reset()
    const gone = [...this.joined].filter((name) => !configured.includes(name))
    for (const name of gone) sayEvent('leave', { peer: name })
    this.joined.clear()
    await this.open()
  }
}

module.exports = { Server, familiesOf }
