// SPDX-License-Identifier: BSD-2-Clause
// The protocol of docs/plugins.md from the program's side: JSON Lines in and out.
'use strict'

const fs = require('fs')

const LONGEST_LINE = 256 * 1024

function complain (text) {
  process.stderr.write(`adapter: ${text}\n`)
}

// Written at once: what is said before the program ends must not be lost.
function say (message) {
  let rest = Buffer.from(JSON.stringify(message) + '\n')
  while (rest.length > 0) {
    try {
      rest = rest.subarray(fs.writeSync(1, rest))
    } catch (e) {
      if (e.code !== 'EAGAIN') throw e
    }
  }
}

// Members that say nothing are left out.
function sayEvent (event, members = {}) {
  const told = Object.entries(members).filter(
    ([, value]) => value !== undefined && value !== null && value !== '' && value !== false)
  say({ event: { event, ...Object.fromEntries(told) } })
}

function isObject (value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function decode (line) {
  const text = line.toString('utf8')
  if (text.trim() === '') return null
  try {
    const message = JSON.parse(text)
    if (isObject(message)) return message
    complain(`a line is no JSON object: ${text.slice(0, 80)}`)
  } catch (e) {
    complain(`a line is not JSON (${e.message}): ${text.slice(0, 80)}`)
  }
  return null
}

// Calls onMessage for each message of standard input, and onEnd at its end.
function read (onMessage, onEnd) {
  let pending = Buffer.alloc(0)
  let skipping = false
  const skip = () => {
    if (!skipping) complain(`a line of more than ${LONGEST_LINE} octets was skipped`)
    skipping = true
  }
  process.stdin.on('data', (octets) => {
    pending = Buffer.concat([pending, octets])
    for (let end; (end = pending.indexOf(10)) >= 0; pending = pending.subarray(end + 1)) {
      if (end > LONGEST_LINE) skip()
      const message = skipping ? null : decode(pending.subarray(0, end))
      skipping = false
      if (message !== null) onMessage(message)
    }
    if (pending.length > LONGEST_LINE) {
      skip()
      pending = Buffer.alloc(0)
    }
  })
  process.stdin.on('end', onEnd)
}

module.exports = { complain, say, sayEvent, isObject, read }
