// SPDX-License-Identifier: BSD-2-Clause
// A resource as an application of node-coap serves it. node-coap has no notion of resources: what is
// allowed on a path, and what it answers, is the application's.
'use strict'

const { badArgument, octets, refused } = require('./arguments')
const { sayEvent } = require('./lines')

const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'FETCH', 'PATCH', 'iPATCH']
const READING = ['GET', 'FETCH']
const KINDS = {
  state: { possible: METHODS, usual: ['GET', 'PUT'] },
  counter: { possible: ['GET', 'POST', 'FETCH'], usual: ['GET', 'POST'] },
  fixed: { possible: METHODS, usual: METHODS }
}

function checkCode (text) {
  if (!/^[2-5]\.([0-2][0-9]|3[01])$/.test(text)) {
    throw badArgument(`code: ${text} is no Response Code such as 2.05`)
  }
  return text
}

class Resource {
  constructor (path, what) {
    this.path = path
    this.kind = what.kind ?? 'state'
    if (!path.startsWith('/')) throw refused(`resource ${path}: a path begins with /`)
    if (!Object.hasOwn(KINDS, this.kind)) throw refused(`${path}: kind ${this.kind} is not known`)
    const methods = what.methods ?? KINDS[this.kind].usual
    const strange = methods.find((method) => !METHODS.includes(method))
    if (strange !== undefined) throw refused(`${path}: method ${strange} is not known`)
    this.methods = methods.filter((method) => KINDS[this.kind].possible.includes(method))
    this.initial = octets('payload', what.payload ?? '')
    this.fixedCode = checkCode(what.code ?? '2.05')
    this.format = what.content_format
    this.processing = (what.processing_ns ?? 0) / 1e6
    this.observable = what.observable === true
    this.observers = new Set()
    this.restore()
  }

  restore () {
    this.payload = this.initial
    this.exists = true
    this.override = null
  }

  sayState (detail) {
    const payload = this.exists ? this.payload.toString('hex') : ''
    sayEvent('state', { path: this.path, detail, payload, code: this.override })
  }

  // What a restart does.
  reset () {
    const same = this.exists && this.override === null && this.payload.equals(this.initial)
    this.observers.clear()
    this.restore()
    if (!same) this.sayState('restart')
  }

  // The command `set`.
  set (given) {
    const code = given.text('code')
    const payload = given.payload()
    if (code === undefined && payload === undefined) {
      throw badArgument('payload, payload-hex or code is needed')
    }
    if (payload !== undefined && this.kind === 'counter' && !/^[0-9]+$/.test(payload.toString())) {
      throw badArgument('payload: a counter is a decimal number')
    }
    let override = this.override
    if (code !== undefined) override = code === 'auto' ? null : checkCode(code)
    const same = override === this.override &&
      (payload === undefined || (this.exists && payload.equals(this.payload)))
    this.override = override
    if (payload !== undefined) this.write(payload)
    if (!same) this.changed('set')
  }

  write (payload) {
    this.payload = payload
    this.exists = true
  }

  changed (detail) {
    this.sayState(detail)
    for (const stream of this.observers) this.notify(stream)
  }

  notify (stream) {
    const { code, payload } = this.content()
    stream.statusCode = code
    stream.write(payload)
    if (code !== '2.05') stream.end()
  }

  // What reading it gives.
  content () {
    if (this.override !== null) return { code: this.override, payload: this.payload, full: true }
    if (this.kind === 'fixed') return { code: this.fixedCode, payload: this.payload, full: true }
    if (!this.exists) return { code: '4.04', payload: Buffer.alloc(0) }
    return { code: '2.05', payload: this.payload, full: true }
  }

  // Does what a request asks for.
  run (method, payload) {
    const fixed = this.override !== null || this.kind === 'fixed'
    if (fixed || READING.includes(method)) return this.content()
    if (this.kind === 'counter') return this.countUp()
    if (method === 'DELETE') return this.remove()
    const created = !this.exists
    const appends = (method === 'POST' || method === 'PATCH') && this.exists
    const written = appends ? Buffer.concat([this.payload, payload]) : payload
    const same = !created && written.equals(this.payload)
    this.write(written)
    if (!same) this.changed('request')
    return { code: created ? '2.01' : '2.04', payload: Buffer.alloc(0) }
  }

  countUp () {
    this.write(Buffer.from(String(BigInt(this.payload.toString() || '0') + 1n)))
    this.changed('request')
    return { code: '2.04', payload: Buffer.alloc(0) }
  }

  remove () {
    const existed = this.exists
    this.exists = false
    if (existed) this.changed('request')
    return { code: '2.02', payload: Buffer.alloc(0) }
  }
}

module.exports = { Resource }
