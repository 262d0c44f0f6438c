//! Reminders of visits as the settings have them: who hands them on, and the thread that looks every minute at
//! what is due (docs/operators/reminders.md). The scheduling department says what is sent and keeps the ledger;
//! crate `courier` sends.

use crate::holder;
use crate::opening;
use crate::settings::Settings;
use crate::wish::{ShownReminder, Told};
use anyhow::{Context as _, anyhow, bail};
use base::time::SystemClock;
use base::{Fault, Phi};
use courier::{
    Credentials, Email, Message, Phone, Security, Sender, Smtp, SmtpSettings, To, Unsent, Webhook,
    WebhookSettings,
};
use record::{Record, Stop, Worker};
use scheduling::remind::{
    Carrier, Lead, Letter, Link, Passed, Quiet, Reminding, Undelivered, Way, listed, pass,
};
use scheduling::time::{Zone, Zones};
use std::sync::Arc;
use std::time::Duration;
use tracing::{error, info, warn};
use zeroize::Zeroizing;

/// How reminders stand, in the name of whoever owns the data folder: every line of the ledger, by the visit's
/// beginning.
pub(crate) fn carry_out(record: &Record) -> Result<Told, Fault> {
    let session = opening::session(record);
    let (mut all, mut after): (Vec<ShownReminder>, Option<String>) = (Vec::new(), None);
    loop {
        let (entries, more) = listed(&session, after.as_deref())?;
        all.extend(entries.into_iter().map(|entry| ShownReminder {
            appointment: entry.appointment,
            start: entry.start.to_instant(),
            lead: entry.lead.code(),
            state: entry.outcome.as_str().to_owned(),
            at: entry.at.to_instant(),
            attempts: entry.attempts,
            way: entry.way.map(|way| way.as_str().to_owned()),
            next: entry.next.map(base::Millis::to_instant),
            why: entry.why,
        }));
        match more {
            Some(key) if all.len() < LISTED_MAX => after = Some(key),
            _ => return Ok(Told::Reminders(all)),
        }
    }
}

/// Lines of the ledger that are listed at once; a large house has as many in a month.
const LISTED_MAX: usize = 50_000;

/// How often it is looked what is due.
const EVERY: Duration = Duration::from_secs(60);
/// How long one message may take.
const PATIENCE_MS: u64 = 30_000;
/// Reminders of one visit.
const LEADS_MAX: usize = 5;
/// What tries an address of links when the settings are read; it is nobody's.
const NO_TOKEN: &str = "00000000000000000000000000000000";

/// What the settings say.
#[derive(Debug)]
pub(crate) struct Reminders {
    pub(crate) how: Reminding,
    pub(crate) post: Post,
}

/// The settings as they are to be; nothing when nobody is reminded.
pub(crate) fn open(settings: &Settings) -> anyhow::Result<Option<Reminders>> {
    if !settings.switch("reminders") {
        return Ok(None);
    }
    let clinic = settings.text("reminders_clinic");
    if clinic.trim().is_empty() || clinic.chars().count() > scheduling::remind::CLINIC_CHARS_MAX {
        bail!("reminders_clinic: name the clinic as its patients know it, in 1 to 60 characters");
    }
    let zones = Zones::bundled();
    let zone = match settings.text("reminders_zone").as_str() {
        "" => Zone::utc(),
        name => zones
            .find(name)
            .map_err(|_fault| anyhow!("reminders_zone: {name} is no IANA time zone"))?,
    };
    let leads = settings.list("reminders_leads");
    if leads.is_empty() || leads.len() > LEADS_MAX {
        bail!("reminders_leads: name 1 to {LEADS_MAX}, such as 7d,2d,2h");
    }
    let each = leads.iter().map(|text| {
        let bad =
            || format!("reminders_leads: {text} is no lead of 1 to 60 days, such as 7d or 2h");
        Lead::parse(text).with_context(bad)
    });
    let leads: Vec<Lead> = each.collect::<anyhow::Result<_>>()?;
    let origin = origin(settings)?;
    Link::new(&origin, NO_TOKEN).map_err(|_fault| {
        anyhow!(
            "reminders_address: links need https and a host without a path: https://clinic.example"
        )
    })?;
    let post = Post {
        smtp: smtp(settings, &clinic)?,
        webhook: webhook(settings)?,
        country: country(settings)?,
    };
    if post.smtp.is_none() && post.webhook.is_none() {
        bail!(
            "reminders: set mail_host, message_webhook_url or both, so that somebody hands them on"
        );
    }
    let how = Reminding { zones, zone, clinic, origin, leads, quiet: Quiet::USUAL };
    Ok(Some(Reminders { how, post }))
}

/// Where patients reach this server.
fn origin(settings: &Settings) -> anyhow::Result<String> {
    let own = settings.text("reminders_address");
    if !own.is_empty() {
        return Ok(own);
    }
    let base = settings.text("base_url");
    let host = base.strip_prefix("https://").and_then(|rest| rest.split('/').next());
    let missing =
        || "reminders_address: name the https address by which patients reach this server";
    Ok(format!("https://{}", host.with_context(missing)?))
}

fn country(settings: &Settings) -> anyhow::Result<String> {
    let code = settings.text("reminders_country_code");
    let plain = (1..=3).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_digit());
    if !plain || code.starts_with('0') {
        bail!("reminders_country_code: the digits of a country's calling code, such as 1");
    }
    Ok(code)
}

fn smtp(settings: &Settings, clinic: &str) -> anyhow::Result<Option<Smtp>> {
    let host = settings.text("mail_host");
    if host.is_empty() {
        return Ok(None);
    }
    let from = settings.text("mail_from");
    let from = Email::parse(&from).map_err(|_fault| anyhow!("mail_from: is no mail address"))?;
    let user = settings.text("mail_user");
    let credentials = match (holder::secret(settings, "mail_password_file")?, user.is_empty()) {
        (None, true) => None,
        (Some(file), false) => {
            let password =
                file.read(&keys::Disk).map_err(|fault| anyhow!("mail_password_file: {fault}"))?;
            Some(Credentials { user, password: Zeroizing::new(password.expose().to_owned()) })
        }
        _ => bail!("mail_user and mail_password_file: a mail server is told both or neither"),
    };
    let security = match settings.text("mail_security").as_str() {
        "implicit" => Security::Implicit,
        "none" => Security::None,
        _ => Security::StartTls,
    };
    let port = u16::try_from(settings.number("mail_port")).context("mail_port")?;
    let patience = Duration::from_millis(PATIENCE_MS);
    let from_name = clinic.to_owned();
    let how = SmtpSettings { host, port, security, credentials, from, from_name, patience };
    let smtp = Smtp::new(how, &settings.trust()?, Arc::new(SystemClock));
    smtp.map(Some).map_err(|fault| anyhow!("mail_host: {fault}"))
}

fn webhook(settings: &Settings) -> anyhow::Result<Option<Webhook>> {
    let url = settings.text("message_webhook_url");
    if url.is_empty() {
        return Ok(None);
    }
    let file = holder::secret(settings, "message_webhook_secret_file")?;
    let file =
        file.context("message_webhook_secret_file: what is sent is signed; name a secret")?;
    let secret =
        file.read(&keys::Disk).map_err(|fault| anyhow!("message_webhook_secret_file: {fault}"))?;
    let secret = Zeroizing::new(secret.expose().as_bytes().to_vec());
    let how = WebhookSettings { url, secret, patience_ms: PATIENCE_MS };
    let network = Arc::new(egress::System);
    let webhook = Webhook::new(how, network, &settings.trust()?, Arc::new(SystemClock));
    webhook.map(Some).map_err(|fault| anyhow!("message_webhook_url: {fault}"))
}

/// Who hands reminders on.
#[derive(Debug)]
pub(crate) struct Post {
    smtp: Option<Smtp>,
    webhook: Option<Webhook>,
    country: String,
}

impl Post {
    fn to(&self, way: Way, address: &Phi<String>) -> Option<(To, &dyn Sender)> {
        let to = match way {
            Way::Mail => To::Email(Email::parse(address.expose()).ok()?),
            Way::Text => To::Phone(Phone::parse(address.expose(), &self.country).ok()?),
        };
        let smtp = self.smtp.as_ref().map(|smtp| -> &dyn Sender { smtp });
        let webhook = self.webhook.as_ref().map(|webhook| -> &dyn Sender { webhook });
        let sender = [smtp, webhook].into_iter().flatten().find(|sender| sender.carries(&to))?;
        Some((to, sender))
    }
}

impl Carrier for Post {
    fn reaches(&self, way: Way, address: &Phi<String>) -> bool {
        self.to(way, address).is_some()
    }

    fn carry(&self, letter: &Letter<'_>) -> Result<(), Undelivered> {
        let Some((to, sender)) = self.to(letter.way, letter.address) else {
            return Err(Undelivered::Refused { why: base::error::code::COURIER_INVALID.name });
        };
        let message = Message {
            id: letter.id.to_owned(),
            to,
            subject: letter.subject.to_owned(),
            text: letter.text.to_owned(),
            language: letter.language.to_owned(),
            at: letter.at,
        };
        sender.send(&message).map_err(|unsent| match unsent {
            Unsent::Later { fault, wait_ms } => {
                Undelivered::Later { why: fault.code().name, wait_ms }
            }
            Unsent::Refused(fault) => Undelivered::Refused { why: fault.code().name },
        })
    }
}

/// Sends from now on what is due.
pub(crate) fn keep(record: Record, reminders: Reminders) -> Result<Worker, Fault> {
    Worker::start("reminders", move |stop| run(&record, &reminders, stop))
}

fn run(record: &Record, reminders: &Reminders, stop: &Stop) {
    let mut quiet: Option<Quietly> = None;
    loop {
        let session = opening::session(record);
        let commit = record.health().last_commit;
        // Nothing was written and nothing is due: a look would find what the last one found.
        let idle = quiet.is_some_and(|since| {
            since.commit == commit && since.next.is_none_or(|next| session.now() < next)
        });
        if !idle {
            let outcome = pass(&session, &reminders.how, &reminders.post, &|| stop.is_asked());
            quiet = told(record, outcome);
        }
        drop(session);
        if stop.rest(EVERY) {
            return;
        }
    }
}

/// Until when there is nothing to look at, if nothing is written.
#[derive(Debug, Clone, Copy)]
struct Quietly {
    commit: u64,
    next: Option<base::Millis>,
}

fn told(record: &Record, outcome: Result<Passed, Fault>) -> Option<Quietly> {
    match outcome {
        Ok(passed) => {
            let Passed { sent, failed, given_up, unreadable, next } = passed;
            if sent + failed + given_up > 0 {
                info!(sent, failed, given_up, "reminders of visits were sent");
            }
            if failed + given_up > 0 {
                warn!(failed, given_up, "reminders could not be sent");
            }
            // That nothing was to be sent says nothing of whether it could be.
            if sent + failed + given_up > 0 {
                record.tell_reminders(failed + given_up > 0);
            }
            if unreadable > 0 {
                warn!(unreadable, "appointments could not be understood, and nobody is reminded");
            }
            Some(Quietly { commit: record.health().last_commit, next })
        }
        Err(fault) => {
            error!(code = fault.code().name, "what is to be reminded of could not be looked at");
            record.tell_reminders(true);
            None
        }
    }
}
