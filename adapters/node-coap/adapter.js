// SPDX-License-Identifier: BSD-2-Clause
// Makes node-coap drivable by Chorus: docs/plugins.md, rung d; roles server, client and proxy.
'use strict'

const { Arguments, badArgument, refused, unsupported, CommandError } = require('./arguments')
const { complain, isObject, read, say } = require('./lines')

const CLOSING_TIME = 1500 // ms, of the 2 s that a program has to end
const ROLES = {
  server: () => require('./server').Server,
  client: () => require('./client').Client,
  proxy: () => require('./proxy').Proxy
}

let node = null
let queue = Promise.resolve()
let ending = false

function runVerb (command) {
  if (typeof command.verb !== 'string') throw badArgument('a command needs a verb')
  const verbs = node.verbs()
  if (!Object.hasOwn(verbs, command.verb)) throw unsupported(`verb ${command.verb}`)
  return verbs[command.verb](command.arguments ?? [])
}

// Says by the timers that node-coap uses, too, when a time is over.
function wait (number, pairs) {
  const given = new Arguments(pairs, ['for'])
  given.needed('for')
  setTimeout(() => say({ reply: number, status: 'ok' }), given.duration('for'))
}

async function obey (message) {
  if (!isObject(message.command) || !Number.isInteger(message.id)) {
    complain(`neither a command with an id nor stop: ${JSON.stringify(message).slice(0, 80)}`)
    return
  }
  try {
    if (message.command.verb === 'wait') return wait(message.id, message.command.arguments ?? [])
    await runVerb(message.command)
    say({ reply: message.id, status: 'ok' })
  } catch (e) {
    if (!(e instanceof CommandError)) complain(e.stack)
    const why = e instanceof CommandError ? e.message : `node-coap: ${e.message}`
    say({ reply: message.id, status: e.status ?? 'refused', why })
  }
}

async function begin (start) {
  try {
    if (start.protocol !== 1) throw refused('this adapter speaks protocol 1')
    if (!Object.hasOwn(ROLES, start.role)) {
      throw refused(`role ${start.role}: this adapter knows ${Object.keys(ROLES).join(', ')}`)
    }
    const Role = ROLES[start.role]()
    const made = new Role(start)
    await made.open()
    node = made
  } catch (e) {
    say({ refused: e instanceof CommandError ? e.message : `${e.name}: ${e.message}` })
    process.exit(0)
  }
  const { version } = require('coap/package.json')
  say({ ready: { protocol: 1, stack: 'node-coap', version, adapter: '1' } })
}

async function end () {
  if (ending) return
  ending = true
  setTimeout(() => {
    complain(`node-coap was not closed within ${CLOSING_TIME} ms`)
    process.exit(0)
  }, CLOSING_TIME)
  if (node !== null) await node.close()
  process.exit(0)
}

async function handle (message) {
  if ('stop' in message) return end()
  if (node !== null) return obey(message)
  if (isObject(message.start)) return begin(message.start)
  complain('expected {"start": {...}} before anything else')
}

// One message after the other, as they came.
read((message) => { queue = queue.then(() => handle(message)) },
  () => { queue = queue.then(end) })
