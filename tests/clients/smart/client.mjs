// Apps we did not write, against a running authorization server: fhirclient in a headless Chromium
// (standalone launch, EHR launch, refresh, revoke), and a backend service with private_key_jwt.
//
//   node client.mjs FACTS.json [SCREENSHOTS]
//
// FACTS.json: { base, public, service, key, user, password, patient, name, port }

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { readFile, mkdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as jose from "jose";
import puppeteer from "puppeteer-core";

const here = dirname(fileURLToPath(import.meta.url));
const facts = JSON.parse(await readFile(process.argv[2], "utf8"));
const pictures = process.argv[3];
const app = `http://localhost:${facts.port}`;
const root = facts.base.replace(/\/fhir$/, "");
let passed = 0;

async function step(sentence, work) {
  try {
    const value = await work();
    passed += 1;
    console.log(`ok   ${sentence}`);
    return value;
  } catch (error) {
    console.log(`FAIL ${sentence}`);
    throw error;
  }
}

// The app: two pages and the library, as its packagers built it.
const library = await readFile(createRequire(import.meta.url).resolve("fhirclient/build/fhir-client.js"));
const pages = createServer(async (request, response) => {
  const name = new URL(request.url, app).pathname.slice(1);
  if (name === "fhir-client.js") return response.end(library);
  if (name !== "launch.html" && name !== "index.html") return response.writeHead(404).end();
  response.setHeader("Content-Type", "text/html; charset=utf-8");
  response.end(await readFile(join(here, name)));
});
await new Promise((done) => pages.listen(facts.port, "localhost", done));

const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu"],
});

async function picture(page, name) {
  if (!pictures) return;
  await mkdir(pictures, { recursive: true });
  for (const scheme of ["light", "dark"]) {
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
    await page.screenshot({ path: join(pictures, `${name}-${scheme}.png`), fullPage: true });
  }
}

const go = (page, selector) => Promise.all([page.waitForNavigation(), page.click(selector)]);

async function signIn(page) {
  // A refused sign-in keeps the name: it is typed over.
  await page.click("#name", { clickCount: 3 });
  await page.type("#name", facts.user);
  await page.type("#password", facts.password);
  await go(page, "main form button");
}

async function ready(page) {
  await page.waitForFunction(() => ["ready", "failed"].includes(document.title), { timeout: 20000 });
  assert.equal(await page.title(), "ready", await page.evaluate(() => window.failure));
}

try {
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  await page.setViewport({ width: 800, height: 900 });
  page.on("pageerror", (error) => console.log(`page: ${error}`));

  await step("standalone launch: the app sends its user to sign in", async () => {
    await page.goto(`${app}/launch.html?client=${facts.public}&standalone=${encodeURIComponent(facts.base)}`);
    await page.waitForSelector("#password", { timeout: 20000 });
    await picture(page, "sign-in");
  });
  await step("a wrong password is refused on the page", async () => {
    await page.type("#name", facts.user);
    await page.type("#password", "not the password");
    await go(page, "main form button");
    assert.ok(await page.$("[role=alert]"));
    await picture(page, "sign-in-refused");
  });
  await step("the user signs in and chooses a patient", async () => {
    await signIn(page);
    await page.type("#name", facts.name);
    await go(page, "main form button");
    await picture(page, "patient");
    await go(page, `button[value="${facts.patient}"]`);
  });
  await step("the user allows what the app asks for", async () => {
    await page.waitForSelector("button[value=approve]");
    await picture(page, "approval");
    await page.click("details summary");
    await picture(page, "approval-kinds");
    await page.click("button[value=approve]");
    await ready(page);
  });
  const first = await step("the app has the patient, the user and a token that reads", async () => {
    const told = await page.evaluate(async () => ({
      patient: window.client.patient.id,
      user: window.client.getFhirUser(),
      state: window.client.state.tokenResponse,
      read: await window.client.patient.read(),
    }));
    assert.equal(told.patient, facts.patient);
    assert.equal(told.read.id, facts.patient);
    assert.match(told.user ?? "", /Practitioner\//);
    return told.state;
  });
  const second = await step("the app refreshes", async () => {
    await page.evaluate(() => window.client.refresh());
    const state = await page.evaluate(() => window.client.state.tokenResponse);
    assert.notEqual(state.access_token, first.access_token);
    assert.notEqual(state.refresh_token, first.refresh_token);
    return state;
  });
  await step("the user sees the app, takes its access away, and it cannot refresh", async () => {
    await page.goto(`${root}/auth/apps`);
    await picture(page, "apps");
    assert.ok((await page.content()).includes("End access"));
    await go(page, "li form button");
    await picture(page, "apps-none");
    const form = new URLSearchParams({
      grant_type: "refresh_token", refresh_token: second.refresh_token, client_id: facts.public,
    });
    const answer = await fetch(`${root}/auth/token`, { method: "POST", body: form });
    assert.equal(answer.status, 400);
    assert.equal((await answer.json()).error, "invalid_grant");
  });
  await step("EHR launch: the app is started for a patient and asks for none", async () => {
    await page.goto(`${app}/index.html`);
    await page.evaluate((id) => sessionStorage.setItem("client", id), facts.public);
    await page.goto(`${root}/auth/launch`);
    await page.type("#patient", facts.patient);
    await picture(page, "launch");
    await page.click(`button[value="${facts.public}"]`);
    await page.waitForSelector("button[value=approve]", { timeout: 20000 });
    await page.click("button[value=approve]");
    await ready(page);
    const patient = await page.evaluate(() => window.client.patient.id);
    assert.equal(patient, facts.patient);
  });
  await step("the app takes its own token back", async () => {
    const state = await page.evaluate(() => window.client.state.tokenResponse);
    const form = new URLSearchParams({ token: state.refresh_token, client_id: facts.public });
    const answer = await fetch(`${root}/auth/revoke`, { method: "POST", body: form });
    assert.equal(answer.status, 200);
    const failed = await page.evaluate(() => window.client.refresh().then(() => "", String));
    assert.notEqual(failed, "");
  });
  await step("the user denies, and the app is told", async () => {
    await page.goto(`${app}/launch.html?client=${facts.public}&standalone=${encodeURIComponent(facts.base)}`);
    await page.waitForSelector(`#name`, { timeout: 20000 });
    await page.type("#name", facts.name);
    await go(page, "main form button");
    await go(page, `button[value="${facts.patient}"]`);
    await page.waitForSelector("button[value=deny]");
    await page.click("button[value=deny]");
    await page.waitForFunction(() => document.title === "failed", { timeout: 20000 });
    assert.match(await page.evaluate(() => window.failure), /denied/);
  });

  // A backend service, by a library of its own.
  const discovered = await (await fetch(`${facts.base}/.well-known/smart-configuration`)).json();
  const key = await jose.importJWK(JSON.parse(await readFile(facts.key, "utf8")), "ES384");
  const assertion = () =>
    new jose.SignJWT({})
      .setProtectedHeader({ alg: "ES384", kid: "test-key", typ: "JWT" })
      .setIssuer(facts.service).setSubject(facts.service)
      .setAudience(discovered.token_endpoint)
      .setJti(crypto.randomUUID()).setExpirationTime("4m")
      .sign(key);
  const ask = (text, scope = "system/Patient.rs") =>
    fetch(discovered.token_endpoint, {
      method: "POST",
      body: new URLSearchParams({
        grant_type: "client_credentials", scope,
        client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        client_assertion: text,
      }),
    });
  await step("a backend service gets a token by signing, once for each assertion", async () => {
    const text = await assertion();
    const answer = await ask(text);
    const body = await answer.json();
    assert.equal(answer.status, 200, JSON.stringify(body));
    assert.ok(body.expires_in <= 300);
    assert.equal((await ask(text)).status, 401);
    const read = await fetch(`${facts.base}/Patient/${facts.patient}`, {
      headers: { Authorization: `Bearer ${body.access_token}` },
    });
    assert.equal(read.status, 200);
  });
  await step("identity tokens verify with the published keys", async () => {
    const keys = jose.createRemoteJWKSet(new URL(discovered.jwks_uri));
    const { payload } = await jose.jwtVerify(first.id_token, keys, {
      issuer: discovered.issuer, audience: facts.public,
    });
    assert.ok(payload.fhirUser.startsWith(facts.base));
  });
} finally {
  await browser.close();
  pages.close();
}
console.log(`${passed} passed, 0 failed`);
