// Passkeys in a headless Chromium, with the virtual authenticator of its DevTools: made on the page,
// as a second factor, alone, shown again, refused by its owner, and where there are none; and how the
// pages do by keyboard and without a script.
//
//   node passkeys.mjs FACTS.json [SCREENSHOTS]

import assert from "node:assert/strict";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import puppeteer from "puppeteer-core";

const facts = JSON.parse(await readFile(process.argv[2], "utf8"));
const pictures = process.argv[3];
// Browsers give passkeys to names only.
const root = facts.base.replace(/\/fhir$/, "").replace("127.0.0.1", "localhost");
const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu"],
});

async function step(sentence, work) {
  try {
    await work();
    console.log(`ok   ${sentence}`);
  } catch (error) {
    console.log(`FAIL ${sentence}`);
    throw error;
  }
}

async function picture(page, name) {
  if (!pictures) return;
  await mkdir(pictures, { recursive: true });
  for (const scheme of ["light", "dark"]) {
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
    await page.screenshot({ path: join(pictures, `${name}-${scheme}.png`), fullPage: true });
  }
}

const go = (page, selector) => Promise.all([page.waitForNavigation(), page.click(selector)]);
const title = (page) => page.$eval("h1", (h) => h.textContent);

// To an element by the keyboard alone, in at most so many steps. What a page puts the focus on it may do
// a moment after it is loaded, so each step looks where it is.
async function tabTo(page, selector, most) {
  await page.bringToFront();
  const there = () => page.evaluate((s) => document.activeElement?.matches(s) ?? false, selector);
  const focus = await page.$("[autofocus]");
  if (focus) await page.waitForFunction(() => document.activeElement?.hasAttribute("autofocus"));
  for (let n = 0; n < most && !(await there()); n += 1) await page.keyboard.press("Tab");
  assert.ok(await there(), `${selector} is within ${most} steps of the keyboard`);
}

async function withPassword(page, path) {
  await page.goto(`${root}/auth/${path}`);
  await page.type("#name", facts.user);
  await page.type("#password", facts.password);
  await go(page, "form[action='sign-in'] button");
}

const fresh = async () => {
  const page = await (await browser.createBrowserContext()).newPage();
  await page.setViewport({ width: 800, height: 900 });
  page.on("pageerror", (error) => console.log(`page: ${error}`));
  page.on("console", (said) => said.type() === "error" && console.log(`console: ${said.text()}`));
  return page;
};

const options = {
  protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true,
  isUserVerified: true, automaticPresenceSimulation: true,
};

try {
  const page = await fresh();
  const cdp = await page.createCDPSession();
  await cdp.send("WebAuthn.enable");
  const { authenticatorId } = await cdp.send("WebAuthn.addVirtualAuthenticator", { options });

  await step("a passkey is made on the page, and recovery codes are shown", async () => {
    await withPassword(page, "factors");
    await picture(page, "factors-none");
    await go(page, "button[value=new]");
    await picture(page, "passkey-new");
    await page.click("#name", { clickCount: 3 });
    await page.type("#name", "Test device");
    await go(page, "form[data-passkey] button");
    assert.equal(await title(page), "Your recovery codes");
    assert.equal(await page.$$eval(".codes li", (all) => all.length), 10);
    await picture(page, "recovery-codes");
    await go(page, "a[href=factors]");
    assert.ok((await page.$eval("main", (main) => main.textContent)).includes("Test device"));
    await picture(page, "factors-one");
  });

  await step("the same device does not make a second one", async () => {
    await go(page, "button[value=new]");
    await page.click("form[data-passkey] button");
    await page.waitForFunction(() => document.querySelector("[data-told]").textContent.includes("already"));
    await picture(page, "passkey-there-already");
    await page.goto(`${root}/auth/factors`);
  });

  await step("it is asked for after the password", async () => {
    await go(page, "form[action='sign-out'] button");
    await withPassword(page, "sign-in");
    assert.equal(await title(page), "One more step");
    await picture(page, "second-factor");
    await go(page, "form[data-passkey] button");
    assert.equal(await title(page), "Today");
    await page.goto(`${root}/auth/apps`);
  });

  await step("it is shown again within a session", async () => {
    await page.goto(`${root}/auth/confirm`);
    await picture(page, "confirm");
    await go(page, "form[data-passkey] button");
    assert.equal(await title(page), "How I sign in");
  });

  await step("it signs in alone, by keyboard", async () => {
    await go(page, "form[action='sign-out'] button");
    await picture(page, "sign-in");
    // Name, password, button, then the other way.
    await tabTo(page, "form[action='passkey'] button", 4);
    await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
    assert.equal(await title(page), "Sign in with a passkey");
    await picture(page, "passkey");
    await tabTo(page, "form[data-passkey] button", 2);
    await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
    assert.equal(await title(page), "Today");
    await page.goto(`${root}/auth/apps`);
  });

  await step("whoever is not verified is told, and may try again", async () => {
    await go(page, "form[action='sign-out'] button");
    await cdp.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: false });
    await go(page, "form[action='passkey'] button");
    await page.click("form[data-passkey] button");
    await page.waitForFunction(() => document.querySelector("[data-told]").textContent.includes("Try again"));
    await picture(page, "passkey-refused");
    await cdp.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: true });
    await go(page, "form[data-passkey] button");
    assert.equal(await title(page), "Today");
    await page.goto(`${root}/auth/apps`);
  });

  await step("a removed passkey is refused", async () => {
    await page.goto(`${root}/auth/factors`);
    await page.click("details summary");
    await picture(page, "factors-change");
    await go(page, "button[value=remove]");
    assert.ok((await page.$eval("main", (main) => main.textContent)).includes("You have no passkey."));
    await go(page, "form[action='sign-out'] button");
    await go(page, "form[action='passkey'] button");
    await go(page, "form[data-passkey] button");
    assert.equal(await title(page), "Sign in with a passkey");
    assert.ok((await page.$eval("[role=alert]", (p) => p.textContent)).includes("did not succeed"));
  });

  await step("a browser without passkeys is told what to do", async () => {
    const bare = await fresh();
    await bare.evaluateOnNewDocument(() => delete window.PublicKeyCredential);
    await bare.goto(`${root}/auth/sign-in`);
    await go(bare, "form[action='passkey'] button");
    const told = await bare.$eval("[data-told]", (p) => p.textContent);
    assert.ok(told.includes("has no passkeys"), told);
    await picture(bare, "passkey-none");
  });

  await step("a name and a password sign in without a script", async () => {
    const bare = await fresh();
    await bare.setJavaScriptEnabled(false);
    await withPassword(bare, "sign-in");
    assert.equal(await title(bare), "Today");
  });
} finally {
  await browser.close();
}
