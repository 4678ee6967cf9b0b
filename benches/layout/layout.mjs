// The topology's layout beside dagre's, on the same graphs: how often lines cross, and how long it takes, both in Node.js.
//
//   node layout.mjs FOLDER     FOLDER holds the WebAssembly module and its JavaScript, as `cargo xtask bench layout` builds them

import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { crossings } from './crossings.mjs'
import { layOut } from './dagre.mjs'

const folder = resolve(process.argv[2])
const ours = await import(pathToFileURL(join(folder, 'xenoxide_web.js')))
ours.initSync({ module: readFileSync(join(folder, 'xenoxide_web_bg.wasm')) })

const LENSES = ['compute', 'storage', 'network']
const POOLS = [['standard', 3, 24], ['lab', 1, 8], ['branch-office', 3, 40], ['degraded', 4, 60], ['datacentre', 16, 300], ['standard', 64, 5000]]

const median = list => list.sort((a, b) => a - b)[list.length >> 1]

/** The median time of some runs, in milliseconds. */
function time(run, rounds = 7) {
  const times = []
  for (let round = 0; round < rounds; ++round) {
    const start = performance.now()
    run()
    times.push(performance.now() - start)
  }
  return median(times)
}

const row = cells => console.log(`| ${cells.join(' | ')} |`)
const ms = time => time.toFixed(time < 10 ? 2 : 0)

row(['pool', 'lens', 'nodes', 'lines', '**crossings**', 'dagre\'s crossings', '**layout, ms**', 'dagre\'s, ms'])
row(['---', '---', '---:', '---:', '---:', '---:', '---:', '---:'])
let worse = 0
for (const [scenario, hosts, vms] of POOLS) {
  const pool = new ours.Pool(scenario, hosts, vms)
  for (const lens of LENSES) {
    const nodes = pool.graph(lens, false)
    const drawing = JSON.parse(pool.drawing())
    const dagre = layOut(drawing)
    const counts = [crossings(drawing.lines), crossings(dagre.lines)]
    if (counts[0] > counts[1]) ++worse
    const taken = time(() => pool.layout())
    row([`${scenario} ${hosts}/${vms}`, lens, nodes, drawing.edges.length, counts[0], counts[1], ms(taken), ms(dagre.milliseconds)])
  }
  pool.free()
}
console.log(worse === 0 ? '\n- Nowhere more crossings than dagre.' : `\n- More crossings than dagre in ${worse} drawings.`)

console.log('\nEverything drawn, in WebAssembly:\n')
row(['pool', 'lens', 'nodes', 'lines', 'graph, ms', 'layout, ms', 'layout of 10,000 nodes, ms'])
row(['---', '---', '---:', '---:', '---:', '---:', '---:'])
const large = new ours.Pool('standard', 64, 5000)
for (const lens of LENSES) {
  const drafted = time(() => large.graph(lens, true), 3)
  const nodes = large.graph(lens, true)
  const lines = large.layout()
  const taken = time(() => large.layout(), 5)
  row([`standard 64/5000`, lens, nodes, lines, ms(drafted), ms(taken), ms(taken * 10_000 / nodes)])
}

console.log('\nFailures at 64 hosts and 5,000 VMs, in WebAssembly:\n')
const one = time(() => large.impact(), 5)
const begin = time(() => large.survey(), 3)
large.survey()
let [longest, steps, more] = [0, 0, true]
const start = performance.now()
while (more) {
  const step = performance.now()
  more = large.step(256)
  longest = Math.max(longest, performance.now() - step)
  ++steps
}
console.log(`- a host fails: ${ms(one)} ms; the survey of single points begins in ${ms(begin)} ms and takes ${ms(performance.now() - start)} ms in ${steps} steps, the longest ${ms(longest)} ms`)
console.log(`- Node.js ${process.version}`)
