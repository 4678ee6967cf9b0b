// Loads a pool by `xen-api`: MODULES URL USER PASSWORD → seconds and number of objects.
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const [modules, url, user, password] = process.argv.slice(2)
const found = createRequire(join(modules, 'x.js')).resolve('xen-api')
const module = await import(pathToFileURL(found))
const createClient = module.createClient ?? module.default.createClient
const xapi = createClient({ url, auth: { user, password }, allowUnauthorized: true, debounce: 10 })
await xapi.connect()
const start = performance.now()
await xapi.objectsFetched
console.log((performance.now() - start) / 1000, Object.keys(xapi.objects.all).length)
process.exit(0)
