//! What the figures depend on: the processor, the memory, the disk's sync rate, and what the kernel
//! counted for a process.

use anyhow::Context;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long each way of syncing is tried.
const TRY: Duration = Duration::from_secs(1);
const BLOCK: [u8; 4096] = [0x5a; 4096];

/// Syncs a second: 4 KiB appended, and 4 KiB overwritten, each followed by `fdatasync`.
pub(super) fn sync_rates(folder: &Path) -> anyhow::Result<(f64, f64)> {
    let path = folder.join("sync-rate");
    let mut file =
        File::options().read(true).write(true).create(true).truncate(true).open(&path)?;
    let append = rate(|_| {
        file.write_all(&BLOCK)?;
        file.sync_data()
    })?;
    let blocks = (file.metadata()?.len() / 4096).max(1);
    let overwrite = rate(|i| {
        file.write_all_at(&BLOCK, (i.wrapping_mul(7919) % blocks) * 4096)?;
        file.sync_data()
    })?;
    fs::remove_file(path)?;
    Ok((append, overwrite))
}

fn rate(mut act: impl FnMut(u64) -> std::io::Result<()>) -> anyhow::Result<f64> {
    let began = Instant::now();
    let mut count = 0;
    while began.elapsed() < TRY {
        act(count)?;
        count += 1;
    }
    Ok(super::load::as_f64(count) / began.elapsed().as_secs_f64())
}

/// The machine in a line.
pub(super) fn describe() -> anyhow::Result<String> {
    let cores = std::thread::available_parallelism()?;
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split(':').nth(1));
    let memory = kib("/proc/meminfo", "MemTotal:")? >> 20;
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let model = model.map_or("unknown processor", str::trim);
    Ok(format!("{cores} cores of {model}, {memory} GiB, Linux {}", kernel.trim()))
}

/// The day, by the machine's own `date`.
pub(super) fn today() -> anyhow::Result<String> {
    let output = std::process::Command::new("date").args(["-u", "+%Y-%m-%d"]).output()?;
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

/// The day in days since 1970, by the same.
pub(super) fn day() -> anyhow::Result<i64> {
    let output = std::process::Command::new("date").args(["-u", "+%s"]).output()?;
    Ok(String::from_utf8(output.stdout)?.trim().parse::<i64>()? / 86_400)
}

/// The commit the figures are of.
pub(super) fn commit() -> String {
    let output = std::process::Command::new("git")
        .args(["rev-parse", "--short", "HEAD"])
        .current_dir(crate::root())
        .output();
    output.map_or_else(
        |_| "none".to_owned(),
        |o| String::from_utf8_lossy(&o.stdout).trim().to_owned(),
    )
}

/// Bytes a process caused to be written to the disk.
pub(super) fn bytes_written(process: u32) -> anyhow::Result<u64> {
    let text = fs::read_to_string(format!("/proc/{process}/io"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("write_bytes: "));
    Ok(line.context("write_bytes")?.trim().parse()?)
}

/// Processor time of a process.
pub(super) fn cpu_time(process: u32) -> anyhow::Result<Duration> {
    let text = fs::read_to_string(format!("/proc/{process}/stat"))?;
    let after = text.rsplit_once(") ").context("stat")?.1;
    let mut fields = after.split(' ').skip(11).map(str::parse::<u64>);
    let mut next = || fields.next().context("stat").and_then(|f| Ok(f?));
    // In hundredths of a second, which is what Linux tells user space on every machine.
    Ok(Duration::from_millis(10 * (next()? + next()?)))
}

/// Memory of a process in bytes: all that is resident, and of it what no file backs.
pub(super) fn memory(process: u32) -> anyhow::Result<(u64, u64)> {
    let status = format!("/proc/{process}/status");
    Ok((kib(&status, "VmRSS:")? << 10, kib(&status, "RssAnon:")? << 10))
}

fn kib(file: &str, name: &str) -> anyhow::Result<u64> {
    let text = fs::read_to_string(file)?;
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|line| line.split_whitespace().next());
    Ok(number.with_context(|| format!("{file} has no {name}"))?.parse()?)
}

/// Bytes of all files below a folder, as the disk holds them.
pub(super) fn size_of(folder: &Path) -> anyhow::Result<u64> {
    let mut size = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let facts = entry.metadata()?;
        size += if facts.is_dir() { size_of(&entry.path())? } else { facts.len() };
    }
    Ok(size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_tells_of_this_process() {
        let own = std::process::id();
        let (all, anonymous) = memory(own).expect("its memory");
        assert!(all > anonymous && anonymous > 0);
        assert!(bytes_written(own).is_ok() && cpu_time(own).is_ok());
        assert!(describe().expect("a line").contains("cores of"));
        assert_eq!(today().expect("a day").len(), 10);
        assert!(day().expect("a day") > 20_000);
    }
}
