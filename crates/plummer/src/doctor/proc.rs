//! Texts of the kernel (proc(5)): mounts, swap, limits, sockets. Readers that take any text and find in
//! it what they know.

/// The kind of file system a path lies on: that of the longest mount point above it.
pub(super) fn kind_of(mounts: &str, path: &str) -> Option<String> {
    let mut best: Option<(usize, &str)> = None;
    for line in mounts.lines() {
        let mut words = line.split(' ');
        let (Some(_device), Some(point), Some(kind)) = (words.next(), words.next(), words.next())
        else {
            continue;
        };
        let point = unescaped(point);
        let above = point == "/"
            || path
                .strip_prefix(&point)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        // Of two mounts on one point the later one is seen.
        if above && best.is_none_or(|(length, _)| point.len() >= length) {
            best = Some((point.len(), kind));
        }
    }
    best.map(|(_, kind)| kind.to_owned())
}

/// `\040` and its like, as mount points write what would end them.
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        let digits = after.get(..3).and_then(|d| u8::from_str_radix(d, 8).ok());
        match digits {
            Some(byte) if byte.is_ascii() => {
                out.push(char::from(byte));
                rest = after.get(3..).unwrap_or_default();
            }
            _ => {
                out.push('\\');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

/// The places memory may be written to: name, and whether it is a file.
pub(super) fn swaps(text: &str) -> Vec<(String, bool)> {
    text.lines()
        .skip(1)
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let name = unescaped(words.next()?);
            Some((name, words.next()? == "file"))
        })
        .collect()
}

/// A soft limit of a process; `u64::MAX` is none.
pub(super) fn limit(limits: &str, name: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix(name))?;
    match line.split_whitespace().next()? {
        "unlimited" => Some(u64::MAX),
        number => number.parse().ok(),
    }
}

/// The user a process acts for, of `/proc/[pid]/status`.
pub(super) fn owner(status: &str) -> Option<u32> {
    let line = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// The sockets that listen beyond this machine, of `/proc/net/tcp` or `tcp6`: port and inode.
pub(super) fn listening(table: &str) -> Vec<(u16, u64)> {
    table
        .lines()
        .skip(1)
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let local = words.nth(1)?;
            // 0A is LISTEN; the inode stands seven words behind it.
            let listens = words.nth(1)? == "0A";
            let inode = words.nth(5)?.parse().ok()?;
            let (address, port) = local.split_once(':')?;
            let port = u16::from_str_radix(port, 16).ok()?;
            (listens && !is_loopback(address)).then_some((port, inode))
        })
        .collect()
}

/// An address as the kernel writes it: words of four bytes, each in the machine's own order.
fn is_loopback(address: &str) -> bool {
    let byte = |at: usize| address.get(at..at + 2);
    let little = cfg!(target_endian = "little");
    match address.len() {
        8 => byte(if little { 6 } else { 0 }) == Some("7F"),
        32 => {
            let one = if little { "01000000" } else { "00000001" };
            let alone = address.get(..24).is_some_and(|high| high.bytes().all(|b| b == b'0'))
                && address.get(24..) == Some(one);
            // ::ffff:127.0.0.0/8
            let mapped = address.get(..16).is_some_and(|high| high.bytes().all(|b| b == b'0'))
                && address.get(16..24) == Some(if little { "FFFF0000" } else { "0000FFFF" })
                && byte(if little { 30 } else { 24 }) == Some("7F");
            alone || mapped
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_mount_above_a_path_is_its_own() {
        let mounts = "/dev/sda1 / ext4 rw 0 0\ntmpfs /srv tmpfs rw 0 0\n/dev/sdb /srv/my\\040data xfs rw 0 0\nproc /proc proc rw 0 0\n";
        let kind = |path| kind_of(mounts, path).unwrap();
        assert_eq!(kind("/srv/my data/store"), "xfs");
        assert_eq!(kind("/srv/my data"), "xfs");
        assert_eq!(kind("/srv/my database"), "tmpfs");
        assert_eq!(kind("/srvx"), "ext4");
        assert_eq!(kind_of("", "/srv"), None);
        assert_eq!(kind_of("/a / ext4\n/b / btrfs\n", "/x").unwrap(), "btrfs");
    }

    #[test]
    fn swaps_and_limits_are_read() {
        let text = "Filename\t\t\t\tType\t\tSize\n/dev/dm-1 partition 100 0 -2\n/swap\\040file file 100 0 -3\n";
        assert_eq!(swaps(text), [("/dev/dm-1".to_owned(), false), ("/swap file".to_owned(), true)]);
        assert!(swaps("Filename\n").is_empty());
        let limits = "Limit  Soft Limit  Hard Limit  Units\nMax core file size        0                    unlimited            bytes\nMax open files            1024                 524288               files\nMax cpu time   unlimited  unlimited  seconds\n";
        assert_eq!(limit(limits, "Max core file size"), Some(0));
        assert_eq!(limit(limits, "Max open files"), Some(1024));
        assert_eq!(limit(limits, "Max cpu time"), Some(u64::MAX));
        assert_eq!(limit(limits, "Max luck"), None);
        assert_eq!(owner("Name:\tx\nUid:\t1000\t1001\t1000\t1000\n"), Some(1001));
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn sockets_that_listen_beyond_this_machine_are_found() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 11 1 0 100 0 0 10 0\n\
   1: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 12 1 0 100 0 0 10 0\n\
   2: 0A00A8C0:0050 0B00A8C0:C001 01 00000000:00000000 00:00000000 00000000     0        0 13 1 0 100 0 0 10 0\n";
        assert_eq!(listening(table), [(22, 12)]);
        let six = "head\n\
   0: 00000000000000000000000001000000:1F90 00000000000000000000000000000000:0000 0A 0:0 00:0 0 1000 0 21 1\n\
   1: 0000000000000000FFFF00000100007F:1F91 00000000000000000000000000000000:0000 0A 0:0 00:0 0 1000 0 22 1\n\
   2: 00000000000000000000000000000000:01BB 00000000000000000000000000000000:0000 0A 0:0 00:0 0 1000 0 23 1\n";
        assert_eq!(listening(six), [(443, 23)]);
    }

    #[test]
    fn no_text_makes_them_fall() {
        let words = ["0A", "\\0", "\\", ":", "7F", "", "x", "0", "Uid:", "ü", "\n", " "];
        for seed in 0..20_000usize {
            let text: String =
                (0..12).map(|at| words[(seed * 31 + at * at * 7 + seed / 12) % 12]).collect();
            let text = format!("head\n{text}");
            let _ = (kind_of(&text, "/x"), swaps(&text), limit(&text, "x"), owner(&text));
            let _ = listening(&text);
        }
    }
}
