// SPDX-License-Identifier: BSD-2-Clause
// The resources to serve: those of the start message, else the standard tree of docs/adapters.md.
'use strict'

const fs = require('fs')
const { refused } = require('./arguments')
const { isObject } = require('./lines')

function standardTree () {
  const file = process.env.CHORUS_TREE
  if (!file) throw refused('no resources are given, and CHORUS_TREE does not name the standard tree')
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8'))
  } catch (e) {
    throw refused(`CHORUS_TREE: ${e.message}`)
  }
}

function resourcesOf (start) {
  const tree = start.resources ?? standardTree()
  if (!isObject(tree) || !Object.values(tree).every(isObject)) {
    throw refused('resources: an object of resources by path is needed')
  }
  return tree
}

module.exports = { resourcesOf }
