// Reads FOLDER/reply.xml and FOLDER/reply.json as Node.js programs do, with the modules in MODULES; prints
// `name<TAB>xml|json<TAB>nanoseconds` lines.
// usage: node decode.mjs FOLDER MODULES
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const [folder, modules] = process.argv.slice(2)
const xml = readFileSync(join(folder, 'reply.xml'), 'utf8')
const json = readFileSync(join(folder, 'reply.json'), 'utf8')

const measure = (name, kind, read, times = 5) => {
  const taken = []
  for (let i = 0; i < times; ++i) {
    const start = process.hrtime.bigint()
    read()
    taken.push(Number(process.hrtime.bigint() - start))
  }
  taken.sort((a, b) => a - b)
  console.log([name, kind, taken[taken.length >> 1]].join('\t'))
}

if (existsSync(join(modules, '@vates/xml-rpc'))) {
  const require = createRequire(join(modules, 'any.js'))
  const { parseXml } = require('@vates/xml/parse')
  const { xmlRpcParser } = require('@vates/xml-rpc/parser')
  const parse = () => xmlRpcParser.parse(parseXml(xml, { normalize: false, trim: false }))
  assert.equal(parse().params[0].Status, 'Success')
  measure('@vates/xml-rpc', 'xml', parse)
} else {
  console.log('@vates/xml-rpc was not measured: `cargo xtask test --only e2e` installs it')
}
measure('JSON.parse', 'json', () => JSON.parse(json), 11)
