// Starts the console. Everything that can go wrong before or in the program ends in a message, never in a blank page.

import init from "./xenoxide_web.js";

const $ = (id) => document.getElementById(id);

function stop(hint, details) {
  $("app").hidden = true;
  $("crash-hint").textContent = hint;
  $("crash-details").textContent = details;
  $("crash-details").hidden = details === "";
  $("crash").hidden = false;
}

$("crash-reload").addEventListener("click", () => location.reload());

// The program's panic hook calls this, where it has one; whatever else stops it is an error of its own.
window.xenoxideStopped = stop;
const trapped = (error) => {
  if (error instanceof WebAssembly.RuntimeError && $("crash").hidden) stop($("crash-hint").textContent, String(error.stack ?? error));
};
addEventListener("error", (event) => trapped(event.error));
addEventListener("unhandledrejection", (event) => trapped(event.reason));

// Reads files for the program, when somebody opens some.
window.xenoxideRead = async (entries, picked) => (await import("./files.js")).read(entries, picked);

// What the parts look like that are loaded when they are needed. The styles of narrow pages stay the last, to have the last word.
let styles;
window.xenoxideStyles = () => {
  const load = (name) =>
    new Promise((resolve, reject) => {
      const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href: `./${name}.css`, onload: resolve });
      link.onerror = () => {
        link.remove();
        reject(new Error(link.href));
      };
      $("narrow").before(link);
    });
  styles ??= Promise.all(["topology", "tables", "object", "impact", "palette", "explorer"].map(load)).catch((error) => {
    styles = undefined;
    throw error;
  });
  return styles;
};

// The theme is set before the first picture, so that nothing flashes.
try {
  const theme = localStorage.getItem("xenoxide:theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // A browser that keeps nothing shows the system's theme.
}

try {
  await init();
} catch (error) {
  stop(
    "The program could not be loaded. Check that the server is running and that this browser is up to date, then reload.",
    String(error?.message ?? error),
  );
}
