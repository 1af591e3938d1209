// What both programs that drive Chromium share: how it is started, and how a program ends.

const fs = require("node:fs");
const path = require("node:path");
const { chromium } = require("playwright-core");

/** Chromium with a profile of its own in a folder, which asks nobody on the network for anything. */
exports.launch = (work, options = {}) =>
  chromium.launchPersistentContext(path.join(work, "profile"), {
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    headless: true,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
      .concat(["--disable-component-update", "--disable-sync"]),
    ...options,
  });

/** Ends with 0, or tells what went wrong and ends with 1; what was started ends too, and its folder goes. */
exports.finish = (done, children, work) =>
  done
    .then(() => 0)
    .catch((error) => {
      console.error(error);
      return 1;
    })
    .then((code) => {
      for (const child of children) child.kill("SIGKILL");
      fs.rmSync(work, { recursive: true, force: true });
      process.exit(code);
    });
