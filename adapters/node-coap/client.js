// SPDX-License-Identifier: BSD-2-Clause
// A client as an application of node-coap: one Agent per IP version, as the library's own are.
'use strict'

const { Agent } = require('coap')
const net = require('net')

const { Arguments, badArgument, endpoint, octets, refused } = require('./arguments')
const { complain, sayEvent } = require('./lines')

const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'FETCH', 'PATCH', 'iPATCH']
const KNOWN = ['id', 'uri', 'method', 'type', 'payload', 'payload-hex', 'token', 'no-response',
  'accept', 'content-format', 'observe', 'option', 'timeout']
const GROUP_PATIENCE = 20000 // ms, docs/commands.md
const UNICAST_PATIENCE = 93000

function isGroup (host) {
  if (net.isIPv6(host)) return /^ff/i.test(host)
  const first = Number(host.split('.')[0])
  return (first >= 224 && first < 240) || host === '255.255.255.255'
}

// The parts of a URI, as node-coap itself takes them from one.
function parseUri (text, interfaceName) {
  const found = /^(\w+):\/\/(?:\[([^\]%]+)(?:%\w+)?\]|([0-9.]+))(?::([0-9]{1,5}))?(\/[^?#]*)?(?:\?([^#]*))?$/.exec(text)
  const host = found === null ? '' : found[2] ?? found[3]
  const port = Number(found?.[4] || 5683)
  if (net.isIP(host) === 0 || port > 65535) {
    throw badArgument(`uri: ${text} is not of the form coap://ADDRESS[:PORT]/path?query`)
  }
  if (found[1] !== 'coap') throw refused(`uri: ${text}: node-coap speaks coap alone`)
  const local = /^(fe[89ab][0-9a-f]|ff.[12]):/i.test(host)
  return {
    host: local ? `${host}%${interfaceName}` : host,
    port,
    family: net.isIP(host),
    group: isGroup(host),
    pathname: found[5] ?? '/',
    query: found[6]
  }
}

// Options that node-coap sets by itself in follow-up requests: it replaces them by these names only.
const NAMES = { 23: 'Block2', 27: 'Block1' }

function optionsOf (given) {
  const options = {}
  const noResponse = given.number('no-response', 255)
  if (noResponse !== undefined) options['No-Response'] = Buffer.of(...(noResponse > 0 ? [noResponse] : []))
  for (const text of given.texts('option')) {
    const found = /^([0-9]{1,5})=(.*)$/.exec(text)
    if (found === null || Number(found[1]) > 65535) {
      throw badArgument(`option: ${text} is not of the form number=hex`)
    }
    const name = NAMES[Number(found[1])] ?? found[1]
    options[name] = [...(options[name] ?? []), octets('option', found[2])]
  }
  return options
}

function tokenOf (given) {
  const text = given.text('token')
  if (text === undefined) return undefined
  const token = octets('token', text)
  if (token.length > 8) throw badArgument('token: more than 8 octets')
  if (token.length === 0) throw refused('token: node-coap sends no empty Token')
  return token
}

function confirmableOf (given, target) {
  const type = given.text('type') ?? 'auto'
  if (!['auto', 'NON', 'CON'].includes(type)) {
    throw badArgument(`type: ${type} is none of auto, NON, CON`)
  }
  if (type === 'CON' && target.group) throw refused('type: node-coap makes group requests NON')
  return type === 'NON' ? false : undefined
}

function methodOf (given) {
  const method = given.text('method') ?? 'GET'
  if (!METHODS.includes(method)) throw badArgument(`method: ${method} is none`)
  return method
}

// What coap.request() and Agent.request() take.
function parametersOf (given, target, patience) {
  const parameters = {
    hostname: target.host,
    port: target.port,
    pathname: target.pathname,
    query: target.query,
    method: methodOf(given),
    confirmable: confirmableOf(given, target),
    token: tokenOf(given),
    accept: given.number('accept', 65535),
    contentFormat: given.number('content-format', 65535),
    observe: given.number('observe', 0xffffff),
    options: optionsOf(given)
  }
  if (target.group) Object.assign(parameters, { multicast: true, multicastTimeout: patience })
  return parameters
}

// A request that is going on.
class Exchange {
  constructor (id, target, given, onEnd) {
    this.id = id
    this.target = target
    this.onEnd = onEnd
    this.observes = given.number('observe', 0xffffff) === 0
    const timeout = given.duration('timeout')
    this.patience = timeout ?? (target.group ? GROUP_PATIENCE : UNICAST_PATIENCE)
    this.limited = timeout !== undefined || !this.observes
    this.streams = new Set()
    this.over = false
  }

  begin (agent, parameters, payload) {
    this.agent = agent
    this.request = agent.request(parameters)
    this.request.on('response', (response) => this.take(response))
    this.request.on('error', (e) => this.fail(e))
    this.request.on('timeout', () => this.end('timeout'))
    sayEvent('request', {
      request: this.id,
      peer: endpoint(this.target.host, this.target.port),
      path: this.target.pathname + (this.target.query === undefined ? '' : `?${this.target.query}`),
      code: parameters.method,
      payload: payload?.toString('hex'),
      group: this.target.group,
      timeout_ns: Math.round(this.patience * 1e6)
    })
    this.request.end(payload)
    if (this.limited) this.timer = setTimeout(() => this.end('timeout'), this.patience)
  }

  take (response) {
    if (this.over) return
    if (response.code === '0.00') return this.target.group ? undefined : this.end('reset')
    const notifies = this.observes && response.headers.Observe !== undefined &&
      typeof response.close === 'function'
    if (!notifies) {
      this.deliver(response, response.payload)
      if (!this.target.group) this.end('answered')
      return
    }
    this.streams.add(response)
    response.on('data', (payload) => { if (!this.over) this.deliver(response, payload) })
    response.on('error', (e) => complain(`node-coap: ${e.message}`))
  }

  deliver (response, payload) {
    sayEvent('deliver', {
      request: this.id,
      peer: endpoint(response.rsinfo.address, response.rsinfo.port),
      code: response.code,
      payload: payload?.toString('hex'),
      group: this.target.group,
      ...this.described(response)
    })
  }

  // Of a notification node-coap only tells the content.
  described (response) {
    if (this.streams.has(response)) return {}
    const { messageId, token, confirmable, ack } = response._packet
    const type = confirmable ? 'CON' : ack ? 'ACK' : 'NON'
    return { mid: messageId, token: token.toString('hex'), type }
  }

  fail (e) {
    complain(`node-coap: request ${this.id}: ${e.message}`)
    this.end(e.retransmitTimeout === undefined ? 'failed' : 'timeout')
  }

  // The application stops listening. A group request ends inside node-coap by its own timer.
  end (detail) {
    if (this.over) return
    this.over = true
    clearTimeout(this.timer)
    const gaveUp = detail === 'cancelled' || (detail === 'timeout' && !this.target.group)
    for (const stream of this.streams) stream.close()
    if (gaveUp && this.streams.size === 0) this.agent.abort(this.request)
    this.onEnd(this.id)
    sayEvent('done', { request: this.id, detail, group: this.target.group })
  }
}

class Client {
  constructor (start) {
    this.port = start.port || undefined
    this.interface = start.interface ?? 'lan0'
    this.agents = new Map()
    this.exchanges = new Map()
  }

  verbs () {
    return {
      request: (pairs) => this.request(pairs),
      forget: (pairs) => this.forget(pairs),
      restart: (pairs) => this.restart(pairs)
    }
  }

  async open () {}

  agent (family) {
    if (!this.agents.has(family)) {
      const agent = new Agent({ type: `udp${family}`, port: this.port })
      agent.on('error', (e) => complain(`node-coap: ${e.message}`))
      this.agents.set(family, agent)
    }
    return this.agents.get(family)
  }

  request (pairs) {
    const given = new Arguments(pairs, KNOWN, ['option'])
    const id = given.needed('id')
    const target = parseUri(given.needed('uri'), this.interface)
    const payload = given.payload()
    if (this.exchanges.has(id)) throw refused(`id: ${id} is going on`)
    const exchange = new Exchange(id, target, given, (over) => this.exchanges.delete(over))
    const parameters = parametersOf(given, target, exchange.patience)
    this.exchanges.set(id, exchange)
    try {
      exchange.begin(this.agent(target.family), parameters, payload)
    } catch (e) {
      this.exchanges.delete(id)
      throw e
    }
  }

  forget (pairs) {
    const id = new Arguments(pairs, ['of']).needed('of')
    const exchange = this.exchanges.get(id)
    if (exchange === undefined) throw badArgument(`of: no request ${id} is going on`)
    exchange.end('cancelled')
  }

  endAll (detail) {
    for (const exchange of [...this.exchanges.values()]) exchange.end(detail)
  }

  async restart (pairs) {
    const port = new Arguments(pairs, ['port']).number('port', 65535)
    this.endAll('restart')
    this.closeAgents()
    this.port = port ?? this.port
    sayEvent('restart')
  }

  // An Agent closes its socket by itself after its last request; close() throws when it did.
  closeAgents () {
    for (const agent of this.agents.values()) {
      try {
        agent.close()
      } catch (e) {
        if (e.code !== 'ERR_SOCKET_DGRAM_NOT_RUNNING') throw e
      }
    }
    this.agents.clear()
  }

  async close () {
    this.endAll('cancelled')
    this.closeAgents()
  }
}

module.exports = { Client }
