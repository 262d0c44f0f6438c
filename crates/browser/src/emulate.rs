//! What somebody has before them: the window, light or dark, colours that are forced, less motion, paper;
//! a slow machine, no script, no network; and a key that an authenticator makes.

use crate::page::Page;
use anyhow::Context;
use serde_json::{Value, json};

/// How pages look, by what a person or a system prefers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// Light, as most systems are set.
    Light,
    /// Dark.
    Dark,
    /// Colours of the system in the place of the page's (Windows' high contrast).
    Forced,
    /// Light, and nothing moves.
    Still,
    /// As it is laid out on paper.
    Paper,
}

impl Look {
    /// Its word, for names of files and for messages.
    pub fn word(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
            Self::Forced => "forced-colors",
            Self::Still => "reduced-motion",
            Self::Paper => "print",
        }
    }
}

impl Page {
    /// The window's size in CSS pixels. 320 by 256 is what 1280 by 1024 is at 400 % (WCAG 1.4.10).
    pub fn size(&self, width: u32, height: u32) -> anyhow::Result<()> {
        let metrics =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.call("Emulation.setDeviceMetricsOverride", metrics)?;
        Ok(())
    }

    /// How it looks.
    pub fn look(&self, look: Look) -> anyhow::Result<()> {
        let scheme = if look == Look::Dark { "dark" } else { "light" };
        let forced = if look == Look::Forced { "active" } else { "none" };
        let motion = if look == Look::Still { "reduce" } else { "no-preference" };
        let media = if look == Look::Paper { "print" } else { "" };
        let features = json!([
            { "name": "prefers-color-scheme", "value": scheme },
            { "name": "forced-colors", "value": forced },
            { "name": "prefers-reduced-motion", "value": motion },
        ]);
        self.call("Emulation.setEmulatedMedia", json!({ "media": media, "features": features }))?;
        Ok(())
    }

    /// A machine that is so many times slower; 1 is as it is.
    pub fn slower(&self, times: u32) -> anyhow::Result<()> {
        self.call("Emulation.setCPUThrottlingRate", json!({ "rate": times }))?;
        Ok(())
    }

    /// Whether scripts of the page run; the next document is the first that knows.
    pub fn scripts(&self, run: bool) -> anyhow::Result<()> {
        self.call("Emulation.setScriptExecutionDisabled", json!({ "value": !run }))?;
        Ok(())
    }

    /// Whether there is a network.
    pub fn offline(&self, offline: bool) -> anyhow::Result<()> {
        let conditions = json!({
            "offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1,
        });
        self.call("Network.emulateNetworkConditions", conditions)?;
        Ok(())
    }

    /// An authenticator of this machine, whose owner is there and agrees
    /// ([Web Authentication](https://www.w3.org/TR/webauthn-3/)); its number.
    pub fn authenticator(&self) -> anyhow::Result<String> {
        self.call("WebAuthn.enable", json!({}))?;
        let options = json!({
            "protocol": "ctap2", "transport": "internal", "hasResidentKey": true,
            "hasUserVerification": true, "isUserVerified": true, "automaticPresenceSimulation": true,
        });
        let made = self.call("WebAuthn.addVirtualAuthenticator", json!({ "options": options }))?;
        let number = made.get("authenticatorId").and_then(Value::as_str);
        Ok(number.context("no authenticator")?.to_owned())
    }
}
