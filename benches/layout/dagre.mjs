// The peer: dagre from npm, on the same nodes and connections.

import dagre from '@dagrejs/dagre'

/** Lays out a graph of `nodes` ([width, height]) and `edges` ([from, to]); answers the lines and how long it took. */
export function layOut({ nodes, edges }) {
  const graph = new dagre.graphlib.Graph()
  graph.setGraph({ rankdir: 'LR', nodesep: 6, edgesep: 6, ranksep: 64 })
  graph.setDefaultEdgeLabel(() => ({}))
  nodes.forEach(([width, height], at) => graph.setNode(String(at), { width, height }))
  edges.forEach(([from, to]) => graph.setEdge(String(from), String(to)))
  const start = performance.now()
  dagre.layout(graph)
  const milliseconds = performance.now() - start
  const lines = edges.map(([from, to]) => {
    const ends = [from, to].map(at => graph.node(String(at)))
    const points = graph.edge(String(from), String(to)).points.map(({ x, y }) => [x, y])
    // From border to border in the middle, as ours: where a line meets its node's border is a matter of taste, not of order.
    return [[ends[0].x + ends[0].width / 2, ends[0].y], ...points.slice(1, -1), [ends[1].x - ends[1].width / 2, ends[1].y]]
  })
  return { lines, milliseconds }
}
