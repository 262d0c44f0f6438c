//! `plummer tls self-signed`: a certificate for development and for a first trial on a network. No
//! browser trusts it until somebody tells it to, which is right: for patients' data the organisation's
//! own authority signs.

use crate::cli::{SelfSigned, Tls};
use anyhow::{Context as _, bail};
use base::Clock as _;
use base::time::{SystemClock, civil_from_days};
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose};
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

const DAY_MS: i64 = 86_400_000;
/// Bytes of a name (RFC 1035 section 2.3.4).
const NAME_BYTES_MAX: usize = 253;

/// Makes a certificate and its key.
pub(crate) fn run(args: Tls) -> anyhow::Result<ExitCode> {
    match args {
        Tls::SelfSigned(args) => self_signed(&args),
    }
}

fn self_signed(args: &SelfSigned) -> anyhow::Result<ExitCode> {
    for name in &args.names {
        if name.is_empty() || name.len() > NAME_BYTES_MAX || !name.is_ascii() {
            bail!("{name:?} is neither a host's name nor an address");
        }
    }
    let mut params =
        CertificateParams::new(args.names.clone()).context("the names are no names of hosts")?;
    let today = SystemClock.now().0.div_euclid(DAY_MS);
    // From yesterday, since clocks differ.
    let (year, month, day) = date(today - 1)?;
    params.not_before = rcgen::date_time_ymd(year, month, day);
    let (year, month, day) = date(today + i64::from(args.days))?;
    params.not_after = rcgen::date_time_ymd(year, month, day);
    params.distinguished_name.push(DnType::CommonName, "Plummer, for development");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let key = KeyPair::generate().context("no key could be made")?;
    let certificate = params.self_signed(&key).context("no certificate could be made")?;
    std::fs::create_dir_all(&args.out)
        .with_context(|| format!("cannot make {}", args.out.display()))?;
    let (certificate_path, key_path) = (args.out.join("tls.pem"), args.out.join("tls.key"));
    write(&key_path, &key.serialize_pem(), 0o600)?;
    write(&certificate_path, &certificate.pem(), 0o644)?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "tls_certificate = \"{}\"", certificate_path.display())?;
    writeln!(out, "tls_key = \"{}\"", key_path.display())?;
    writeln!(out, "# for {}, {} days, for development", args.names.join(", "), args.days)?;
    Ok(ExitCode::SUCCESS)
}

fn date(day: i64) -> anyhow::Result<(i32, u8, u8)> {
    let (year, month, day) = civil_from_days(day);
    Ok((year.try_into()?, month.try_into()?, day.try_into()?))
}

/// Writes a file that is not there yet: a key in use is never replaced by this.
fn write(path: &Path, text: &str, mode: u32) -> anyhow::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
        .with_context(|| format!("cannot make {}", path.display()))?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    Ok(())
}
