//! The table of settings: the one place that says which there are, what they default to, what they
//! trade, and which values make sense. The file parser, the environment, the flags, `config show`
//! and docs/operators/configuration.md all follow from it.

/// What a value may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Any text.
    Text,
    /// A file or folder.
    Path,
    /// An address and a port.
    Address,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// `true` or `false`.
    Switch,
    /// A whole number in these bounds.
    Number(u64, u64),
    /// Texts; in the environment and in flags separated by commas.
    List,
}

impl Kind {
    /// How the documents name it.
    pub(crate) fn describe(self) -> String {
        match self {
            Self::Text => "text".to_owned(),
            Self::Path => "path".to_owned(),
            Self::Address => "address:port".to_owned(),
            Self::Choice(words) => words.join(" or "),
            Self::Switch => "true or false".to_owned(),
            Self::Number(least, u64::MAX) => format!("number from {least}"),
            Self::Number(least, most) => format!("number from {least} to {most}"),
            Self::List => "list of texts".to_owned(),
        }
    }
}

/// One setting.
#[derive(Debug)]
pub(crate) struct Setting {
    /// Its name in the file; the environment and the flag derive from it.
    pub(crate) name: &'static str,
    /// What its value may be.
    pub(crate) kind: Kind,
    /// Its value when nobody sets it.
    pub(crate) default: &'static str,
    /// What it does, and what it trades.
    pub(crate) doc: &'static str,
    /// Shown by `-h`, where the others are only shown by `--help`.
    pub(crate) common: bool,
}

impl Setting {
    /// `PLUMMER_LISTEN`
    pub(crate) fn env(&self) -> String {
        format!("PLUMMER_{}", self.name.to_uppercase())
    }

    /// `listen` → `listen`, `base_url` → `base-url`
    pub(crate) fn flag(&self) -> String {
        self.name.replace('_', "-")
    }
}

const fn row(name: &'static str, kind: Kind, default: &'static str, doc: &'static str) -> Setting {
    Setting { name, kind, default, doc, common: false }
}

const fn common(
    name: &'static str,
    kind: Kind,
    default: &'static str,
    doc: &'static str,
) -> Setting {
    Setting { name, kind, default, doc, common: true }
}

const MIB: u64 = 1 << 20;
const DAY_MS: u64 = 86_400_000;

/// Who may hold the root key.
pub(crate) const HOLDERS: &[&str] = &["file", "transit", "pkcs11"];

/// Every setting.
pub(crate) static TABLE: &[Setting] = &[
    common(
        "data",
        Kind::Path,
        "plummer-data",
        "the folder that holds everything: records, index, access log",
    ),
    common(
        "listen",
        Kind::Address,
        "127.0.0.1:8080",
        "where to listen; beyond loopback by TLS only, or under a plaintext_waiver; port 0 takes a free one",
    ),
    row(
        "base_url",
        Kind::Text,
        "",
        "the address callers know the FHIR API by, such as https://ehr.example/fhir behind a proxy; empty: the address they ask at",
    ),
    row(
        "tls_certificate",
        Kind::Path,
        "",
        "PEM file of the certificate and its chain; with tls_key the port speaks TLS, and changed files are taken within seconds",
    ),
    row(
        "tls_key",
        Kind::Path,
        "",
        "PEM file of the certificate's key, readable by the server only",
    ),
    row(
        "tls_client_ca",
        Kind::Path,
        "",
        "PEM file of authorities; with it, callers must show a certificate of one of them",
    ),
    row(
        "tls_handshake_ms",
        Kind::Number(100, 600_000),
        "10000",
        "how long a TLS handshake may take",
    ),
    row(
        "plaintext_waiver",
        Kind::Text,
        "",
        "lets plaintext leave this machine until a date within a year, and says why: 2027-01-31 the proxy on the next machine speaks TLS",
    ),
    row(
        "sync",
        Kind::Choice(&["full", "relaxed"]),
        "full",
        "full: a write is acknowledged when the disk has it; relaxed: faster, and a power cut may lose the last moments",
    ),
    row(
        "encryption",
        Kind::Choice(&["on", "off"]),
        "on",
        "on: a new data folder is encrypted; off: it is not, which is a little faster and leaves the record to whoever takes the disk; a folder that is there stays what it is",
    ),
    row(
        "root_key",
        Kind::Path,
        "",
        "the root key's file; empty: `keys/root.key` of the data folder, made at first start, which protects nothing from whoever takes the whole folder",
    ),
    row(
        "root_key_passphrase_file",
        Kind::Path,
        "",
        "a file, mode 0600, with the passphrase that the root key is sealed by; empty: it is not sealed",
    ),
    row(
        "root_key_holder",
        Kind::Choice(HOLDERS),
        "file",
        "who holds the root key: the file root_key; transit: a service such as Vault or OpenBao; pkcs11: a token or HSM; the latter two never give it out, and a start needs them",
    ),
    row(
        "transit_address",
        Kind::Text,
        "",
        "the transit service, such as https://bao.hospital.example:8200; by http only an agent at 127.0.0.1 or [::1]",
    ),
    row("transit_mount", Kind::Text, "transit", "where the service has its transit engine"),
    row(
        "transit_key",
        Kind::Text,
        "plummer",
        "the name of the root key there; it is made there, derived",
    ),
    row("transit_namespace", Kind::Text, "", "the namespace of the engine, where there are any"),
    row(
        "transit_ca",
        Kind::Path,
        "",
        "PEM file of the authorities that the service is believed by, and no others; empty: those of every other system",
    ),
    row(
        "transit_token_file",
        Kind::Text,
        "",
        "a file, mode 0600, with the token that is shown to the service, or credential:NAME of systemd; read anew each time",
    ),
    row(
        "transit_role_id",
        Kind::Text,
        "",
        "the id of the AppRole to sign in as, in place of a token",
    ),
    row(
        "transit_secret_id_file",
        Kind::Text,
        "",
        "a file, mode 0600, with the AppRole's secret, or credential:NAME of systemd",
    ),
    row("transit_role_mount", Kind::Text, "approle", "where the service has its AppRole method"),
    row(
        "pkcs11_module",
        Kind::Path,
        "",
        "the library that speaks to the token or HSM, by its maker; it runs inside this program",
    ),
    row("pkcs11_token", Kind::Text, "", "the label of the token"),
    row("pkcs11_key", Kind::Text, "plummer", "the label of the root key on the token"),
    row(
        "pkcs11_pin_file",
        Kind::Text,
        "",
        "a file, mode 0600, with the PIN of the token's user, or credential:NAME of systemd; one that was refused is not shown again",
    ),
    row(
        "reminders",
        Kind::Switch,
        "false",
        "patients are reminded of their visits, by what mail_host and message_webhook_url name",
    ),
    row(
        "reminders_clinic",
        Kind::Text,
        "",
        "the clinic's name as its patients know it, in 60 characters; no department's, since anybody who holds the phone reads it",
    ),
    row(
        "reminders_leads",
        Kind::List,
        "7d,2d,2h",
        "how long before a visit reminders go out, in days and hours; nothing goes out from nine in the evening to eight in the morning",
    ),
    row(
        "reminders_zone",
        Kind::Text,
        "",
        "the IANA time zone of visits that do not tell their own, such as America/Chicago; empty: UTC",
    ),
    row(
        "self_arrival",
        Kind::Switch,
        "false",
        "patients may say themselves that they are there, by their link or at a kiosk; without, they are sent to the desk",
    ),
    row(
        "reminders_address",
        Kind::Text,
        "",
        "where links of reminders lead: the https address by which patients reach this server, without a path; empty: that of base_url",
    ),
    row(
        "reminders_country_code",
        Kind::Text,
        "1",
        "the calling code of phone numbers that are written without one",
    ),
    row(
        "waitlist_offers",
        Kind::Switch,
        "false",
        "times that are freed are offered by themselves to those on the waiting list; it needs reminders",
    ),
    row(
        "waitlist_wave",
        Kind::Number(1, 20),
        "3",
        "to how many who wait a freed time is offered at once: more fill it sooner, and more are told that it is gone",
    ),
    row(
        "waitlist_wave_minutes",
        Kind::Number(1, 2_880),
        "30",
        "how long they have to answer until it is offered to the next",
    ),
    row(
        "mail_host",
        Kind::Text,
        "",
        "the mail server that takes our mail; empty: nobody is sent mail",
    ),
    row("mail_port", Kind::Number(1, 65_535), "587", "its port; 465 as a rule for implicit TLS"),
    row(
        "mail_security",
        Kind::Choice(&["starttls", "implicit", "none"]),
        "starttls",
        "how the way to it is kept: TLS begun upon the connection, TLS at once, or none, which is for a server on this machine alone",
    ),
    row("mail_user", Kind::Text, "", "who we are to it, where it asks"),
    row(
        "mail_password_file",
        Kind::Text,
        "",
        "a file, mode 0600, with our password there, or credential:NAME of systemd",
    ),
    row("mail_from", Kind::Text, "", "the address that mail comes from, and that answers go to"),
    row(
        "message_webhook_url",
        Kind::Text,
        "",
        "the address that takes messages for phones, one POST each; empty: nobody is sent a text",
    ),
    row(
        "message_webhook_secret_file",
        Kind::Text,
        "",
        "a file, mode 0600, with the 32 to 512 bytes that sign what is posted, or credential:NAME of systemd",
    ),
    row("create_by_update", Kind::Switch, "true", "a PUT under an unused id creates the resource"),
    row("delete_many", Kind::Switch, "false", "a conditional delete may delete several resources"),
    row(
        "guard",
        Kind::Choice(&["on", "off"]),
        "on",
        "every request needs a caller, and gets what the policies permit; off lets whoever reaches the port do everything, on this machine only",
    ),
    row(
        "home_site",
        Kind::Text,
        "",
        "the id of the Organization that records belong to when nothing in them says where they are from",
    ),
    row(
        "home_state",
        Kind::Text,
        "",
        "the state the site is in, such as CA: its rules label what is written; empty: no state's rules do",
    ),
    row(
        "policy_folder",
        Kind::Path,
        "",
        "the folder with the policies that the site adds; empty: the folder policies in the data folder, if there is one",
    ),
    row(
        "staff_named",
        Kind::Choice(&["on", "off"]),
        "off",
        "a patient who asks who saw the record is told names; off tells roles, which spares staff and tells the patient less",
    ),
    row(
        "labelling",
        Kind::Choice(&["on", "off"]),
        "on",
        "what is written is labelled by the rule packs; off is for moving records over byte by byte, and leaves them unlabelled",
    ),
    row(
        "label_packs",
        Kind::List,
        "",
        "files with rule packs of the site, beside those that are shipped",
    ),
    row(
        "explain",
        Kind::Switch,
        "false",
        "searches with _explain=true are answered with their plan and cost",
    ),
    row(
        "time_zone",
        Kind::Text,
        "",
        "the IANA time zone in which the house's days begin, such as America/Chicago; a site's own stands with its Location; empty: the machine's",
    ),
    row(
        "timeout_ms",
        Kind::Number(100, DAY_MS),
        "60000",
        "how long a request may take before it is refused",
    ),
    row(
        "requests_max",
        Kind::Number(1, 1_000_000),
        "1024",
        "requests worked on at a time; one more is turned away at once",
    ),
    row("connections_max", Kind::Number(1, 1_000_000), "4096", "open connections; one more waits"),
    row(
        "connections_per_address_max",
        Kind::Number(1, 1_000_000),
        "1024",
        "open connections of one address; one more is closed",
    ),
    row(
        "search_threads",
        Kind::Number(1, 512),
        "8",
        "searches, histories and bundles worked on at a time, beside half as many more operations, 256 at most; more use more memory, not more processors",
    ),
    row(
        "page_memory_mib",
        Kind::Number(0, 1 << 20),
        "0",
        "memory for pages of the encrypted store that were opened, at most; more reads are answered without opening pages again; 0: an eighth of the machine's memory, 32 at least and 1024 at most",
    ),
    row("idle_ms", Kind::Number(1000, DAY_MS), "75000", "how long a silent connection is kept"),
    row(
        "drain_ms",
        Kind::Number(0, DAY_MS),
        "10000",
        "how long requests in flight may finish when the server stops",
    ),
    row(
        "body_bytes_max",
        Kind::Number(1024, 2048 * MIB),
        "134217728",
        "bytes of a request's body, packed and unpacked",
    ),
    row(
        "resource_bytes_max",
        Kind::Number(1024, 1024 * MIB),
        "16777216",
        "bytes of one stored resource",
    ),
    row(
        "bundle_entries_max",
        Kind::Number(1, 1_000_000),
        "20000",
        "entries of one batch or transaction",
    ),
    row(
        "page_default",
        Kind::Number(1, 100_000),
        "20",
        "resources of a page when _count is not given",
    ),
    row(
        "page_max",
        Kind::Number(1, 100_000),
        "1000",
        "resources of a page; a higher _count is lowered",
    ),
    row(
        "include_max",
        Kind::Number(1, 1_000_000),
        "5000",
        "included resources of a page; a search with more is refused",
    ),
    row(
        "search_steps_max",
        Kind::Number(1000, u64::MAX),
        "50000000",
        "index rows a search may touch; one that needs more is refused",
    ),
    row(
        "session_idle_ms",
        Kind::Number(60_000, DAY_MS),
        "900000",
        "how long nobody may act in a session before it ends; longer is easier at the bedside, and leaves an abandoned screen open longer",
    ),
    row(
        "session_absolute_ms",
        Kind::Number(60_000, 30 * DAY_MS),
        "43200000",
        "how long a session lasts at most, whatever happens in it",
    ),
    row(
        "step_up_ms",
        Kind::Number(10_000, 60 * 60_000),
        "300000",
        "for how long after a factor was shown what asks for a fresh one is permitted",
    ),
    row(
        "token_ttl_max_ms",
        Kind::Number(60_000, 3660 * DAY_MS),
        "7776000000",
        "how long a token for a script may be valid at most",
    ),
    row(
        "breached_passwords",
        Kind::Path,
        "",
        "the list of stolen passwords, which nobody may choose or keep: what `plummer password-list import` makes, or sorted SHA-1 hashes; empty: breached-passwords in the data folder, if it is there",
    ),
    row(
        "second_factor_roles",
        Kind::List,
        "standard",
        "of whom a second factor is demanded: roles, or one of the words standard (administrators, and whoever may break the glass or read the whole access log, at sites that began with this), all-staff, none",
    ),
    row(
        "second_factor_from",
        Kind::Text,
        "",
        "the day from which it is demanded, such as 2027-01-31; people are told before; empty: at once",
    ),
    row(
        "local_sign_in",
        Kind::Switch,
        "true",
        "false: only administrators sign in with what they have here, everybody else by an issuer ([[oidc]] in a file)",
    ),
    row(
        "cors_origins",
        Kind::List,
        "",
        "web pages of these origins may call, such as https://app.example; empty: none",
    ),
    row(
        "outgoing_ca",
        Kind::Path,
        "",
        "PEM file of authorities that are believed beside the web's when this server asks another system",
    ),
    row(
        "key_set_private_origins",
        Kind::List,
        "",
        "origins such as https://idp.hospital.example that may lie in the house's own network and be asked for the key sets of apps; empty: none, and public ones by https alone",
    ),
    row(
        "rate_requests_per_s",
        Kind::Number(1, 1_000_000_000),
        "200",
        "requests a caller may send each second, for as long as it likes",
    ),
    row(
        "rate_requests_burst",
        Kind::Number(1, 1_000_000_000),
        "2000",
        "requests a caller may send at once after a pause",
    ),
    row(
        "rate_cost_per_s",
        Kind::Number(1, 1_000_000_000_000),
        "1000000",
        "work a caller may ask for each second, in steps: index rows touched, 1000 for each millisecond on the pool, 1 for each 64 bytes answered",
    ),
    row(
        "rate_cost_burst",
        Kind::Number(1, 1_000_000_000_000),
        "100000000",
        "work a caller may ask for at once after a pause",
    ),
    row(
        "rate_sign_in_per_minute",
        Kind::Number(1, 1_000_000),
        "30",
        "requests of sign-in a caller may send each minute; nobody is exempt",
    ),
    row(
        "rate_sign_in_burst",
        Kind::Number(1, 1_000_000),
        "30",
        "requests of sign-in a caller may send at once after a pause",
    ),
    row(
        "rate_at_once_max",
        Kind::Number(1, 1_000_000),
        "256",
        "requests of one caller worked on at a time",
    ),
    row(
        "rate_callers_max",
        Kind::Number(8, 16_777_216),
        "65536",
        "callers whose rates are remembered apart; 64 bytes each",
    ),
    row("rate_exempt_roles", Kind::List, "system", "holders of these roles are not limited"),
    row(
        "review_break_glass_due_days",
        Kind::Number(1, 30),
        "7",
        "days after which the case of a broken glass is overdue",
    ),
    row(
        "review_signal_due_days",
        Kind::Number(1, 90),
        "30",
        "days after which a case of what stands out in the access log is overdue",
    ),
    row(
        "review_score_min",
        Kind::Number(100, 1000),
        "100",
        "what stands out by a smaller score becomes no case: fewer cases, and more that is passed over",
    ),
    row(
        "review_sweep_every_hours",
        Kind::Number(1, 168),
        "6",
        "how often the access log is looked through for what has no case yet",
    ),
    row("log_format", Kind::Choice(&["text", "json"]), "text", "how log lines look"),
    row(
        "log_filter",
        Kind::Text,
        "info",
        "what is logged, as level or target=level pairs; request=debug logs every request",
    ),
];

/// A setting by its name.
pub(crate) fn setting(name: &str) -> Option<&'static Setting> {
    TABLE.iter().find(|setting| setting.name == name)
}

/// The name that was probably meant.
pub(crate) fn suggestion(wrong: &str) -> Option<&'static str> {
    let wrong = wrong.to_lowercase().replace('-', "_");
    let nearest = TABLE.iter().map(|s| (distance(&wrong, s.name), s.name)).min()?;
    (nearest.0 <= 3 && nearest.0 < wrong.len()).then_some(nearest.1)
}

/// Levenshtein's distance.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (slot, y) in row.iter_mut().skip(1).zip(b.bytes()) {
            let substituted = diagonal + usize::from(x != y);
            diagonal = *slot;
            left = substituted.min(left + 1).min(diagonal + 1);
            *slot = left;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or(a.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = include_str!("../../../../docs/operators/configuration.md");

    /// The table as docs/operators/configuration.md shows it.
    fn markdown() -> String {
        let mut out =
            String::from("| setting | value | default | what it does |\n|---|---|---|---|\n");
        for setting in TABLE {
            let default = match setting.default {
                "" => "none".to_owned(),
                text => format!("`{text}`"),
            };
            let kind = setting.kind.describe();
            out.push_str(&format!(
                "| `{}` | {kind} | {default} | {} |\n",
                setting.name, setting.doc
            ));
        }
        out
    }

    #[test]
    fn the_page_shows_the_table_as_it_is() {
        assert!(
            PAGE.contains(&markdown()),
            "docs/operators/configuration.md should hold this table:\n{}",
            markdown()
        );
    }

    #[test]
    fn names_stand_once_and_defaults_fit_their_kind() {
        for (at, setting) in TABLE.iter().enumerate() {
            assert!(TABLE.iter().skip(at + 1).all(|other| other.name != setting.name));
            let parsed = crate::settings::parse(setting, setting.default);
            assert!(parsed.is_ok(), "{}: {parsed:?}", setting.name);
        }
    }

    #[test]
    fn near_misses_are_guessed() {
        assert_eq!(suggestion("listn"), Some("listen"));
        assert_eq!(suggestion("base-url"), Some("base_url"));
        assert_eq!(suggestion("Timeout_msec"), Some("timeout_ms"));
        assert_eq!(suggestion("kangaroo"), None);
        assert_eq!(distance("kitten", "sitting"), 3);
    }

    #[test]
    fn limits_default_to_those_of_the_house() {
        let limits = base::Limits::default();
        for (name, value) in [
            ("body_bytes_max", limits.json_bytes as u64),
            ("resource_bytes_max", limits.resource_bytes as u64),
            ("bundle_entries_max", limits.bundle_entries as u64),
            ("page_default", limits.page_default as u64),
            ("page_max", limits.page_max as u64),
            ("include_max", limits.include_max as u64),
            ("search_steps_max", limits.search_steps),
        ] {
            assert_eq!(
                setting(name).map(|s| s.default),
                Some(value.to_string().as_str()),
                "{name}"
            );
        }
    }
}
