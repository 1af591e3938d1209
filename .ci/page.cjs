// The page at / in Chromium: `page.cjs PROGRAM`. Every tool answers its examples, tells what is wrong, gives links and lines that
// work, fits a phone, and has no serious fault that axe finds. With SHOTS=FOLDER pictures are kept there.

const assert = require("node:assert");
const { execFileSync, spawn } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { finish, launch } = require("./chromium.cjs");

const program = process.argv[2];
const work = fs.mkdtempSync(path.join(os.tmpdir(), "mirador-page-"));
const shots = process.env.SHOTS ?? path.join(work, "shots");
const children = [];
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const SECRET = "0".repeat(64);

async function until(what, check) {
  for (let tries = 0; tries < 300; tries++) {
    const found = await check().catch(() => null);
    if (found) return found;
    await pause(200);
  }
  throw new Error(`${what}: too late`);
}

function start(name, command, flags) {
  const log = fs.openSync(path.join(work, `${name}.log`), "w");
  children.push(spawn(command, flags, { stdio: ["ignore", log, log] }));
}

/** A service that is ready; its address. */
async function serve(name, ...flags) {
  const port = path.join(work, name);
  start(name, program, ["serve", "--bind", "127.0.0.1:0", "--port-file", port, ...flags]);
  const host = await until(name, async () => fs.readFileSync(port, "utf8").trim());
  await until(name, async () => (await fetch(`http://${host}/health/ready`)).ok);
  return `http://${host}/`;
}

const panel = (tab, id) => tab.locator(`#panel-${id}`);

async function open(tab, url, id) {
  await tab.goto("about:blank");
  await tab.goto(url);
  await tab.click(`#tab-${id}`);
  return panel(tab, id);
}

/** An example's button gives a result, and the pictures that come with it. */
async function example(tab, url, id, label, expected, picture) {
  const tool = await open(tab, url, id);
  await tool.getByRole("button", { name: label, exact: true }).click();
  await tool.locator(".status", { hasText: expected }).waitFor();
  if (picture) await tool.locator(picture).first().waitFor();
  await tool.locator(".worth", { hasText: "On the" }).first().waitFor();
  return tool;
}

async function examples(tab, url) {
  await example(tab, url, "pair", "let-7a and a bulged site", /called bound/, "svg.picture");
  await example(tab, url, "pair", "let-7a and a site that it does not bind", /not called bound/, "svg.picture");
  let tool = await example(tab, url, "pair", "a table of five", /of 5 pairs reach the threshold 0.5/, ".rows tbody tr");
  await tool.getByRole("button", { name: "probability" }).click();
  const order = await tool.locator(".rows tbody td:nth-child(3)").allTextContents();
  assert.deepEqual(order, ["above 0.9999", ...order.slice(1).sort().reverse()], `not sorted: ${order}`);
  for (const [label, separator] of [["CSV", ","], ["TSV", "\t"]]) {
    const [file] = await Promise.all([tab.waitForEvent("download"), tool.getByRole("button", { name: `Download ${label}` }).click()]);
    const text = fs.readFileSync(await file.path(), "utf8");
    assert(text.startsWith(["id", "probability", "interacts"].join(separator)), text);
    assert.equal(text.trim().split("\n").length, 6);
  }
  await tool.getByRole("button", { name: "Look into row 2" }).click();
  await tool.locator("svg.picture").waitFor();
  await tool.getByLabel("Effects on the").selectOption("logit");
  await tool.getByText("Both on the scale of the network's output").waitFor();
  await scans(tab, url);
  tool = await example(tab, url, "hairpin", "let-7a-1, canonical", /^Canonical/, "svg.fold");
  await tool.getByRole("button", { name: /Show which letters decide/ }).click();
  await tool.locator("svg.picture:not(.fold)").waitFor();
  await tool.getByText("A picture for a paper").click();
  await tool.locator("img[src^=blob]").waitFor();
  await until("the picture", () => tool.locator("img[src^=blob]").evaluate((image) => image.naturalWidth > 100));
  await example(tab, url, "hairpin", "three in FASTA", /2 of 3 hairpins are called mirtrons/, ".rows tbody tr");
  await example(tab, url, "expression", "a promoter of 86 letters", /^Level/, "svg.picture");
  await example(tab, url, "expression", "with two miRNAs (miREx)", /^Level/, "svg.picture");
  await example(tab, url, "expression", "two in FASTA", /^2 genes/, ".rows tbody tr");
  console.log("every example of every tool gives its result; tables sort, download and lead to one pair");
}

const DUPLEX = "svg.picture:not(.track)";

async function downloaded(tab, button) {
  const [file] = await Promise.all([tab.waitForEvent("download"), button.click()]);
  return fs.readFileSync(await file.path(), "utf8");
}

/** miRNAs × 3'UTRs: marks and cells lead to sites, and every file has them. */
async function scans(tab, url) {
  let tool = await example(tab, url, "scan", "let-7a on a made-up 3′UTR", /^Score \d+\.\d+: 3 canonical sites, 1 offset 6mer\.$/, DUPLEX);
  assert.deepEqual(await tool.locator(".rows tbody td:first-child").allTextContents(), ["8mer", "7mer-m8", "offset 6mer", "6mer"]);
  await tool.locator("h3", { hasText: "8mer, letters 42 to 47" }).waitFor();
  await tool.getByRole("button", { name: /^6mer, letters 169 to 174/ }).click();
  await tool.locator("h3", { hasText: "6mer, letters 169 to 174" }).waitFor();
  await tab.keyboard.press("ArrowLeft");
  await tab.keyboard.press("Enter");
  await tool.locator("h3", { hasText: "offset 6mer, letters 113 to 118" }).waitFor();
  const files = { CSV: /^mirna,transcript,kind/, TSV: /^mirna\ttranscript\tkind/, BED: /^made-up\t41\t47\tlet-7a:8mer/, GFF3: /^##gff-version 3\nmade-up\tmirador\t\S+\t42\t47/ };
  for (const [label, expected] of Object.entries(files)) {
    assert.match(await downloaded(tab, tool.getByRole("button", { name: `Download ${label}` }).first()), expected);
  }
  assert.match(await downloaded(tab, tool.getByRole("button", { name: "Download TSV" }).last()), /^mirna\ttranscript\trepression_score/);
  await tool.getByRole("link", { name: /Open this pair/ }).click();
  await panel(tab, "pair").locator(".status", { hasText: "Probability" }).waitFor();
  tool = await example(tab, url, "scan", "the same, with sites without a seed match", /1 without a seed match/, DUPLEX);
  await tool.locator(".mark .site-seedless").waitFor();
  await tool.getByLabel("Also look for sites").uncheck();
  assert(!(await tool.getByLabel(/^Least binding/).isVisible()));
  await tool.getByRole("button", { name: "Scan" }).click();
  await tool.locator(".status", { hasText: /1 offset 6mer\.$/ }).waitFor();
  tool = await example(tab, url, "scan", "3 miRNAs × 5 3′UTRs", /^3 miRNAs on 5 3′UTRs: let-7a represses UTR-A most/, DUPLEX);
  const order = () => tool.locator(".heatmap tbody th").allTextContents();
  assert.deepEqual(await order(), ["UTR-A", "UTR-C", "UTR-D", "UTR-B", "UTR-E"]);
  await tool.getByRole("button", { name: "miR-124", exact: true }).click();
  assert.equal((await order())[0], "UTR-B");
  await tool.getByRole("button", { name: /^miR-124 on UTR-B/ }).click();
  await tool.getByRole("heading", { name: "miR-124 on UTR-B" }).waitFor();
  await tab.keyboard.press("ArrowLeft");
  await tab.keyboard.press("Enter");
  await tool.getByRole("heading", { name: "miR-21 on UTR-B" }).waitFor();
  assert.equal(await tool.locator(".heat[tabindex='0']").count(), 1, "one cell is reached by Tab");
  assert.match(await downloaded(tab, tool.getByRole("button", { name: "Download matrix TSV" })), /^transcript\tlet-7a\tmiR-21\tmiR-124\nUTR-B\t/);
  const table = tool.locator(".rows").last();
  await table.getByRole("button", { name: "score", exact: true }).click();
  assert.equal(await table.locator("tbody tr:first-child td:nth-child(3)").textContent(), "UTR-B");
  await table.getByRole("button", { name: "Sites of let-7a on UTR-E" }).click();
  await tool.getByText("There is no site to show").waitFor();
}

/** What is wrong is told by row and field, and marked. */
async function refusals(tab, url) {
  let tool = await open(tab, url, "pair");
  await tool.getByLabel("miRNA, 5′ to 3′").fill("UGAGGUAGUAGXUUGUAUAGUU");
  await tool.getByLabel(/^Target site/).fill("GCACAGCCUAUUGAACUACCUCA");
  await tool.getByRole("button", { name: "Score" }).click();
  await tool.locator(".problem", { hasText: /row 1, miRNA: letter 'X' at position 12/ }).waitFor();
  assert.equal(await tool.locator("[aria-invalid]").count(), 1);
  await tool.getByLabel("Many pairs").check();
  await tool.locator("textarea").fill("mirna,site\nUGAGGUAGUAGGUUGUAUAGUU,GCACAGCCUAUUGAACUACCUCA\nUGAGGUAGUAGGUUGUAUAGUU,ACGXACGU\n");
  await tool.getByRole("button", { name: "Score" }).click();
  await tool.locator(".problem", { hasText: /row 2, line 3 of the input, target site: letter 'X' at position 4/ }).waitFor();
  tool = await open(tab, url, "scan");
  await tool.getByLabel(/^miRNAs/).fill("let-7a UGAGGUAGUAGGUUGUAUAGUU\nmiR-X UGAGGUAGXAGG");
  await tool.getByLabel(/^3′UTRs/).fill(">long name\nACGXACGU\n");
  await tool.getByRole("button", { name: "Scan" }).click();
  await tool.locator(".problem", { hasText: /miRNA 2 \(miR-X\): letter 'X' at position 9/ }).waitFor();
  await tool.locator(".problem", { hasText: /3′UTR 1 \(long\): letter 'X' at position 4/ }).waitFor();
  assert.equal(await tool.locator("[aria-invalid]").count(), 2);
  await tool.getByLabel("Also look for sites").check();
  await tool.getByLabel(/^Least binding/).fill("2");
  await tool.getByRole("button", { name: "Scan" }).click();
  await tool.locator(".problem", { hasText: /^.*least binding probability: / }).waitFor();
  assert.equal(await tool.locator("[aria-invalid]").count(), 1);
  await tool.getByLabel("Also look for sites").uncheck();
  await tool.getByLabel(/^3′UTRs/).fill("");
  await tool.getByRole("button", { name: "Scan" }).click();
  await tool.locator(".problem", { hasText: /3′UTRs: at least one/ }).waitFor();
  tool = await open(tab, url, "hairpin");
  await tool.locator("textarea").fill(">short\nACGUACGU\n");
  await tool.getByRole("button", { name: "Classify" }).click();
  await tool.locator(".problem", { hasText: /row 1, hairpin: the sequence has 8 nt/ }).waitFor();
  tool = await open(tab, url, "expression");
  await tool.locator("textarea").first().fill("ACGTACGTACGT");
  await tool.getByRole("button", { name: "Predict" }).click();
  await tool.locator(".problem", { hasText: /row 1, start of transcription/ }).waitFor();
  console.log("bad rows are told by row, line and field");
}

/** A file fills the field; a link holds the input. */
async function inputs(tab, url) {
  const file = path.join(work, "pairs.tsv.gz");
  fs.writeFileSync(file, require("node:zlib").gzipSync("name\tmirna\tsite\np1\tUGAGGUAGUAGGUUGUAUAGUU\tGCACAGCCUAUUGAACUACCUCA\n"));
  let tool = await open(tab, url, "pair");
  await tool.getByLabel("Many pairs").check();
  await tool.locator("input[type=file]").setInputFiles(file);
  await tool.getByText("pairs.tsv.gz is loaded").waitFor();
  await tool.getByRole("button", { name: "Score" }).click();
  await tool.locator(".status", { hasText: "1 of 1 pairs" }).waitFor();
  tool = await open(tab, url, "scan");
  const utrs = path.join(work, "utrs.fa.gz");
  fs.writeFileSync(utrs, require("node:zlib").gzipSync(`>whole cds_end=30 an mRNA\n${"GCUACCUCAG".repeat(6)}\n>plain\n${"GCUACCUCAG".repeat(3)}\n`));
  await tool.getByLabel(/^miRNAs/).fill("UGAGGUAGUAGGUUGUAUAGUU");
  await tool.locator("input[type=file]").last().setInputFiles(utrs);
  await tool.getByText("utrs.fa.gz is loaded").waitFor();
  await tool.getByRole("button", { name: "Scan" }).click();
  await tool.locator(".status", { hasText: "1 miRNA on 2 3′UTRs: miRNA-1" }).waitFor();
  await tool.getByRole("button", { name: /^miRNA-1 on whole/ }).click();
  await tool.locator(".track .coding").waitFor();
  const width = "GCUACCUCAGUU".repeat(5);
  await tool.getByLabel(/^3′UTRs/).fill(`${width}\n${width}\nGCUACC\n`);
  await tool.getByRole("button", { name: "Scan" }).click();
  await tool.getByText("read as one sequence of 126 letters").waitFor();
  for (const [id, hash, expected] of [
    ["scan", `mirnas=UGAGGUAGUAGGUUGUAUAGUU&transcripts=${"GCUACCUCAGUU".repeat(5)}&seedless=yes&least=0.9`, /without a seed match\.$/],
    ["pair", "mirna=UGAGGUAGUAGGUUGUAUAGUU&site=GCACAGCCUAUUGAACUACCUCA&model=dmiso%40balanced", /called bound/],
    ["hairpin", `hairpins=%3Ex%0A${"GUGAGGGCAUGCAGGCCUGGAUGGGGCAGCUGGGAUGGUCCAAAAGGGUGGCCUCACCAGCCCUGUGUUCCCUAG"}`, /probability of a mirtron/],
    ["expression", `promoter=${"ACGGT".repeat(18)}&tss=40&measured=0.5`, /^Level/],
  ]) {
    await tab.goto("about:blank");
    await tab.goto(`${url}#tool=${id}&${hash}`);
    await panel(tab, id).locator(".status", { hasText: expected }).waitFor();
    const now = new URLSearchParams(new URL(tab.url()).hash.slice(1));
    for (const [name, value] of new URLSearchParams(hash)) assert.equal(now.get(name), value, name);
  }
  tool = panel(tab, "expression");
  assert.equal(await tool.getByLabel(/^Measured half-life/).inputValue(), "0.5");
  console.log("files are read, packed too; links restore the input of every tool and ask");
}

/** The copied lines give the same answer. */
async function programs(tab, url, tool, list = "results", environment = process.env) {
  await tool.getByText("The same request from a program").click();
  const lines = tool.locator(".lines");
  const copied = async () => {
    await lines.getByRole("button", { name: "Copy" }).click();
    return tab.evaluate(() => navigator.clipboard.readText());
  };
  const run = (command, flag, text) => execFileSync(command, [flag, text], { encoding: "utf8", env: environment, stdio: ["ignore", "pipe", "ignore"] });
  const shell = run("bash", "-c", `${(await copied()).replace("curl ", "curl -s ")}`);
  assert(JSON.parse(shell)[list].length > 0, shell);
  await lines.getByLabel("Language").selectOption("python");
  const python = run("python3", "-c", await copied());
  assert.deepEqual(JSON.parse(python)[list].length, JSON.parse(shell)[list].length);
}

async function allPrograms(tab, url) {
  await programs(tab, url, await example(tab, url, "pair", "let-7a and a bulged site", /called bound/));
  await programs(tab, url, await example(tab, url, "pair", "a table of five", /of 5 pairs/));
  await programs(tab, url, await example(tab, url, "scan", "3 miRNAs × 5 3′UTRs", /^3 miRNAs/, DUPLEX), "transcripts");
  await programs(tab, url, await example(tab, url, "hairpin", "three in FASTA", /hairpins/));
  await programs(tab, url, await example(tab, url, "expression", "with two miRNAs (miREx)", /^Level/));
  console.log("the copied curl and Python lines answer");
}

async function keyboard(tab, url) {
  await open(tab, url, "pair");
  await tab.focus("#tab-pair");
  await tab.keyboard.press("ArrowRight");
  assert.equal(await tab.evaluate(() => document.activeElement.id), "tab-scan");
  assert(await panel(tab, "scan").isVisible());
  await tab.keyboard.press("End");
  assert.equal(await tab.evaluate(() => document.activeElement.id), "tab-expression");
  await tab.keyboard.press("ArrowRight");
  assert.equal(await tab.evaluate(() => document.activeElement.id), "tab-pair");
  await tab.keyboard.press("Tab");
  await tab.keyboard.press("Enter");
  await panel(tab, "pair").locator(".status", { hasText: "Probability" }).waitFor();
  console.log("tabs go by arrow keys, and an example by Enter");
}

/** Each tool with a result, in one look: its picture, its width, and axe. */
async function looks(browser, url) {
  const axe = fs.readFileSync(require.resolve("axe-core"), "utf8");
  const shown = [
    ["pair", "let-7a and a bulged site", /called bound/, "svg.picture"],
    ["hairpin", "let-7a-1, canonical", /^Canonical/, "svg.fold"],
    ["expression", "the same, with its half-life", /^Level/, "svg.picture"],
    ["pair", "a table of five", /of 5 pairs/, ".rows tbody tr"],
    ["scan", "the same, with sites without a seed match", /^Score/, DUPLEX],
    ["scan", "3 miRNAs × 5 3′UTRs", /^3 miRNAs/, DUPLEX],
  ];
  for (const [look, size, scheme] of [["desktop-light", [1200, 900], "light"], ["phone-dark", [360, 740], "dark"], ["phone-light", [360, 740], "light"], ["desktop-dark", [1200, 900], "dark"]]) {
    const tab = await browser.newPage();
    tab.setDefaultTimeout(90_000);
    tab.on("pageerror", (error) => console.error(String(error)));
    await tab.setViewportSize({ width: size[0], height: size[1] });
    await tab.emulateMedia({ colorScheme: scheme });
    for (const [index, [id, label, expected, picture]] of shown.entries()) {
      const tool = await example(tab, url, id, label, expected, picture);
      if (id === "hairpin") {
        await tool.getByRole("button", { name: /Show which letters decide/ }).click();
        await tool.locator("svg.picture:not(.fold)").waitFor();
      }
      await tool.locator(".lines summary").click();
      const wide = await tab.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert(wide <= 0, `${look} ${id}: ${wide} px wider than the window`);
      await tab.evaluate(() => scrollTo(0, 0));
      await tab.screenshot({ path: path.join(shots, `${look}-${index}-${id}.png`), fullPage: true });
      // By the inspector, not by a script element, which the page's policy forbids.
      const session = await tab.context().newCDPSession(tab);
      await session.send("Runtime.evaluate", { expression: axe });
      const { violations } = await tab.evaluate(() => window.axe.run());
      const grave = violations.filter(({ impact }) => ["serious", "critical"].includes(impact));
      assert.equal(grave.length, 0, `${look} ${id}: ${JSON.stringify(grave.map(({ id: rule, nodes }) => [rule, nodes.slice(0, 3).map((node) => node.html + node.failureSummary)]), null, 1)}`);
      if (violations.length) console.log(`${look} ${id}: lesser faults: ${violations.map(({ id: rule }) => rule)}`);
    }
    await tab.close();
  }
  console.log("no sideways scroll at 360 px, no serious or critical fault by axe, light and dark");
}

/** With keys: the field comes, a wrong key is told, the right one is kept for the tab and in no line. */
async function keys(tab, url) {
  await tab.goto(`${url}#tool=pair&mirna=UGAGGUAGUAGGUUGUAUAGUU&site=GCACAGCCUAUUGAACUACCUCA`);
  await tab.getByLabel("API key", { exact: true }).last().waitFor();
  await tab.locator("#key-message", { hasText: "asks for a key" }).waitFor();
  await tab.locator(".problem", { hasText: "Enter an API key" }).waitFor();
  await tab.fill("#key-input", "wrong");
  await tab.getByRole("button", { name: "Use this key" }).click();
  await tab.locator("#key-message", { hasText: "not known here" }).waitFor();
  await tab.fill("#key-input", SECRET);
  await tab.getByRole("button", { name: "Use this key" }).click();
  const tool = panel(tab, "pair");
  await tool.locator(".status", { hasText: "called bound" }).waitFor();
  assert.equal(await tab.evaluate(() => sessionStorage.getItem("mirador-key")), SECRET);
  await tool.locator(".worth", { hasText: "On the" }).waitFor();
  assert(!(await tab.content()).includes(SECRET), "the key stands in the page");
  await programs(tab, url, tool, "results", { ...process.env, MIRADOR_KEY: SECRET });
  await tab.getByRole("button", { name: "Forget it" }).click();
  assert.equal(await tab.evaluate(() => sessionStorage.getItem("mirador-key")), null);
  console.log("a key is asked for, refused, taken, kept in the tab alone, and forgotten");
}

/** Busy services and hostile texts. */
async function odd(tab, url) {
  let times = 0;
  await tab.route("**/v1/target-sites/score", (route) => (times++ ? route.continue() : route.fulfill({
    status: 503, headers: { "Retry-After": "7", "Content-Type": "application/problem+json" },
    body: JSON.stringify({ type: "urn:mirador:problem:queue-full", title: "Too busy", status: 503, detail: "the queue is full", request_id: "r" }),
  })));
  const tool = await open(tab, url, "pair");
  await tool.getByRole("button", { name: "let-7a and a bulged site" }).click();
  await tool.locator(".problem", { hasText: "wait 7 seconds" }).waitFor();
  await tool.getByRole("button", { name: "Ask again" }).click();
  await tool.locator(".status", { hasText: "called bound" }).waitFor();
  await tab.unroute("**/v1/target-sites/score");
  await tool.getByLabel("Many pairs").check();
  await tool.locator("textarea").fill("id,mirna,site\n<img src=x onerror=alert(1)>,UGAGGUAGUAGGUUGUAUAGUU,GCACAGCCUAUUGAACUACCUCA\n");
  await tool.getByRole("button", { name: "Score" }).click();
  await tool.getByRole("cell", { name: "<img src=x onerror=alert(1)>" }).waitFor();
  console.log("a busy service is told and asked again; a name like markup stays a name");
}

async function main() {
  fs.mkdirSync(shots, { recursive: true });
  const small = path.join(work, "weights");
  fs.cpSync("weights/pairmap/taught", path.join(small, "pairmap/taught"), { recursive: true });
  const keyFile = path.join(work, "keys");
  const digest = require("node:crypto").createHash("sha256").update(SECRET).digest("hex");
  fs.writeFileSync(keyFile, `ci score,read ${digest}\n`);
  const url = await serve("plain");
  const guarded = await serve("guarded", "--weights-dir", small, "--key-file", keyFile, "--public-docs");
  const browser = await launch(work, { permissions: ["clipboard-read", "clipboard-write"] });
  try {
    const tab = await browser.newPage();
    tab.setDefaultTimeout(30_000);
    const faults = [];
    tab.on("pageerror", (error) => faults.push(String(error)));
    tab.on("console", (message) => /Content Security|Uncaught/.test(message.text()) && faults.push(message.text()));
    for (const test of [examples, refusals, inputs, allPrograms, keyboard, odd]) {
      await test(tab, url);
    }
    await keys(tab, guarded);
    await looks(browser, url);
    assert.deepEqual(faults, []);
    console.log("no error of a script, and nothing that the policy had to stop");
  } finally {
    await browser.close();
  }
}

finish(main(), children, work);
