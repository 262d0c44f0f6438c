//! The checks. Each is a row of `CHECKS`: a code, why it matters, and a function from the facts to
//! what was found. docs/operators/doctor.md has a row for each.

use super::facts::{AtRest, Clock, Fact, Facts, Modes, Second, Stolen, Transport};
use super::{Finding, Weight};
use base::Millis;
use server::Standing;

const DAY_MS: i64 = 86_400_000;
const GIB: u64 = 1 << 30;
/// A backup older than this is none, and one older than that is a warning.
const BACKUP_FAULT_DAYS: i64 = 7;
const BACKUP_WARNING_DAYS: i64 = 1;
const VERIFIED_WARNING_DAYS: i64 = 7;
/// How long a broken glass may be overdue before it is a fault.
const REVIEW_FAULT_DAYS: i64 = 14;
/// A list of stolen passwords older than this misses those of a year.
const STOLEN_WARNING_DAYS: i64 = 366;
/// Microseconds of a sync: above the first writes are slow, above the second nobody can work.
const SYNC_WARNING_US: u64 = 20_000;
const SYNC_FAULT_US: u64 = 200_000;
/// How far the clock may stand behind what is stored.
const CLOCK_BEHIND_MS: i64 = 60_000;
/// Sessions longer than these are left open at a desk (NIST SP 800-63B section 4.2.3).
const IDLE_MIN_MAX: u64 = 30;
const WHOLE_MIN_MAX: u64 = 12 * 60;
/// File systems that forget, or on which locks and syncs are not what they say.
const FORGETFUL: [&str; 4] = ["tmpfs", "ramfs", "overlay", "devtmpfs"];
const REMOTE: [&str; 8] = ["nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "afs"];

/// Programs that keep core dumps and heed a limit of 0.
const KNOWN_KEEPERS: [&str; 3] = ["systemd-coredump", "apport", "abrt-hook-ccpp"];

/// What a check says: how grave, what was found, what to do.
type Said = (Weight, String, String);

/// One check.
pub(crate) struct Check {
    pub(crate) code: &'static str,
    why: &'static str,
    look: fn(&Facts) -> Said,
}

const fn check(code: &'static str, why: &'static str, look: fn(&Facts) -> Said) -> Check {
    Check { code, why, look }
}

/// Every check, in the order of the report.
pub(crate) static CHECKS: &[Check] = &[
    check(
        "data.modes",
        "whoever opens the data folder reads every record past all access rules and the access log",
        data_modes,
    ),
    check(
        "data.files",
        "a file that others may use is a record that others may read or change",
        data_files,
    ),
    check(
        "data.owner",
        "files of another user cannot be written after the next start, or can be changed by that user",
        data_owner,
    ),
    check(
        "server.owner",
        "a flaw in a server that runs as root gives away the whole machine",
        server_owner,
    ),
    check(
        "rest.encryption",
        "a disk or a backup that is stolen is every record in the clear",
        encryption,
    ),
    check(
        "rest.key-modes",
        "whoever reads the root key reads all that is encrypted under it",
        key_modes,
    ),
    check(
        "rest.key-place",
        "a copy of the data folder, a backup or a stolen disk, takes the key along with what it protects",
        key_place,
    ),
    check(
        "rest.key-holder",
        "the next start needs whoever holds the root key; until then the server goes on",
        key_holder,
    ),
    check("tls.files", "callers cannot connect, or not after the next start", tls_files),
    check("tls.validity", "callers refuse a certificate whose time is over", tls_validity),
    check("tls.host", "callers refuse a certificate that is for another name", tls_host),
    check("tls.plaintext", "whoever sees the network reads records and tokens", plaintext),
    check(
        "clock.kept",
        "the order of versions, the end of sessions and every time in the access log rest on the clock",
        clock_kept,
    ),
    check(
        "clock.behind",
        "a clock that was set back gives records and events times that have been before",
        clock_behind,
    ),
    check(
        "disk.space",
        "a full disk ends every write, and with the access log every read",
        disk_space,
    ),
    check(
        "disk.rate",
        "no write is acknowledged before the disk has it, so a slow disk makes everything wait",
        disk_rate,
    ),
    check(
        "disk.kind",
        "a store on such a file system can lose acknowledged writes, or be damaged by two writers",
        disk_kind,
    ),
    check("ports.open", "each port that is open beyond this machine is a way in", ports),
    check(
        "memory.swap",
        "memory that is written out holds records and keys, and stays on the disk",
        swap,
    ),
    check(
        "memory.core",
        "a core dump is the whole memory of the server in a file: records, tokens, keys",
        core,
    ),
    check(
        "server.files",
        "a server that may open too few files refuses connections under load",
        server_files,
    ),
    check("settings.sync", "a power cut may lose writes that were acknowledged", sync),
    check(
        "settings.cors",
        "a page that came in plaintext can be changed on its way, and may call with a user's rights",
        cors,
    ),
    check(
        "settings.exempt",
        "holders of these roles may take the server from everybody else",
        exempt,
    ),
    check(
        "settings.delete-many",
        "one request with a wide condition deletes many resources",
        delete_many,
    ),
    check("settings.explain", "a plan tells of the size of what the caller may not see", explain),
    check("settings.log", "such a log grows with every request", log),
    check(
        "settings.sessions",
        "a session that is left open at a desk belongs to whoever sits down next",
        sessions,
    ),
    check(
        "sign-in.second-factor",
        "whoever learns the password of somebody who sees much sees as much",
        second,
    ),
    check(
        "passwords.stolen",
        "passwords that were stolen elsewhere are the first that are tried here",
        stolen,
    ),
    check("backup.age", "what was written since the last backup is lost with the disk", backup),
    check(
        "audit.verified",
        "an access log that nobody verifies may have been changed long ago",
        verified,
    ),
    check(
        "audit.reviews",
        "an emergency that nobody looks into afterwards is a way around every access rule",
        reviews,
    ),
    check(
        "version.schema",
        "a store of another version is converted at the next start, or not opened",
        schema,
    ),
];

/// Runs every check.
pub(crate) fn all(facts: &Facts) -> Vec<Finding> {
    let run = |check: &Check| {
        let (weight, found, what_to_do) = (check.look)(facts);
        let why = if weight > Weight::Unknown { check.why } else { "" };
        Finding { code: check.code, weight, found, why, what_to_do }
    };
    CHECKS.iter().map(run).collect()
}

fn fine(found: impl Into<String>) -> Said {
    (Weight::Fine, found.into(), String::new())
}

fn bad(weight: Weight, found: impl Into<String>, what_to_do: impl Into<String>) -> Said {
    (weight, found.into(), what_to_do.into())
}

/// Judges a known fact; an unknown one is said to be so.
fn known<T>(fact: &Fact<T>, judge: impl FnOnce(&T) -> Said) -> Said {
    match fact {
        Fact::Known(value) => judge(value),
        Fact::Unknown(why) => (Weight::Unknown, (*why).to_owned(), String::new()),
    }
}

fn days_since(then: Millis, now: Millis) -> i64 {
    (now.0 - then.0).div_euclid(DAY_MS)
}

fn private(file: &Modes, what: &str) -> Said {
    let path = file.path.display();
    let mode = file.mode & 0o777;
    if mode & 0o077 == 0 {
        return fine(format!("{what} is its owner's alone"));
    }
    let who = if mode & 0o007 == 0 { "its group" } else { "everybody on this machine" };
    let found = format!("{who} may use {what} (mode {mode:03o})");
    bad(Weight::Fault, found, format!("chmod go-rwx {path}"))
}

fn data_modes(facts: &Facts) -> Said {
    match &facts.data {
        None => fine("there is no data folder yet"),
        Some(data) => private(data, "the data folder"),
    }
}

fn data_files(facts: &Facts) -> Said {
    known(&facts.files, |files| match &files.first {
        None => fine(format!("{} files are their owner's alone", files.files)),
        Some(first) => {
            let found = format!(
                "{} of {} files below the data folder are open to others, such as {}",
                files.open,
                files.files,
                first.display()
            );
            // In a folder that is shut they cannot be reached.
            let shut = facts.data.as_ref().is_some_and(|data| data.mode & 0o077 == 0);
            let weight = if shut { Weight::Warning } else { Weight::Fault };
            bad(weight, found, "chmod -R go-rwx on the data folder")
        }
    })
}

fn data_owner(facts: &Facts) -> Said {
    known(&facts.files, |files| {
        let server = match &facts.server {
            Fact::Known(server) => Some(server.owner),
            Fact::Unknown(_) => None,
        };
        let folder = facts.data.as_ref().map(|data| data.owner);
        if server.is_some() && folder.is_some() && server != folder && server != Some(0) {
            let found = "the data folder belongs to another user than the server's";
            return bad(Weight::Fault, found, "chown -R the data folder to the server's user");
        }
        if files.strange > 0 {
            let found = format!(
                "{} files below the data folder belong to another user than the folder",
                files.strange
            );
            return bad(Weight::Warning, found, "chown -R the data folder to the server's user");
        }
        fine("the data folder and its files belong to one user")
    })
}

fn server_owner(facts: &Facts) -> Said {
    known(&facts.server, |server| match server.owner {
        0 => bad(
            Weight::Warning,
            "the server runs as root",
            "give it a user of its own; a port below 1024 needs only CAP_NET_BIND_SERVICE",
        ),
        _ => fine("the server runs as a user of its own"),
    })
}

fn encryption(facts: &Facts) -> Said {
    known(&facts.at_rest, |at_rest| match at_rest {
        AtRest::Plain => bad(
            Weight::Fault,
            "records at rest are not encrypted by Plummer",
            "switch encryption on, or keep the data folder and every backup on encrypted disks",
        ),
        AtRest::KeyMissing => bad(
            Weight::Fault,
            "records at rest are encrypted, and their root key is not where the settings say",
            "bring the root key back from where its copy is kept, before the server is stopped",
        ),
        AtRest::Encrypted(_) | AtRest::Held(_) => fine("records at rest are encrypted"),
    })
}

fn key_modes(facts: &Facts) -> Said {
    known(&facts.at_rest, |at_rest| match at_rest {
        AtRest::Encrypted(key) => private(&key.file, "the root key"),
        AtRest::Plain | AtRest::KeyMissing => fine("there is no root key to look at"),
        AtRest::Held(_) => fine("the root key is in no file"),
    })
}

fn key_place(facts: &Facts) -> Said {
    known(&facts.at_rest, |at_rest| match at_rest {
        AtRest::Encrypted(key) if key.beside_data && !key.sealed => bad(
            Weight::Fault,
            "the root key lies in the data folder, unsealed",
            "move it to another disk or a key service, or seal it by a passphrase",
        ),
        AtRest::Encrypted(key) if key.beside_data => bad(
            Weight::Warning,
            "the root key lies in the data folder, sealed by a passphrase",
            "keep it on another disk, so that a copy of the folder is no guess away from the records",
        ),
        AtRest::Encrypted(_) => fine("the root key lies apart from the data"),
        AtRest::Plain | AtRest::KeyMissing => fine("there is no root key to look at"),
        AtRest::Held(_) => fine("the root key is held elsewhere"),
    })
}

fn key_holder(facts: &Facts) -> Said {
    known(&facts.at_rest, |at_rest| {
        let AtRest::Held(held) = at_rest else {
            return fine("the root key is held by nobody else");
        };
        if let Some(trouble) = &held.trouble {
            let found =
                format!("a start would fail now: {} ({}): {trouble}", held.holder, held.name);
            let mend = "see the page of this error, and do not stop the server before it is mended";
            return bad(Weight::Fault, found, mend);
        }
        match (held.newest, held.under) {
            (Some(newest), Some(under)) if newest > under => bad(
                Weight::Note,
                format!("the tenant's key is wrapped under version {under}, and there is {newest}"),
                "stop the server and run `plummer keys rewrap`",
            ),
            _ => fine("whoever holds the root key answers, and unwraps the tenant's key"),
        }
    })
}

fn tls_files(facts: &Facts) -> Said {
    known(&facts.transport, |transport| match transport {
        Transport::Broken(why) => {
            bad(Weight::Fault, why.clone(), "mend the file; docs/operators/tls.md tells how")
        }
        Transport::Tls(_) => fine("certificate and key go together"),
        Transport::Loopback | Transport::Waived { .. } => fine("no TLS is set"),
    })
}

fn tls_validity(facts: &Facts) -> Said {
    known(&facts.transport, |transport| {
        let Transport::Tls(tls) = transport else { return fine("no certificate is set") };
        let until = tls.validity.until;
        let mend = "put a new certificate and key in place of the files; no restart is needed";
        match tls.standing(facts.now) {
            Standing::Valid => fine(format!("the certificate holds until {until}")),
            Standing::Expiring => {
                bad(Weight::Warning, format!("the certificate ends soon, {until}"), mend)
            }
            Standing::Invalid => {
                let found = format!("the certificate is over, or not valid yet; it ends {until}");
                bad(Weight::Fault, found, mend)
            }
        }
    })
}

fn tls_host(facts: &Facts) -> Said {
    known(&facts.transport, |transport| match transport {
        Transport::Tls(tls) if tls.names_host == Some(false) => bad(
            Weight::Fault,
            "the certificate is not for the host of base_url",
            "have one signed for that name, or set base_url to the name it is for",
        ),
        Transport::Tls(tls) if tls.names_host.is_none() => {
            bad(Weight::Note, "no base_url is set to hold the certificate against", "set base_url")
        }
        Transport::Tls(_) => fine("the certificate is for the host of base_url"),
        Transport::Loopback | Transport::Waived { .. } | Transport::Broken(_) => {
            fine("no certificate to look at")
        }
    })
}

fn plaintext(facts: &Facts) -> Said {
    known(&facts.transport, |transport| match transport {
        Transport::Waived { date, end } => {
            let over = facts.now >= *end;
            let weight = if over { Weight::Fault } else { Weight::Warning };
            let found = if over {
                format!("plaintext leaves this machine, and the waiver was over on {date}")
            } else {
                format!("plaintext leaves this machine under a waiver until {date}")
            };
            bad(weight, found, "set tls_certificate and tls_key")
        }
        Transport::Loopback => fine("plaintext stays on this machine"),
        Transport::Tls(_) | Transport::Broken(_) => fine("the port speaks TLS"),
    })
}

fn clock_kept(facts: &Facts) -> Said {
    known(&facts.clock, |clock| match clock {
        Clock::Kept => fine("the clock is kept by a time service"),
        Clock::Free => bad(
            Weight::Warning,
            "no time service has set the clock",
            "run systemd-timesyncd, chrony or ntpd, with servers it can reach",
        ),
    })
}

fn clock_behind(facts: &Facts) -> Said {
    known(&facts.newest, |newest| {
        if newest.0 - facts.now.0 > CLOCK_BEHIND_MS {
            let found =
                format!("the clock says {}, and the data folder was written {newest}", facts.now);
            return bad(Weight::Fault, found, "set the clock before the server is started");
        }
        fine("the clock is not behind what is stored")
    })
}

fn disk_space(facts: &Facts) -> Said {
    known(&facts.disk, |disk| {
        let (free, size) = (disk.free_bytes, disk.size_bytes.max(1));
        let percent = free.saturating_mul(100) / size;
        let found = format!("{} MiB are free, {percent} %", free >> 20);
        let mend = "make room, or move the data folder to a larger disk";
        match free {
            free if free < GIB => bad(Weight::Fault, found, mend),
            free if free < 10 * GIB && percent < 10 => bad(Weight::Warning, found, mend),
            _ => fine(found),
        }
    })
}

fn disk_rate(facts: &Facts) -> Said {
    known(&facts.disk, |disk| {
        let Some((middle, longest)) = disk.sync_us else {
            let found = if facts.data.is_none() {
                "there is no data folder yet"
            } else {
                "whoever asks may not write to the data folder, so the disk was not measured"
            };
            return (Weight::Unknown, found.to_owned(), String::new());
        };
        let found =
            format!("a small write is on the disk after {middle} µs, at the longest {longest} µs");
        let mend = "use a local solid-state disk with a protected cache; look what else writes to this one";
        match middle {
            us if us > SYNC_FAULT_US => bad(Weight::Fault, found, mend),
            us if us > SYNC_WARNING_US => bad(Weight::Warning, found, mend),
            _ => fine(found),
        }
    })
}

fn disk_kind(facts: &Facts) -> Said {
    known(&facts.disk, |disk| {
        let kind = disk.kind.as_str();
        let mend = "keep the data folder on a local disk with a file system that syncs";
        if FORGETFUL.contains(&kind) {
            let found = format!("the data folder lies on {kind}, which ends with the machine");
            return bad(Weight::Fault, found, mend);
        }
        if REMOTE.contains(&kind) {
            let found = format!("the data folder lies on {kind}, a file system of another machine");
            return bad(Weight::Fault, found, mend);
        }
        fine(format!("the data folder lies on {kind}"))
    })
}

fn ports(facts: &Facts) -> Said {
    known(&facts.ports, |ports| {
        let mut others: Vec<_> = ports.iter().filter(|p| !p.ours).map(|p| p.number).collect();
        others.sort_unstable();
        others.dedup();
        if others.is_empty() {
            return fine("nothing but the server listens beyond this machine");
        }
        let listed: Vec<_> = others.iter().take(12).map(ToString::to_string).collect();
        let count = match others.len() {
            1 => "1 other port is".to_owned(),
            many => format!("{many} other ports are"),
        };
        let found = format!("{count} open beyond this machine: {}", listed.join(", "));
        bad(Weight::Warning, found, "close what is not needed, and shut the rest off by a firewall")
    })
}

fn swap(facts: &Facts) -> Said {
    known(&facts.swaps, |swaps| {
        let plain: Vec<_> = swaps
            .iter()
            .filter(|swap| swap.safe == Fact::Known(false))
            .map(|swap| swap.name.as_str())
            .collect();
        let unsure: Vec<_> = swaps
            .iter()
            .filter(|swap| matches!(swap.safe, Fact::Unknown(_)))
            .map(|swap| swap.name.as_str())
            .collect();
        let mend = "swapoff, or encrypt it (crypttab with a random key)";
        if !plain.is_empty() {
            let found = format!("memory may be written out unencrypted to {}", plain.join(", "));
            return bad(Weight::Fault, found, mend);
        }
        if !unsure.is_empty() {
            let found = format!(
                "memory may be written out to {}, and it is not known whether that is encrypted",
                unsure.join(", ")
            );
            return bad(Weight::Warning, found, mend);
        }
        fine(if swaps.is_empty() { "no memory is written out" } else { "swap is encrypted" })
    })
}

fn core(facts: &Facts) -> Said {
    known(&facts.core_pattern, |pattern| {
        let limited = match &facts.server {
            Fact::Known(server) => server.core_bytes == 0,
            // Ours limits itself; so will the next one.
            Fact::Unknown(_) => true,
        };
        let mend = "start the server with a core limit of 0 (LimitCORE=0)";
        match (limited, pattern.starts_with('|')) {
            (false, true) => {
                let found = "core dumps of the server are handed to a program that keeps them";
                bad(Weight::Fault, found, mend)
            }
            (false, false) => {
                bad(Weight::Fault, "core dumps of the server are written to the disk", mend)
            }
            // The kernel does not hold a program to the limit; those in use hold themselves to it.
            (true, true) if !KNOWN_KEEPERS.iter().any(|keeper| pattern.contains(keeper)) => {
                let found =
                    "core dumps are handed to a program that may not heed the server's limit of 0";
                bad(Weight::Note, found, "kernel.core_pattern=core, or a program that heeds limits")
            }
            (true, _) => fine("the server leaves no core dump"),
        }
    })
}

fn server_files(facts: &Facts) -> Said {
    known(&facts.server, |server| {
        let needed = facts.choices.connections_max + 256;
        let found = format!(
            "the server may open {} files, and its settings ask for {needed}",
            server.files_max
        );
        if server.files_max < needed {
            let mend = "raise its limit of open files (LimitNOFILE), or lower connections_max";
            return bad(Weight::Warning, found, mend);
        }
        fine(found)
    })
}

fn sync(facts: &Facts) -> Said {
    if facts.choices.relaxed {
        return bad(Weight::Fault, "sync is relaxed", "set sync = \"full\"");
    }
    fine("a write is acknowledged when the disk has it")
}

fn cors(facts: &Facts) -> Said {
    match facts.choices.plain_origins.as_slice() {
        [] => fine("only pages that came by TLS may call"),
        [first, ..] => {
            let found = format!("cors_origins lists pages that come in plaintext, such as {first}");
            bad(Weight::Warning, found, "list them by https, or take them off the list")
        }
    }
}

fn exempt(facts: &Facts) -> Said {
    let beyond: Vec<_> = facts.choices.exempt_roles.iter().filter(|r| *r != "system").collect();
    match beyond.as_slice() {
        [] => fine("only system is exempt from limits"),
        [first, ..] => {
            let found =
                format!("{} roles of people are exempt from limits, such as {first}", beyond.len());
            bad(
                Weight::Warning,
                found,
                "leave only system in rate_exempt_roles, and raise the rates if they are too low",
            )
        }
    }
}

fn delete_many(facts: &Facts) -> Said {
    if facts.choices.delete_many {
        let found = "a conditional delete may delete several resources";
        return bad(
            Weight::Warning,
            found,
            "set delete_many = false once the work it was for is done",
        );
    }
    fine("a conditional delete deletes one resource")
}

fn explain(facts: &Facts) -> Said {
    if facts.choices.explain {
        return bad(
            Weight::Note,
            "searches tell their plan and cost",
            "set explain = false in production",
        );
    }
    fine("searches keep their plan to themselves")
}

fn log(facts: &Facts) -> Said {
    if facts.choices.log_debug {
        let found = "the log holds a line for every request, or more";
        return bad(
            Weight::Note,
            found,
            "set log_filter = \"info\" once what was looked for is found",
        );
    }
    fine("the log holds what is worth a line")
}

fn sessions(facts: &Facts) -> Said {
    known(&facts.sessions, |sessions| {
        let found = format!(
            "a session ends after {} minutes without use, and after {} in all",
            sessions.idle_min, sessions.whole_min
        );
        if sessions.idle_min > IDLE_MIN_MAX || sessions.whole_min > WHOLE_MIN_MAX {
            let mend =
                format!("{IDLE_MIN_MAX} minutes without use and 12 hours in all are long enough");
            return bad(Weight::Warning, found, mend);
        }
        fine(found)
    })
}

fn second(facts: &Facts) -> Said {
    known(&facts.second, |second| match second {
        Second { demanded: 0, .. } => bad(
            Weight::Note,
            "a second factor is demanded of nobody",
            "set second_factor_roles, and second_factor_from for a day that you announce",
        ),
        Second { demanded, missing: 0 } => {
            fine(format!("all {demanded} people whose role demands a second factor have one"))
        }
        Second { demanded, missing } => bad(
            Weight::Warning,
            format!(
                "{missing} of {demanded} people lack the second factor that their role demands"
            ),
            "`plummer user list` names them; until they make one nothing else opens for them, and whoever learns their password could make it in their place",
        ),
    })
}

fn stolen(facts: &Facts) -> Said {
    let mend =
        "plummer password-list import FILE, with the public list of SHA-1 hashes, once a year";
    known(&facts.stolen, |stolen| match stolen {
        Stolen::None => {
            bad(Weight::Note, "new passwords are held against no list of stolen ones", mend)
        }
        Stolen::Damaged(why) => bad(Weight::Fault, why.clone(), mend),
        Stolen::Made(made) => {
            let found = format!("the list of stolen passwords was made {made}");
            match days_since(*made, facts.now) {
                days if days < 0 => {
                    bad(Weight::Warning, format!("{found}, which is to come"), mend)
                }
                days if days > STOLEN_WARNING_DAYS => bad(Weight::Warning, found, mend),
                _ => fine(found),
            }
        }
    })
}

fn backup(facts: &Facts) -> Said {
    let mend = "plummer backup FOLDER, every night, to another machine; and restore one to see that it can be";
    known(&facts.backup, |made| match made {
        None => bad(Weight::Fault, "no backup was ever made of this data folder", mend),
        Some(made) => {
            let days = days_since(*made, facts.now);
            let found = format!("the newest backup was made {made}");
            match days {
                days if days < 0 => {
                    bad(Weight::Warning, format!("{found}, which is to come"), "look at the clock")
                }
                days if days >= BACKUP_FAULT_DAYS => bad(Weight::Fault, found, mend),
                days if days > BACKUP_WARNING_DAYS => bad(Weight::Warning, found, mend),
                _ => fine(found),
            }
        }
    })
}

fn verified(facts: &Facts) -> Said {
    let mend = "plummer audit verify, every night, and keep its last line somewhere else";
    known(&facts.verified, |at| match at {
        None => bad(Weight::Warning, "the access log was never verified", mend),
        Some(at) => {
            let days = days_since(*at, facts.now);
            let found = format!("the access log was verified {at}");
            if !(0..=VERIFIED_WARNING_DAYS).contains(&days) {
                return bad(Weight::Warning, found, mend);
            }
            fine(found)
        }
    })
}

fn reviews(facts: &Facts) -> Said {
    known(&facts.reviews, |reviews| {
        let mend = "have the privacy officer go through `plummer audit review list --overdue`";
        if reviews.overdue == 0 && reviews.failing {
            let found = "the last sweep of the access log failed, so what stands out has no case";
            return bad(
                Weight::Warning,
                found,
                "`plummer audit review sweep` says why; the server tries again by itself",
            );
        }
        if reviews.overdue == 0 {
            return fine(format!("{} cases of review wait, none is overdue", reviews.undecided));
        }
        let days = reviews.overdue_by_ms / DAY_MS;
        let found = format!(
            "{} cases of review are overdue, {} of them broken glasses, the oldest by {days} days",
            reviews.overdue, reviews.overdue_break_glass
        );
        // A glass that nobody looked at for weeks might as well not be logged.
        let grave = reviews.overdue_break_glass > 0 && days >= REVIEW_FAULT_DAYS;
        bad(if grave { Weight::Fault } else { Weight::Warning }, found, mend)
    })
}

fn schema(facts: &Facts) -> Said {
    let version = facts.version;
    known(&facts.schema, |(stored, ours)| {
        let found =
            format!("the store has format {stored}; plummer {version} writes format {ours}");
        if stored > ours {
            let mend = "start the newer program; this one does not open it";
            return bad(Weight::Fault, found, mend);
        }
        if stored < ours {
            let mend = "make a backup before the next start, which converts it";
            return bad(Weight::Note, found, mend);
        }
        fine(found)
    })
}
