// Reads what somebody dropped on the page or picked: files, and folders with what is in them.

// A bundle of a large pool has about this much; more than that does not fit into a page.
const LIMIT = 1024 * 1024 * 1024;
const MOST_FILES = 4000;

// Whether a file may be part of a pool: the logs of a bundle are not, and are large.
const isWanted = (name) => /(^|\/)[^/]*(xapi-db|state\.db|\.get_(all_)?records?)[^/]*$/.test(name);

async function* walk(entry, path) {
  if (entry.isFile) {
    yield [path + entry.name, () => new Promise((resolve, reject) => entry.file(resolve, reject))];
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    // A reader hands out its entries in portions.
    const entries = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (entries.length === 0) return;
    for (const inner of entries) yield* walk(inner, `${path}${entry.name}/`);
  }
}

// The files of a drop or of a field, as `{name, bytes}`.
export async function read(entries, picked) {
  const found = [];
  for (const file of picked) found.push([file.webkitRelativePath || file.name, async () => file]);
  for (const entry of entries) {
    for await (const one of walk(entry, "")) {
      found.push(one);
      if (found.length > MOST_FILES) throw new Error(`more than ${MOST_FILES} files`);
    }
  }
  const wanted = found.length === 1 ? found : found.filter(([name]) => isWanted(name));
  let left = LIMIT;
  const files = [];
  for (const [name, open] of wanted) {
    const file = await open();
    left -= file.size;
    if (left < 0) throw new Error(`more than ${LIMIT / 1024 / 1024} MiB`);
    files.push({ name, bytes: new Uint8Array(await file.arrayBuffer()) });
  }
  return files;
}
