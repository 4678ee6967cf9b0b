// Drives a pool with `xen-api`, the client of Xen Orchestra, as its users do, and fails on the first surprise.
// usage: node journey.mjs URL USER PASSWORD
import assert from 'node:assert/strict'
import { createClient } from 'xen-api'

const [url, user, password] = process.argv.slice(2)

const refused = createClient({ url, auth: { user, password: 'not ' + password }, transport: 'xml-rpc', watchEvents: false })
await assert.rejects(refused.connect(), { code: 'SESSION_AUTHENTICATION_FAILED' })

// `debounce` is how long the client waits between two event.from; the journey is not in a hurry but need not idle.
const xapi = createClient({ url, auth: { user, password }, transport: 'xml-rpc', debounce: 10 })
await xapi.connect()
await xapi.objectsFetched

const all = Object.values(xapi.objects.all)
const vms = all.filter(it => it.$type === 'VM' && !it.is_a_template && !it.is_a_snapshot && !it.is_control_domain)
assert.ok(vms.length > 0, 'no VMs')
assert.equal(xapi.pool.$type, 'pool')
for (const type of ['host', 'SR', 'VDI', 'VBD', 'network', 'PIF', 'VIF', 'PBD']) {
  assert.ok(all.some(it => it.$type === type), `no ${type}`)
}

const possible = await Promise.all(vms.map(vm => xapi.call('VM.get_possible_hosts', vm.$ref)))
const vm = vms.find((vm, i) => vm.power_state === 'Halted' && possible[i].length > 0)
assert.ok(vm, 'no halted VM that can start')

const changed = power_state =>
  new Promise(resolve => {
    xapi.objects.on('update', function listener(objects) {
      if (Object.values(objects).some(it => it?.$ref === vm.$ref && it.power_state === power_state)) {
        xapi.objects.off('update', listener)
        resolve()
      }
    })
  })

const running = changed('Running')
await xapi.callAsync('VM.start', vm.$ref, false, false)
await running
await assert.rejects(xapi.call('VM.start', vm.$ref, false, false), { code: 'VM_BAD_POWER_STATE' })

const halted = changed('Halted')
await xapi.call('VM.hard_shutdown', vm.$ref)
await halted

await xapi.disconnect()
console.log('ok')
