// A page that eats memory, as a URL that needs no server.

/** Returns a page that twice a second allocates `step` bytes, touches and keeps them. */
export function heavyPage(number, step) {
  const script = `const held = []; setInterval(() => held.push(new Uint8Array(${Math.ceil(step)}).fill(1)), 500);`;
  return `data:text/html,<title>heavy page ${number}</title><script>${encodeURIComponent(script)}</script>`;
}
