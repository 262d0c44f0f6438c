//! Every screen there is: where it is, for whom, and how it is reached. Each is held to all of
//! `checks.rs`. A new one is a row here.

use super::console::finds;
use super::site::Site;
use browser::{Page, Paint};

/// One screen.
#[derive(Debug)]
pub(super) struct Screen {
    /// Its name, and that of its pictures.
    pub(super) name: &'static str,
    /// Who looks at it; nobody has signed in for `None`.
    pub(super) who: Option<&'static str>,
    /// Its address, or that of the screen it is reached from.
    pub(super) path: &'static str,
    /// Its heading.
    pub(super) heading: &'static str,
    /// The way to it from its address; [`there`] where that leads to it at once.
    pub(super) way: fn(&Site, &mut Page) -> anyhow::Result<()>,
    /// Whether it is reached without scripts, as every screen is that a browser can show without.
    pub(super) plain: bool,
    /// What the first load of its address may transfer, heads included.
    pub(super) bytes_max: u64,
}

/// What a small page with its style sheet takes, with room for a paragraph.
const SMALL: u64 = 10_000;
/// What a page of the console may take in all, style and scripts included.
const PAGE: u64 = 50_000;

pub(super) const SCREENS: &[Screen] = &[
    Screen {
        name: "sign-in",
        who: None,
        path: "/auth/sign-in",
        heading: "Sign in",
        way: there,
        plain: true,
        bytes_max: SMALL,
    },
    Screen {
        name: "sign-in-refused",
        who: None,
        path: "/auth/sign-in",
        heading: "Sign in",
        way: |_, page| {
            page.types("nobody-here")?;
            page.tab_to("textbox", "Password")?;
            page.types("not the password")?;
            page.press("Enter")?;
            page.sees("alert", "")
        },
        plain: true,
        bytes_max: SMALL,
    },
    Screen {
        name: "passkey",
        who: None,
        path: "/auth/sign-in",
        heading: "Sign in with a passkey",
        way: |_, page| page.click("button", "Sign in with a passkey"),
        plain: true,
        bytes_max: SMALL,
    },
    Screen {
        name: "apps",
        who: Some("patient"),
        path: "/auth/apps",
        heading: "Apps that can see my record",
        way: there,
        plain: true,
        bytes_max: SMALL,
    },
    Screen {
        name: "factors",
        who: Some("biller"),
        path: "/auth/factors",
        heading: "How I sign in",
        way: there,
        plain: true,
        bytes_max: SMALL,
    },
    Screen {
        name: "passkey-new",
        who: Some("biller"),
        path: "/auth/factors",
        heading: "Make a passkey",
        way: |_, page| page.click("button", "Make a passkey"),
        plain: true,
        bytes_max: SMALL,
    },
    Screen {
        name: "authenticator",
        who: Some("biller"),
        path: "/auth/factors",
        heading: "Set up an authenticator app",
        way: |_, page| page.click("button", "Set one up"),
        plain: true,
        bytes_max: SMALL,
    },
    Screen {
        name: "confirm",
        who: Some("auditor"),
        path: "/auth/confirm",
        heading: "Is it still you?",
        way: there,
        plain: true,
        bytes_max: SMALL,
    },
    Screen {
        name: "launch",
        who: Some("clinician"),
        path: "/auth/launch",
        heading: "Start an app",
        // Read anew once there is an app.
        way: |site, page| {
            site.asked_by_app()?;
            page.go("/auth/launch")?;
            page.sees("heading", "Start an app")
        },
        plain: true,
        bytes_max: SMALL,
    },
    Screen {
        name: "choose-patient",
        who: Some("clinician"),
        path: "/auth/launch",
        heading: "Choose a patient",
        way: |site, page| {
            page.go(&site.asked_by_app()?)?;
            page.tab_to("textbox", "Name of the patient")?;
            page.types("a")?;
            page.press("Enter")?;
            page.sees("heading", "Matches")
        },
        plain: true,
        bytes_max: SMALL,
    },
    Screen {
        name: "approval",
        who: Some("patient"),
        path: "/auth/apps",
        heading: "Decide what the app may do",
        way: |site, page| {
            page.go(&site.asked_by_app()?)?;
            page.click("DisclosureTriangle", "Or only some kinds of records")
        },
        plain: true,
        bytes_max: SMALL,
    },
    Screen {
        name: "apps-given",
        who: Some("patient"),
        path: "/auth/apps",
        heading: "Apps that can see my record",
        way: |site, page| {
            page.go(&site.asked_by_app()?)?;
            page.click("button", "Allow")?;
            site.app_takes(page)?;
            page.go("/auth/apps")?;
            page.click("DisclosureTriangle", "What it may do")
        },
        plain: false,
        bytes_max: SMALL,
    },
    Screen {
        name: "system-health",
        who: Some("it-administrator"),
        path: "/admin/health",
        heading: "System health",
        way: there,
        plain: true,
        bytes_max: PAGE,
    },
    Screen {
        name: "jobs",
        who: Some("it-administrator"),
        path: "/admin/jobs",
        heading: "Jobs",
        way: there,
        plain: true,
        bytes_max: PAGE,
    },
    Screen {
        name: "configuration",
        who: Some("it-administrator"),
        path: "/admin/configuration",
        heading: "Configuration",
        way: there,
        plain: true,
        bytes_max: PAGE,
    },
    Screen {
        name: "resources",
        who: Some("it-administrator"),
        path: "/admin/resources",
        heading: "FHIR resources",
        way: there,
        plain: true,
        bytes_max: PAGE,
    },
    Screen {
        name: "resource-search",
        who: Some("it-administrator"),
        path: "/admin/resources/Organization",
        heading: "Organization",
        way: there,
        plain: true,
        bytes_max: PAGE,
    },
    Screen {
        name: "places",
        who: Some("it-administrator"),
        path: "/admin/places",
        heading: "Places and people",
        way: there,
        plain: true,
        bytes_max: PAGE,
    },
    Screen {
        name: "place-site",
        who: Some("it-administrator"),
        path: "/admin/places/site/new",
        heading: "Add a site",
        way: there,
        plain: true,
        bytes_max: PAGE,
    },
    Screen {
        name: "place-work",
        who: Some("it-administrator"),
        path: "/admin/places/work/new",
        heading: "Add where somebody works",
        way: there,
        plain: true,
        bytes_max: PAGE,
    },
    Screen {
        name: "checklist",
        who: Some("it-administrator"),
        path: "/first/checklist",
        heading: "Checklist",
        way: there,
        plain: true,
        bytes_max: PAGE,
    },
    Screen {
        name: "recovery-codes",
        who: Some("it-administrator"),
        path: "/auth/factors",
        heading: "Your recovery codes",
        way: |_, page| makes_passkey(page),
        plain: false,
        bytes_max: SMALL,
    },
    Screen {
        name: "factors-one",
        who: Some("privacy-officer"),
        path: "/auth/factors",
        heading: "How I sign in",
        way: |_, page| {
            makes_passkey(page)?;
            page.click("link", "I have them")?;
            page.click("DisclosureTriangle", "Change My passkey")
        },
        plain: false,
        bytes_max: SMALL,
    },
    Screen {
        name: "second-factor",
        who: Some("him"),
        path: "/auth/factors",
        heading: "One more step",
        way: |site, page| {
            makes_passkey(page)?;
            page.click("link", "I have them")?;
            page.click("button", "Sign out")?;
            page.sees("heading", "Who do you want to be?")?;
            page.go("/auth/sign-in")?;
            site.sign_in(page, "him")
        },
        plain: false,
        bytes_max: SMALL,
    },
    Screen {
        name: "not-an-app",
        who: None,
        path: "/auth/authorize?response_type=code&client_id=nobody",
        heading: "This app cannot be answered",
        way: there,
        plain: true,
        bytes_max: SMALL,
    },
    Screen {
        name: "flow",
        who: Some("front-desk"),
        path: "/flow",
        heading: "Flow board",
        way: there,
        plain: true,
        bytes_max: 5 * SMALL,
    },
    Screen {
        name: "inbox",
        who: Some("clinician"),
        path: "/inbox",
        heading: "Inbox",
        way: there,
        plain: true,
        bytes_max: PAGE,
    },
    Screen {
        name: "inbox-item",
        who: Some("clinician"),
        path: "/inbox?kind=results",
        heading: "Result",
        way: |_, page| {
            page.press("j")?;
            page.press("Enter")?;
            page.sees("heading", "Result")
        },
        plain: false,
        bytes_max: PAGE,
    },
    Screen {
        name: "inbox-desk",
        who: Some("front-desk"),
        path: "/inbox",
        heading: "Inbox",
        way: there,
        plain: true,
        bytes_max: PAGE,
    },
    Screen {
        name: "inbox-cover",
        who: Some("clinician"),
        path: "/inbox/cover",
        heading: "Covers",
        way: there,
        plain: true,
        bytes_max: PAGE,
    },
    Screen {
        name: "flow-wall",
        who: Some("nurse"),
        path: "/flow/wall",
        heading: "Flow board",
        way: there,
        plain: true,
        bytes_max: 5 * SMALL,
    },
    Screen {
        name: "today-visits",
        who: Some("nurse"),
        path: "/today",
        heading: "Waiting now",
        way: there,
        plain: true,
        bytes_max: 5 * SMALL,
    },
    Screen {
        name: "today-own",
        who: Some("clinician"),
        path: "/today",
        heading: "Waiting now",
        way: there,
        plain: true,
        bytes_max: 5 * SMALL,
    },
    Screen {
        name: "schedule",
        who: Some("front-desk"),
        path: "/schedule",
        heading: "Schedule",
        way: there,
        plain: true,
        bytes_max: PAGE,
    },
    Screen {
        name: "schedule-book",
        who: Some("front-desk"),
        path: "/schedule/book",
        heading: "Book an appointment",
        way: there,
        plain: true,
        bytes_max: PAGE,
    },
    Screen {
        name: "waitlist",
        who: Some("front-desk"),
        path: "/waitlist",
        heading: "Waiting list",
        way: there,
        plain: true,
        bytes_max: PAGE,
    },
    Screen {
        name: "waitlist-add",
        who: Some("front-desk"),
        path: "/waitlist/add",
        heading: "Put on the waiting list",
        way: there,
        plain: true,
        bytes_max: PAGE,
    },
    Screen {
        name: "schedule-absence",
        who: Some("front-desk"),
        path: "/schedule/absence",
        heading: "Somebody is away",
        way: there,
        plain: true,
        bytes_max: PAGE,
    },
    Screen {
        name: "chart",
        who: Some("clinician"),
        path: "/today",
        heading: "Problems",
        way: |_, page| chart(page, ""),
        plain: true,
        bytes_max: PAGE,
    },
    Screen {
        name: "chart-own",
        who: Some("patient"),
        path: "/today",
        heading: "Problems",
        way: |_, page| page.click("link", "My record"),
        plain: true,
        bytes_max: PAGE,
    },
    Screen {
        name: "chart-front-desk",
        who: Some("front-desk"),
        path: "/today",
        heading: "Contact",
        way: |_, page| chart(page, ""),
        plain: true,
        bytes_max: PAGE,
    },
    Screen {
        name: "chart-timeline",
        who: Some("clinician"),
        path: "/today",
        heading: "Timeline",
        way: |_, page| chart(page, "/timeline"),
        plain: true,
        bytes_max: PAGE,
    },
    Screen {
        name: "chart-timeline-nothing",
        who: Some("clinician"),
        path: "/today",
        heading: "Timeline",
        way: |_, page| chart(page, "/timeline?from=2090-01-01"),
        plain: true,
        bytes_max: PAGE,
    },
    Screen {
        name: "chart-vitals",
        who: Some("nurse"),
        path: "/today",
        heading: "Enter vital signs",
        way: |_, page| {
            chart(page, "/vitals")?;
            page.tab_to("textbox", "What was measured")?;
            page.types("120/80 72 36.8 98% 70kg")?;
            page.reads("36.8 °C")
        },
        plain: false,
        bytes_max: PAGE,
    },
    Screen {
        name: "chart-vitals-twice",
        who: Some("nurse"),
        path: "/today",
        heading: "Enter vital signs",
        way: |_, page| {
            chart(page, "/vitals")?;
            page.tab_to("textbox", "What was measured")?;
            page.types("hr 230")?;
            page.press("Enter")?;
            page.reads("Look at it twice")
        },
        plain: true,
        bytes_max: PAGE,
    },
    Screen {
        name: "chart-vitals-wrong",
        who: Some("nurse"),
        path: "/today",
        heading: "Enter vital signs",
        way: |_, page| {
            chart(page, "/vitals")?;
            page.tab_to("textbox", "What was measured")?;
            page.types("hr 71 wt 180")?;
            page.press("Enter")?;
            page.sees("alert", "")
        },
        plain: true,
        bytes_max: PAGE,
    },
    Screen {
        name: "chart-problem",
        who: Some("clinician"),
        path: "/today",
        heading: "Add a problem",
        way: |_, page| chart(page, "/add/problem"),
        plain: true,
        bytes_max: PAGE,
    },
    Screen {
        name: "chart-allergy",
        who: Some("clinician"),
        path: "/today",
        heading: "Add an allergy",
        way: |_, page| chart(page, "/add/allergy"),
        plain: true,
        bytes_max: PAGE,
    },
    Screen {
        name: "chart-medication",
        who: Some("clinician"),
        path: "/today",
        heading: "Add a medication",
        way: |_, page| chart(page, "/add/medication"),
        plain: true,
        bytes_max: PAGE,
    },
    Screen {
        name: "chart-note",
        who: Some("clinician"),
        path: "/today",
        heading: "Write a note",
        way: |_, page| chart(page, "/write?kind=11506-3"),
        plain: true,
        bytes_max: PAGE,
    },
    Screen {
        name: "chart-print",
        who: Some("clinician"),
        path: "/today",
        heading: "Problems",
        way: |_, page| chart(page, "/print"),
        plain: true,
        bytes_max: PAGE,
    },
    Screen {
        name: "register",
        who: Some("front-desk"),
        path: "/register",
        heading: "Register a patient",
        way: there,
        plain: true,
        bytes_max: PAGE,
    },
    Screen {
        name: "duplicates",
        who: Some("him"),
        path: "/duplicates",
        heading: "Possible duplicates",
        way: there,
        plain: true,
        bytes_max: PAGE,
    },
    Screen {
        name: "users",
        who: Some("it-administrator"),
        path: "/admin/users",
        heading: "Users",
        way: there,
        plain: true,
        bytes_max: PAGE,
    },
    Screen {
        name: "user-new",
        who: Some("it-administrator"),
        path: "/admin/users/new",
        heading: "New user",
        way: there,
        plain: true,
        bytes_max: PAGE,
    },
    Screen {
        name: "access-review",
        who: Some("it-administrator"),
        path: "/admin/access/review",
        heading: "Access review",
        way: there,
        plain: true,
        bytes_max: PAGE,
    },
    Screen {
        name: "access-review-officer",
        who: Some("privacy-officer"),
        path: "/admin/access/review",
        heading: "Access review",
        way: there,
        plain: true,
        bytes_max: PAGE,
    },
    Screen {
        name: "access-why",
        who: Some("auditor"),
        path: "/admin/access",
        heading: "Why can they see it?",
        way: there,
        plain: true,
        bytes_max: PAGE,
    },
    Screen {
        name: "audit",
        who: Some("privacy-officer"),
        // What the server does by itself at its start comes to this log in no order.
        path: "/audit?who=privacy-officer",
        heading: "Audit log",
        way: there,
        plain: true,
        bytes_max: PAGE,
    },
    Screen {
        name: "audit-event",
        who: Some("auditor"),
        path: "/audit/events/1",
        heading: "Event 1",
        way: there,
        plain: true,
        bytes_max: PAGE,
    },
    Screen {
        name: "review",
        who: Some("privacy-officer"),
        path: "/review",
        heading: "Review",
        way: there,
        plain: true,
        bytes_max: PAGE,
    },
    Screen {
        name: "sessions",
        who: Some("nurse"),
        path: "/admin/sessions",
        heading: "Sessions and apps",
        way: there,
        plain: true,
        bytes_max: PAGE,
    },
    Screen {
        name: "sessions-all",
        who: Some("it-administrator"),
        path: "/admin/sessions",
        heading: "Sessions and apps",
        way: there,
        plain: true,
        bytes_max: PAGE,
    },
];

/// The address is the screen's own.
pub(super) fn there(_: &Site, _: &mut Page) -> anyhow::Result<()> {
    Ok(())
}

/// A page of the chart of whoever has the first appointment of today, or is the first that is found.
fn chart(page: &mut Page, rest: &str) -> anyhow::Result<()> {
    let first = r#"document.querySelector("main a[href^='/p/']")?.getAttribute("href") ?? """#;
    let mut path = page.js(first)?.as_str().unwrap_or_default().to_owned();
    if path.is_empty() {
        page.go("/find")?;
        finds(page, "a")?;
        page.wait("a patient", |page| {
            Ok(page.js(first)?.as_str().is_some_and(|at| !at.is_empty()))
        })?;
        path = page.js(first)?.as_str().unwrap_or_default().to_owned();
    }
    page.go(&format!("{path}{rest}"))
}

fn makes_passkey(page: &mut Page) -> anyhow::Result<()> {
    page.authenticator()?;
    page.click("button", "Make a passkey")?;
    page.click("button", "Make the passkey")?;
    page.sees("heading", "Your recovery codes")
}

impl Screen {
    /// Goes there as whoever looks at it; what the load of its address cost.
    pub(super) fn open(&self, site: &Site, page: &mut Page) -> anyhow::Result<Paint> {
        if let Some(who) = self.who {
            site.comes_in(page, who)?;
        }
        page.settle()?;
        let paint = page.load(self.path)?;
        (self.way)(site, page)?;
        page.sees("heading", self.heading)?;
        page.settle()?;
        Ok(paint)
    }
}
