// Uses `xen-api` over TLS and JSON-RPC against a pool whose hosts have their own addresses, and lets the master change under it.
// usage: node hosts.mjs MASTER MEMBER USER PASSWORD
import assert from 'node:assert/strict'
import { request } from 'node:https'
import { createClient } from 'xen-api'

const [master, member, user, password] = process.argv.slice(2)

/** Lets something go wrong. */
const fault = text =>
  new Promise((resolve, reject) => {
    const options = { method: 'POST', auth: `${user}:${password}`, rejectUnauthorized: false }
    const sent = request(`${master}/xenoxide/faults`, options, answer => {
      answer.resume()
      answer.on('end', () => (answer.statusCode === 200 ? resolve() : reject(new Error(`status ${answer.statusCode}`))))
    })
    sent.on('error', reject)
    sent.end(text)
  })

// A certificate that nobody vouches for is refused, unless it is asked not to be.
const strict = createClient({ url: master, auth: { user, password }, watchEvents: false })
await assert.rejects(strict.connect(), /self-signed|SELF_SIGNED/)

// The client finds the master from any host.
const xapi = createClient({ url: member, auth: { user, password }, allowUnauthorized: true, debounce: 10 })
await xapi.connect()
await xapi.objectsFetched
assert.equal(xapi.status, 'connected')

const objects = () => Object.values(xapi.objects.all)
const hosts = objects().filter(it => it.$type === 'host')
assert.ok(hosts.length >= 2, `${hosts.length} hosts`)
assert.equal(xapi.pool.$master.$type, 'host')
assert.equal(xapi.pool.$master.address, new URL(master).hostname)

const vms = objects().filter(it => it.$type === 'VM' && !it.is_a_template && !it.is_a_snapshot && !it.is_control_domain)
const possible = await Promise.all(vms.map(vm => xapi.call('VM.get_possible_hosts', vm.$ref)))
const vm = vms.find((vm, i) => vm.power_state === 'Halted' && possible[i].length > 0)
assert.ok(vm, 'no halted VM that can start')

// Getters and setters of every kind, and a barrier that waits for them to come back as events.
await xapi.setField('VM', vm.$ref, 'name_description', 'one\ntwo "three" <four> 五')
await xapi.setFieldEntry('VM', vm.$ref, 'other_config', 'colour', 'green')
await xapi.setFieldEntry('VM', vm.$ref, 'other_config', 'colour', 'blue')
const seen = await xapi.barrier(vm.$ref)
assert.equal(seen.name_description, 'one\ntwo "three" <four> 五')
assert.equal(seen.other_config.colour, 'blue')
await xapi.setFieldEntry('VM', vm.$ref, 'other_config', 'colour', null)
assert.equal((await xapi.barrier(vm.$ref)).other_config.colour, undefined)
assert.equal(await xapi.getField('VM', vm.$ref, 'uuid'), vm.uuid)
assert.equal((await xapi.getRecordByUuid('VM', vm.uuid)).$ref, vm.$ref)
assert.equal((await xapi.getAllRecords('pool')).length, 1)
assert.equal(xapi.getObject(vm.uuid).$ref, vm.$ref)

// Tasks, their results and their refusals.
await xapi.callAsync('VM.start', vm.$ref, false, false)
assert.equal((await xapi.barrier(vm.$ref)).power_state, 'Running')
await assert.rejects(xapi.callAsync('VM.start', vm.$ref, false, false), { code: 'VM_BAD_POWER_STATE' })
const copy = await xapi.callAsync('VM.snapshot', vm.$ref, 'before')
assert.equal((await xapi.barrier(copy)).is_a_snapshot, true)
const task = await xapi.createTask('mine')
const watched = xapi.watchTask(task)
await xapi.call('task.set_status', task, 'success')
await watched

// What the master serves beside calls. (For other hosts the client takes the usual port, which is not theirs here.)
const metrics = await xapi.getResource('/rrd_updates', { query: { start: 0, host: 'true', json: 'true' } })
const { meta } = await metrics.body.json()
assert.ok(meta.legend.some(entry => entry.includes(`:host:${xapi.pool.$master.uuid}:`)), 'no metrics of the master')
await metrics.task
const dump = await xapi.getResource('/pool/xmldbdump')
assert.match(await dump.body.text(), /<database>/)
await dump.task

// A lost session is replaced without a word.
await fault('session-loss')
assert.equal(await xapi.call('VM.get_uuid', vm.$ref), vm.uuid)

await xapi.disconnect()

// The other address is the master's from now on; the client finds it from the old one.
await fault('master:host=2')
const moved = createClient({ url: master, auth: { user, password }, allowUnauthorized: true, debounce: 10 })
await moved.connect()
await moved.objectsFetched
assert.equal(moved.pool.$master.address, new URL(member).hostname)
assert.equal(await moved.call('VM.get_uuid', vm.$ref), vm.uuid)
await moved.disconnect()
console.log('ok')
