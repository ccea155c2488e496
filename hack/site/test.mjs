// Copyright The live-notify-operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Opens every page of the site in a headless Chromium, on a phone and on a desk,
// and looks for what nobody would see in the Markdown: scripts that fail, pages
// wider than the screen, dead anchors, faults of accessibility, and a search that
// finds nothing. It leaves pictures in bin/site-screenshots.
import { createServer } from "node:http";
import { mkdirSync, readFileSync, readdirSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import puppeteer from "puppeteer-core";

const root = join(import.meta.dirname, "../../bin/site-test");
const pictures = join(import.meta.dirname, "../../bin/site-screenshots");
const prefix = "/live-notify-operator/";
const release = "v0.0.0-test"; // of make test-docs
const types = { html: "text/html", js: "text/javascript", css: "text/css", json: "application/json", svg: "image/svg+xml", png: "image/png" };
mkdirSync(pictures, { recursive: true });

const files = (dir) => readdirSync(dir).flatMap((name) => {
  const path = join(dir, name);
  return statSync(path).isDirectory() ? files(path) : [path];
});
const all = files(root).filter((f) => f.endsWith("index.html")).map((f) => prefix + relative(root, f).replace(/index\.html$/, ""));
// Of the release, which has the same pages, some are enough.
const pages = all.filter((path) => !path.startsWith(prefix + release) || path.split("/").length < 6);

const server = createServer((request, reply) => {
  const path = new URL(request.url, "http://localhost").pathname;
  try {
    if (!path.startsWith(prefix)) throw new Error("outside of the site");
    const file = join(root, path.slice(prefix.length), path.endsWith("/") ? "index.html" : "");
    reply.setHeader("content-type", types[file.split(".").pop()] ?? "application/octet-stream");
    reply.end(readFileSync(file));
  } catch {
    reply.statusCode = 404;
    reply.end();
  }
});
await new Promise((done) => server.listen(0, "127.0.0.1", done));
const base = `http://127.0.0.1:${server.address().port}`;

const problems = [];
// Nothing is asked of the world outside, which takes its time to say no.
const args = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const browser = await puppeteer.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args, protocolTimeout: 0 });
const axe = readFileSync(join(import.meta.dirname, "node_modules/axe-core/axe.min.js"), "utf8");

const sizes = { phone: { width: 390, height: 844 }, desk: { width: 1280, height: 900 } };
const page = await browser.newPage();
page.setDefaultNavigationTimeout(0); // the machine may be a busy one
let current = "";
page.on("pageerror", (e) => problems.push(`${current}: ${e.message}`));
page.on("console", (m) => m.type() === "error" && problems.push(`${current}: console: ${m.text()}`));
// A picture for the desktop that the next page cuts off is no failure.
page.on("requestfailed", (r) => r.failure().errorText !== "net::ERR_ABORTED" && problems.push(`${current}: ${r.url()} failed`));
page.on("request", (r) => r.url().startsWith("http") && !r.url().startsWith(base) && problems.push(`${current}: asks ${r.url()}`));

const anchors = new Map();
const links = [];
for (const path of pages) {
  for (const [name, size] of Object.entries(sizes)) {
    current = `${path} (${name})`;
    await page.setViewport(size);
    const answer = await page.goto(base + path, { waitUntil: "load" });
    if (!answer.ok()) problems.push(`${current}: ${answer.status()}`);
    const seen = await page.evaluate(() => ({
      width: document.documentElement.scrollWidth,
      heading: document.querySelector("h1")?.textContent.trim() ?? "",
      ids: [...document.querySelectorAll("[id]")].map((e) => e.id),
      links: [...document.querySelectorAll("main a[href]")].map((a) => a.href),
    }));
    if (seen.width > size.width) problems.push(`${current}: is ${seen.width} wide`);
    if (!seen.heading) problems.push(`${current}: has no heading`);
    if (name === "desk") {
      anchors.set(path, new Set(seen.ids));
      links.push(...seen.links.map((to) => ({ from: path, to })));
      await page.evaluate(axe);
      const found = await page.evaluate(async () => (await window.axe.run()).violations
        .filter((v) => ["serious", "critical"].includes(v.impact))
        .flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.html.slice(0, 120)}`)));
      problems.push(...found.map((f) => `${current}: ${f}`));
    }
    await page.screenshot({ path: join(pictures, `${path.slice(prefix.length).replaceAll("/", "-") || "home-"}${name}.png`) });
  }
}

for (const { from, to } of links) {
  if (!to.startsWith(base)) continue;
  const url = new URL(to);
  const there = anchors.get(url.pathname);
  if (!all.includes(url.pathname)) problems.push(`${from}: there is no ${url.pathname}`);
  else if (there && url.hash && !there.has(decodeURIComponent(url.hash.slice(1)))) problems.push(`${from}: ${url.pathname} has no ${url.hash}`);
}

// The menu of the versions leads from each to the others.
await page.setViewport(sizes.desk);
for (const [at, name, to] of [["docs/", "main", release], [`${release}/docs/`, release, "main"]]) {
  current = `versions of ${at}`;
  await page.goto(base + prefix + at, { waitUntil: "load" });
  const toggle = await page.$(`button.hextra-nav-menu-toggle[title="Version: ${name}"]`);
  if (!toggle) {
    problems.push(`${current}: the menu does not say ${name}`);
    continue;
  }
  await toggle.click();
  const shown = await page.$$eval(".hextra-nav-menu-items a", (all) => all.filter((a) => a.offsetParent).map((a) => [a.textContent.trim(), a.getAttribute("href")]));
  await page.screenshot({ path: join(pictures, `versions-${name}.png`) });
  const names = shown.map(([text]) => text).join(" ");
  if (names !== `main ${release} What changed`) problems.push(`${current}: the menu has ${names}`);
  const link = shown.find(([text]) => text === to)?.[1];
  const answer = link && await page.goto(base + link, { waitUntil: "load" });
  if (!answer?.ok() || !await page.$(`button[title="Version: ${to}"]`)) problems.push(`${current}: ${link} is not the documentation of ${to}`);
}

current = "search";
await page.setViewport(sizes.desk);
await page.goto(base + prefix, { waitUntil: "load" });
const picture = await page.waitForSelector("pre.mermaid svg, .mermaid svg", { timeout: 120000 }).catch(() => null);
if (!picture) problems.push("home: the picture is not drawn");
await page.screenshot({ path: join(pictures, "home-picture.png"), fullPage: true });
const input = await page.evaluateHandle(() => [...document.querySelectorAll(".hextra-search-input")].find((e) => e.offsetParent));
await input.asElement().type("ExistingConfiguration");
// Who types before the index is there finds nothing until the next key.
const found = await page.waitForFunction((input) => {
  for (const event of ["input", "keyup"]) input.dispatchEvent(new Event(event, { bubbles: true }));
  return [...document.querySelectorAll(".hextra-search-results a")].map((a) => a.getAttribute("href")).find((h) => h.includes("/docs/"));
}, { timeout: 120000, polling: 500 }, input).catch(() => null);
if (!found) problems.push("search: ExistingConfiguration is not found");
await page.screenshot({ path: join(pictures, "search.png") });

await browser.close();
server.close();
for (const p of new Set(problems)) console.error(p);
console.log(`${pages.length} pages, ${links.length} links, ${new Set(problems).size} problems`);
process.exit(problems.length ? 1 : 0);
