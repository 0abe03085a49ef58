// SPDX-License-Identifier: BSD-2-Clause
// Arguments of commands (docs/commands.md): all text, in pairs of name and value.
'use strict'

const net = require('net')
const os = require('os')

const MILLISECONDS = { ns: 1e-6, us: 1e-3, ms: 1, s: 1000, min: 60000, h: 3600000 }

// A command that was not carried out; status is the word of the protocol for it.
class CommandError extends Error {
  constructor (status, why) {
    super(why)
    this.status = status
  }
}

const unsupported = (why) => new CommandError('unsupported', why)
const badArgument = (why) => new CommandError('bad-argument', why)
const refused = (why) => new CommandError('refused', why)

function octets (name, text) {
  if (!/^([0-9a-fA-F]{2})*$/.test(text)) {
    throw badArgument(`${name}: ${text.slice(0, 40)} is not hexadecimal octets`)
  }
  return Buffer.from(text, 'hex')
}

function isPair (pair) {
  return Array.isArray(pair) && pair.length === 2 && pair.every((x) => typeof x === 'string')
}

class Arguments {
  // Names outside |known| make the command unsupported; |lists| may come several times.
  constructor (pairs, known, lists = []) {
    if (!Array.isArray(pairs)) throw badArgument('arguments are a list of pairs')
    this.values = new Map()
    for (const pair of pairs) {
      if (!isPair(pair)) throw badArgument(`${JSON.stringify(pair)} is no pair of texts`)
      const [name, value] = pair
      if (!known.includes(name)) throw unsupported(`argument ${name}`)
      if (this.values.has(name) && !lists.includes(name)) {
        throw badArgument(`${name} is given twice`)
      }
      this.values.set(name, [...this.texts(name), value])
    }
  }

  texts (name) {
    return this.values.get(name) ?? []
  }

  text (name) {
    return this.texts(name)[0]
  }

  needed (name) {
    const value = this.text(name)
    if (!value) throw badArgument(`${name} is needed`)
    return value
  }

  number (name, most) {
    const value = this.text(name)
    if (value === undefined) return undefined
    if (!/^[0-9]{1,10}$/.test(value) || Number(value) > most) {
      throw badArgument(`${name}: ${value} is no number from 0 to ${most}`)
    }
    return Number(value)
  }

  // In milliseconds.
  duration (name) {
    const value = this.text(name)
    if (value === undefined) return undefined
    const found = /^([0-9]{1,15})(ns|us|ms|s|min|h)$/.exec(value)
    if (found === null) throw badArgument(`${name}: ${value} is no duration such as 200ms or 5s`)
    return Number(found[1]) * MILLISECONDS[found[2]]
  }

  payload () {
    const text = this.text('payload')
    const hex = this.text('payload-hex')
    if (text !== undefined && hex !== undefined) {
      throw badArgument('payload and payload-hex exclude each other')
    }
    if (text !== undefined) return Buffer.from(text)
    return hex === undefined ? undefined : octets('payload-hex', hex)
  }
}

// `[ff35::1]:5683` or `224.0.1.187:5683`; the port may be missing.
function splitEndpoint (text) {
  const found = /^(?:\[([0-9a-fA-F:.]+)(?:%\w+)?\]|([0-9.]+))(?::([0-9]{1,5}))?$/.exec(text)
  const host = found === null ? '' : found[1] ?? found[2]
  const port = Number(found?.[3] ?? 5683)
  if (net.isIP(host) === 0 || port > 65535) {
    throw badArgument(`${text} is no endpoint such as [ff35::1]:5683`)
  }
  return { host, port, family: net.isIP(host) }
}

function zoneNumber (name) {
  const addresses = os.networkInterfaces()[name] ?? []
  return addresses.find((a) => a.family === 'IPv6' && a.scopeid > 0)?.scopeid ?? name
}

// An endpoint as the events have it: zones are interface numbers.
function endpoint (host, port) {
  const [address, zone] = host.split('%')
  if (net.isIPv4(address)) return `${address}:${port}`
  return zone === undefined ? `[${address}]:${port}` : `[${address}%${zoneNumber(zone)}]:${port}`
}

module.exports = { Arguments, CommandError, unsupported, badArgument, refused, octets, splitEndpoint, endpoint }
