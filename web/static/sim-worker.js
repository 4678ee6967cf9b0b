// A pool within the browser, in a worker of its own: the page goes on while it works.

import init from "./xenoxide_sim.js";

// What comes before the program listens is kept for it.
const early = [];
self.onmessage = (event) => early.push(event);

try {
  await init();
  for (const event of early) self.onmessage(event);
} catch (error) {
  const failed = (event) => self.postMessage({ id: event.data.id, error: String(error?.message ?? error) });
  early.forEach(failed);
  self.onmessage = failed;
}
