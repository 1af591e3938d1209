// What a browser lets a page do: `browser.cjs PROGRAM`. A page of another origin scores a pair where the server lists its
// origin and nowhere else; the documents open without a key where they are public, and ask for one.

const assert = require("node:assert");
const { spawn } = require("node:child_process");
const fs = require("node:fs");
const http = require("node:http");
const os = require("node:os");
const path = require("node:path");
const { finish, launch } = require("./chromium.cjs");

const program = process.argv[2];
const work = fs.mkdtempSync(path.join(os.tmpdir(), "mirador-browser-"));
// One model is enough, and quickly loaded.
const weights = path.join(work, "weights");
fs.cpSync("weights/pairmap/taught", path.join(weights, "pairmap/taught"), { recursive: true });
const servers = [];
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** A server that is ready; its address. */
async function serve(name, ...flags) {
  const file = path.join(work, name);
  const log = fs.openSync(`${file}.log`, "w");
  const own = ["serve", "--bind", "127.0.0.1:0", "--port-file", file, "--weights-dir", weights];
  const server = spawn(program, [...own, ...flags], { stdio: ["ignore", log, log] });
  servers.push(server);
  for (let tries = 0; tries < 200 && server.exitCode === null; tries++) {
    await pause(200);
    if (!fs.existsSync(file)) continue;
    const url = `http://${fs.readFileSync(file, "utf8").trim()}`;
    const ready = await fetch(`${url}/health/ready`).catch(() => null);
    if (ready?.ok) return url;
  }
  throw new Error(`${name} is not ready: ${fs.readFileSync(`${file}.log`, "utf8")}`);
}

/** A page that scores a pair by fetch, when it is told where. */
async function lab() {
  const page = http.createServer((_, reply) => {
    reply.setHeader("content-type", "text/html");
    reply.end(`<!doctype html><title>lab</title><p id="result"></p><script>
      async function score(url) {
        const reply = await fetch(url + "/v1/target-sites/score", {
          method: "POST",
          headers: { "Content-Type": "application/json", "X-Deadline-Ms": "60000" },
          body: JSON.stringify({ pairs: [{ mirna: "UGAGGUAGUAGGUUGUAUAGUU", site: "AACUAUACAACCUACUACCUCA" }] }),
        });
        const { results } = await reply.json();
        document.querySelector("#result").textContent = results[0].probability + " by " + reply.headers.get("X-Model");
      }
    </script>`);
  });
  await new Promise((resolve) => page.listen(0, "127.0.0.1", resolve));
  return page;
}

async function main() {
  const page = await lab();
  const origin = `http://127.0.0.1:${page.address().port}`;
  const keys = path.join(work, "keys");
  fs.writeFileSync(keys, `ci read ${"0".repeat(64)}\n`);
  const [listing, closed, guarded] = await Promise.all([
    serve("listing", "--cors-origin", origin),
    serve("closed"),
    serve("guarded", "--key-file", keys, "--public-docs"),
  ]);

  const browser = await launch(work);
  try {
    const tab = await browser.newPage();
    tab.setDefaultTimeout(20_000);
    await tab.goto(origin);
    await tab.evaluate((url) => score(url), listing);
    const result = await tab.textContent("#result");
    assert.match(result, /^0\.\d+ by pairmap@taught$/);
    console.log(`a page of ${origin} shows ${result}, where that origin is listed`);

    const refusal = await tab.evaluate((url) => score(url).then(() => "answered", String), closed);
    assert.match(refusal, /Failed to fetch/);
    console.log(`the same page without the flag: ${refusal}`);

    for (const [what, url] of [["with keys", guarded], ["without", closed]]) {
      await tab.goto(`${url}/docs`);
      await tab.waitForSelector("button.authorize");
      const operations = await tab.locator(".opblock").count();
      assert(operations > 15, `${operations} operations`);
      console.log(`/docs ${what} lists ${operations} operations and has its Authorize button`);
    }
    await tab.click("[id$=score_target_sites]");
    await tab.click("button.try-out__btn");
    await tab.click("button.execute");
    const status = await tab.textContent(".live-responses-table .response .response-col_status");
    assert.match(status, /^\s*200/);
    console.log("/docs: the example is tried out, and answered 200");

    await tab.goto(guarded);
    const wide = await tab.evaluate(() => document.documentElement.scrollWidth > innerWidth);
    assert(!wide, "the home page is wider than the window");
    const cut = await tab.evaluate(() => [...document.querySelectorAll("pre")].some((e) => e.scrollWidth > e.clientWidth));
    assert(!cut, "an example is cut at its border");
    console.log("the home page opens without a key, and no example is cut");
  } finally {
    await browser.close();
    page.close();
  }
}

finish(main(), servers, work);
