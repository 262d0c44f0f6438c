//! `plummer export`: one NDJSON file per type and a manifest with their counts, page by page, so that
//! memory does not grow with the record. Each page leaves its audit event like any other search.

use crate::cli::Export;
use crate::opening;
use crate::progress::{Progress, Step, grouped};
use crate::settings::Settings;
use anyhow::{Context as _, anyhow, bail};
use fhir::definitions::{TypeId, r4};
use fhir::write::Writer;
use record::{Level, SearchHow, Session};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;

const PAGE: &str = "1000";
const ZSTD_LEVEL: i32 = 3;

/// Writes all resources, or those of the types asked for.
pub(crate) fn run(settings: &Settings, args: &Export) -> anyhow::Result<ExitCode> {
    let record = opening::record(settings)?;
    let session = opening::session(&record);
    let mut types = Vec::new();
    for name in &args.types {
        let of = r4().resource_type(name).ok_or_else(|| anyhow!("R4 has no type {name}"))?;
        types.push(of);
    }
    let mut live = record.store_stats().live;
    live.retain(|(of, count)| *count > 0 && (types.is_empty() || types.contains(of)));
    live.sort_by_key(|(of, _)| r4().name(*of));
    record::private_folder(&args.to)
        .with_context(|| format!("cannot make {}", args.to.display()))?;
    if std::fs::read_dir(&args.to)?.next().is_some() {
        bail!("{} is not empty", args.to.display());
    }
    let all = live.iter().map(|(_, count)| count).sum();
    let mut progress = Progress::begin("exporting", "resources");
    let mut manifest = Writer::new();
    manifest.object().member("exported", &session.now().to_instant());
    manifest.key("output").array();
    let mut done = 0;
    for (of, _) in live {
        let name = r4().name(of);
        let file = format!("{name}.ndjson{}", if args.zstd { ".zst" } else { "" });
        let count = {
            let mut out = open(&args.to.join(&file), args.zstd)?;
            let count = one_type(&session, of, &mut *out, &mut |count| {
                progress.step(Step { count: done + count, done: done + count, all });
            })?;
            out.flush()?;
            count
        };
        done += count;
        manifest.object().member("type", name).member("file", &file);
        manifest.key("count").integer(i64::try_from(count)?).end_object();
    }
    manifest.end_array().key("total").integer(i64::try_from(done)?).end_object();
    let mut text = manifest.finish();
    text.push(b'\n');
    std::fs::write(args.to.join("manifest.json"), text)?;
    progress.end();
    writeln!(std::io::stdout(), "{} resources in {}", grouped(done), args.to.display())?;
    Ok(ExitCode::SUCCESS)
}

fn open(path: &Path, zstd: bool) -> anyhow::Result<Box<dyn Write>> {
    let file = File::create(path).with_context(|| format!("cannot make {}", path.display()))?;
    let file = BufWriter::with_capacity(1 << 18, file);
    Ok(if zstd {
        Box::new(zstd::Encoder::new(file, ZSTD_LEVEL)?.auto_finish())
    } else {
        Box::new(file)
    })
}

fn one_type(
    session: &Session,
    of: TypeId,
    out: &mut dyn Write,
    told: &mut dyn FnMut(u64),
) -> anyhow::Result<u64> {
    let mut pairs = vec![("_count".to_owned(), PAGE.to_owned())];
    let mut count = 0;
    loop {
        let found = session.search(Level::Type(of), pairs, &SearchHow::default())?.wait()?;
        for hit in &found.page.matches {
            out.write_all(&hit.body)?;
            out.write_all(b"\n")?;
            count += 1;
        }
        told(count);
        match found.next {
            Some(cursor) => pairs = vec![("_cursor".to_owned(), cursor)],
            None => return Ok(count),
        }
    }
}
