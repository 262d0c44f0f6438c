//! What people do, from begin to end, in as many clicks and keys as it may cost them. A journey that
//! costs more fails, and so does one on whose way anything goes wrong that nobody sees.

use super::site::Site;
use anyhow::bail;
use browser::{Budget, Page};

/// One journey.
#[derive(Debug)]
pub(super) struct Journey {
    pub(super) name: &'static str,
    pub(super) budget: Budget,
    pub(super) walk: fn(&Site, &mut Page) -> anyhow::Result<()>,
}

/// Where signing in leads, and signing out of a demo.
const TODAY: &str = "Today";
const WELCOME: &str = "Who do you want to be?";
const FACTORS: &str = "How I sign in";

pub(super) const JOURNEYS: &[Journey] = &[
    Journey {
        // Five letters, Tab, what a password manager gives, Enter: the page brings the focus.
        name: "sign-in-by-keyboard",
        budget: Budget { clicks: 0, keys: 8 },
        walk: |site, page| {
            page.go("/auth/sign-in")?;
            page.focus_is("textbox", "Sign-in name")?;
            page.types("nurse")?;
            page.press("Tab")?;
            page.focus_is("textbox", "Password")?;
            page.pastes(&site.password("nurse")?)?;
            page.press("Enter")?;
            page.sees("heading", TODAY)
        },
    },
    Journey {
        name: "wrong-password-then-right",
        budget: Budget { clicks: 0, keys: 10 },
        walk: |site, page| {
            page.go("/auth/sign-in")?;
            page.types("nurse")?;
            page.press("Tab")?;
            page.pastes("tulips in rotterdam")?;
            page.press("Enter")?;
            page.sees("alert", "")?;
            // What was right is not typed again (WCAG 3.3.7), and the focus is where it is to be mended.
            page.focus_is("textbox", "Password")?;
            page.pastes(&site.password("nurse")?)?;
            page.press("Enter")?;
            page.sees("heading", TODAY)
        },
    },
    Journey {
        name: "sign-in-without-scripts",
        budget: Budget { clicks: 1, keys: 8 },
        walk: |site, page| {
            page.scripts(false)?;
            page.go("/auth/sign-in")?;
            page.types("biller")?;
            page.press("Tab")?;
            page.pastes(&site.password("biller")?)?;
            page.click("button", "Sign in")?;
            page.sees("heading", TODAY)
        },
    },
    Journey {
        name: "sign-out-in-one-tab",
        budget: Budget { clicks: 1, keys: 9 },
        walk: |site, page| {
            site.comes_in(page, "biller")?;
            let mut tab = page.tab()?;
            tab.go("/auth/factors")?;
            page.go("/auth/apps")?;
            page.click("button", "Sign out")?;
            page.sees("heading", WELCOME)?;
            // What is still open in the other is worth nothing.
            tab.click("button", "Set one up")?;
            tab.sees("heading", "That did not work")?;
            tab.click("link", "Go on from the sign-in page")?;
            tab.sees("heading", "Sign in")?;
            tab.end(Budget { clicks: 2, keys: 0 })
        },
    },
    Journey {
        name: "passkey-from-begin-to-end",
        budget: Budget { clicks: 10, keys: 40 },
        walk: |site, page| {
            page.authenticator()?;
            page.go("/auth/factors")?;
            site.sign_in(page, "front-desk")?;
            page.click("button", "Make a passkey")?;
            page.click("button", "Make the passkey")?;
            page.sees("heading", "Your recovery codes")?;
            page.click("link", "I have them")?;
            page.sees("heading", FACTORS)?;
            page.reads("My passkey")?;
            page.click("button", "Sign out")?;
            page.sees("heading", WELCOME)?;
            // Asked for behind the password,
            page.go("/auth/sign-in")?;
            site.sign_in(page, "front-desk")?;
            page.sees("heading", "One more step")?;
            page.click("button", "Use your passkey")?;
            page.sees("heading", TODAY)?;
            page.go("/auth/apps")?;
            page.click("button", "Sign out")?;
            page.sees("heading", WELCOME)?;
            // and enough alone.
            page.go("/auth/sign-in")?;
            page.click("button", "Sign in with a passkey")?;
            page.sees("heading", "Sign in with a passkey")?;
            page.click("button", "Use your passkey")?;
            page.sees("heading", TODAY)
        },
    },
    Journey {
        name: "no-network",
        budget: Budget { clicks: 0, keys: 0 },
        walk: |_, page| {
            page.go("/auth/sign-in")?;
            page.offline(true)?;
            if page.go("/auth/sign-in").is_ok() {
                bail!("a page of signing in came from a cache, where another may sit by now");
            }
            page.offline(false)?;
            // The browser says so itself, and rightly.
            page.faults()?;
            page.go("/auth/sign-in")?;
            page.sees("heading", "Sign in")
        },
    },
];
