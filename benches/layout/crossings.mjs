// How often the lines of a drawing cross, counted in the same way for every layout: lines are polylines, and two of them cross
// where a piece of one properly intersects a piece of the other. Pieces that only touch, as those that leave the same node do, do not cross.

const side = (a, b, c) => Math.sign((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]))

const cross = (a, b, c, d) =>
  side(a, b, c) * side(a, b, d) < 0 && side(c, d, a) * side(c, d, b) < 0

/** The number of crossings among polylines, each a list of [x, y]. */
export function crossings(lines) {
  const pieces = []
  for (const [line, points] of lines.entries()) {
    for (let at = 1; at < points.length; ++at) {
      const [a, b] = [points[at - 1], points[at]]
      if (a[0] === b[0] && a[1] === b[1]) continue
      pieces.push({ line, a, b, left: Math.min(a[0], b[0]), right: Math.max(a[0], b[0]) })
    }
  }
  pieces.sort((one, other) => one.left - other.left)
  let count = 0
  for (let at = 0; at < pieces.length; ++at) {
    const one = pieces[at]
    for (let next = at + 1; next < pieces.length && pieces[next].left < one.right; ++next) {
      const other = pieces[next]
      if (other.line !== one.line && cross(one.a, one.b, other.a, other.b)) ++count
    }
  }
  return count
}
