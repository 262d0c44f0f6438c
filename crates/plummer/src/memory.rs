//! How much memory there is for this program: the machine's, or the less that its control group may
//! take (Linux: proc(5), `meminfo`; cgroups version 2, `memory.max`).

use std::fs;

const MIB: u64 = 1 << 20;
/// What of the memory goes to opened pages when nobody says how much: one part of so many.
const PART: u64 = 8;
/// And at least and at most.
const LEAST: u64 = 32 * MIB;
const MOST: u64 = 1024 * MIB;

/// Bytes for the opened pages of a sealed store, by what the setting `page_memory_mib` says.
pub(crate) fn for_pages(mib: u64) -> u64 {
    if mib > 0 { mib.saturating_mul(MIB) } else { part_of(available()) }
}

fn part_of(all: Option<u64>) -> u64 {
    all.map_or(LEAST, |all| (all / PART).clamp(LEAST, MOST))
}

fn available() -> Option<u64> {
    let machine = fs::read_to_string("/proc/meminfo").ok().and_then(|text| total(&text));
    let group = fs::read_to_string("/sys/fs/cgroup/memory.max").ok();
    let group = group.and_then(|text| text.trim().parse().ok());
    [machine, group].into_iter().flatten().min()
}

/// `MemTotal` of a `meminfo`, in bytes.
fn total(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machines_memory_is_read() {
        assert_eq!(total("MemFree: 1 kB\nMemTotal:        8000 kB\n"), Some(8_192_000));
        assert_eq!(total("MemTotal: many kB\n"), None);
        assert_eq!(total(""), None);
    }

    #[test]
    fn pages_get_a_part_of_it_that_is_neither_nothing_nor_too_much() {
        assert_eq!(part_of(None), LEAST);
        assert_eq!(part_of(Some(64 * MIB)), LEAST);
        assert_eq!(part_of(Some(4096 * MIB)), 512 * MIB);
        assert_eq!(part_of(Some(u64::MAX)), MOST);
        assert_eq!(for_pages(3), 3 * MIB);
    }
}
