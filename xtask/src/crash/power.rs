//! A loss of power, played on the files: what was never synced is taken back, or half of it, as a disk
//! that lost its cache would have it. It reads the journal of `xtask/powerloss`;
//! docs/internals/crash.md tells the model.

use super::journal::{Record, decode};
use anyhow::{Context, bail};
use conformance::random::Random;
use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io::ErrorKind;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

/// What a disk writes whole or not at all.
const SECTOR: u64 = 512;
/// SQLite's shared memory does not outlive the machine.
const MAPPED: &str = "-shm";

/// What a loss of power took.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Loss {
    /// Changes of content that were not synced.
    pub(super) unsynced: usize,
    /// Sectors that went back to an earlier state.
    pub(super) sectors: usize,
    /// Names that were taken back.
    pub(super) names: Vec<String>,
}

/// The folder a server keeps its data in, and the one the shim keeps its journal in.
#[derive(Debug)]
pub(super) struct Disk {
    data: PathBuf,
    side: PathBuf,
}

impl Disk {
    /// Both folders must be there, on one file system.
    pub(super) fn new(data: &Path, side: &Path) -> anyhow::Result<Self> {
        Ok(Self { data: data.canonicalize()?, side: side.canonicalize()? })
    }

    /// The environment that puts the shim before a program.
    pub(super) fn environment(&self, shim: &Path) -> [(&'static str, std::ffi::OsString); 3] {
        [
            ("LD_PRELOAD", shim.into()),
            ("POWERLOSS_DATA", self.data.clone().into()),
            ("POWERLOSS_SIDE", self.side.clone().into()),
        ]
    }

    /// After a kill without a loss: the record the kill may have cut is dropped, and the memory of
    /// what is not synced kept.
    pub(super) fn survive(&self) -> anyhow::Result<()> {
        let journal = self.journal()?;
        let (_, whole) = decode(&journal);
        if whole < journal.len() {
            let file = File::options().write(true).open(self.side.join("journal"))?;
            file.set_len(u64::try_from(whole)?)?;
        }
        Ok(())
    }

    /// The loss itself. Afterwards what is on the disk is safe, and the journal empty.
    pub(super) fn lose(&self, random: &mut Random) -> anyhow::Result<Loss> {
        let journal = self.journal()?;
        let (records, _) = decode(&journal);
        let mut synced: HashMap<u64, u64> = HashMap::new();
        for (_, record) in &records {
            if let Record::Sync { inode, upto } = record {
                let place = synced.entry(*inode).or_default();
                *place = (*place).max(*upto);
            }
        }
        let lost = |inode: u64, end: u64| synced.get(&inode).is_none_or(|upto| end > *upto);
        let mut loss = Loss::default();
        let mut names: Vec<&Record<'_>> = Vec::new();
        let mut changes: BTreeMap<u64, Vec<&Record<'_>>> = BTreeMap::new();
        for (end, record) in &records {
            match record {
                Record::Write { inode, .. } | Record::Resize { inode, .. }
                    if lost(*inode, *end) =>
                {
                    changes.entry(*inode).or_default().push(record);
                    loss.unsynced += 1;
                }
                Record::Create { folder, .. }
                | Record::Remove { folder, .. }
                | Record::Rename { folder, .. }
                    if lost(*folder, *end) =>
                {
                    names.push(record);
                }
                _ => {}
            }
        }
        // A file system keeps the order of its names: those after a moment are lost.
        let kept = random.index(names.len() + 1);
        for record in names.iter().skip(kept).rev() {
            loss.names.push(take_back_name(record)?);
        }
        let mut paths = HashMap::new();
        self.find(&self.data, &mut paths)?;
        for (inode, changes) in &changes {
            if let Some(path) = paths.get(inode) {
                loss.sectors += take_back(path, changes, random)
                    .with_context(|| format!("{}", path.display()))?;
            }
        }
        for entry in fs::read_dir(&self.side)? {
            fs::remove_file(entry?.path())?;
        }
        Ok(loss)
    }

    /// Whether the server has written anything since the last loss.
    pub(super) fn has_journal(&self) -> bool {
        self.side.join("journal").exists()
    }

    fn journal(&self) -> anyhow::Result<Vec<u8>> {
        fs::read(self.side.join("journal")).context("the shim wrote no journal")
    }

    /// The files by inode; shared memory is dropped on the way.
    fn find(&self, folder: &Path, paths: &mut HashMap<u64, PathBuf>) -> anyhow::Result<()> {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let facts = path.symlink_metadata()?;
            if facts.is_dir() {
                self.find(&path, paths)?;
            } else if path.to_str().is_some_and(|name| name.ends_with(MAPPED)) {
                fs::remove_file(&path)?;
            } else {
                paths.insert(facts.ino(), path);
            }
        }
        Ok(())
    }
}

/// Tells which name it was.
fn take_back_name(record: &Record<'_>) -> anyhow::Result<String> {
    let gone = |done: std::io::Result<()>| match done {
        // The change was announced and not made: the kill came between.
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        done => done,
    };
    Ok(match record {
        Record::Create { path, .. } => {
            let folder = Path::new(path).is_dir();
            gone(if folder { fs::remove_dir_all(path) } else { fs::remove_file(path) })?;
            format!("the making of {path}")
        }
        Record::Remove { path, saved, .. } => {
            if !Path::new(path).exists() {
                fs::hard_link(saved, path)?;
            }
            format!("the removal of {path}")
        }
        Record::Rename { from, to, saved, .. } => {
            let made = !Path::new(from).exists();
            if made {
                gone(fs::rename(to, from))?;
            }
            if made && !saved.is_empty() {
                fs::hard_link(saved, to)?;
            }
            format!("the renaming of {from} to {to}")
        }
        _ => bail!("not a change of names"),
    })
}

/// A change of content that a sync never covered, with what it made of the bytes.
struct Change {
    offset: u64,
    /// What the bytes became; empty for a change of size.
    new: Vec<u8>,
    /// The size after it.
    size: u64,
}

/// Takes the unsynced changes of one file back, then lets some of them survive. Tells how many sectors
/// differ from what the program last saw.
fn take_back(path: &Path, records: &[&Record<'_>], random: &mut Random) -> anyhow::Result<usize> {
    let file = File::options().read(true).write(true).open(path)?;
    let mut changes = Vec::with_capacity(records.len());
    let mut resized = false;
    for record in records.iter().rev() {
        let size = file.metadata()?.len();
        match record {
            Record::Write { offset, length, old_size, old, .. } => {
                let end = offset.saturating_add(*length).min(size);
                let mut new = vec![0; usize::try_from(end.saturating_sub(*offset))?];
                file.read_exact_at(&mut new, *offset)?;
                changes.push(Change { offset: *offset, new, size });
                file.write_all_at(old, *offset)?;
                if size > *old_size {
                    file.set_len(*old_size)?;
                }
            }
            Record::Resize { old_size, new_size, old, .. } => {
                resized = true;
                changes.push(Change { offset: *new_size, new: Vec::new(), size });
                file.set_len(*old_size)?;
                file.write_all_at(old, *new_size)?;
            }
            _ => bail!("not a change of content"),
        }
    }
    changes.reverse();
    if resized {
        return prefix(&file, &changes, random);
    }
    sectors(&file, &changes, random)
}

/// With changes of size among them, those up to a moment survive, in order.
fn prefix(file: &File, changes: &[Change], random: &mut Random) -> anyhow::Result<usize> {
    let kept = random.index(changes.len() + 1);
    for change in changes.iter().take(kept) {
        file.write_all_at(&change.new, change.offset)?;
        file.set_len(change.size)?;
    }
    Ok(changes.len() - kept)
}

/// Writes alone: each sector on its own has one of the states it was in since the sync.
fn sectors(file: &File, changes: &[Change], random: &mut Random) -> anyhow::Result<usize> {
    let synced_size = file.metadata()?.len();
    let last_size = changes.last().map_or(synced_size, |change| change.size);
    // How many of the sectors survive whole, in eighths: none, all, or a share.
    let share = match random.below(4) {
        0 => 0,
        1 => 8,
        _ => random.below(9),
    };
    let mut writes: BTreeMap<u64, usize> = BTreeMap::new();
    for change in changes {
        for_sectors(change, |sector, _, _| {
            *writes.entry(sector).or_default() += 1;
            Ok(())
        })?;
    }
    let mut lost = 0;
    let mut left: BTreeMap<u64, usize> = BTreeMap::new();
    for (sector, count) in writes {
        let kept = if random.below(8) < share { count } else { random.index(count) };
        lost += usize::from(kept < count);
        left.insert(sector, kept);
    }
    for change in changes {
        for_sectors(change, |sector, offset, bytes| {
            let Some(kept) = left.get_mut(&sector).filter(|kept| **kept > 0) else { return Ok(()) };
            *kept -= 1;
            Ok(file.write_all_at(bytes, offset)?)
        })?;
    }
    // The size is the file system's, and may reach disk before the bytes: those read as zeros then.
    if share > 0 && random.once_in(2) {
        file.set_len(last_size.max(file.metadata()?.len()))?;
    }
    Ok(lost)
}

fn for_sectors(
    change: &Change,
    mut each: impl FnMut(u64, u64, &[u8]) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let (mut offset, mut rest) = (change.offset, change.new.as_slice());
    while !rest.is_empty() {
        let here = usize::try_from(SECTOR - offset % SECTOR)?.min(rest.len());
        let (bytes, after) = rest.split_at(here);
        each(offset / SECTOR, offset, bytes)?;
        offset += u64::try_from(here)?;
        rest = after;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    /// Runs a shell script with the shim before it, in a folder of its own, and plays losses on what
    /// it left, each from another seed. The script must not need its unsynced changes to be read back.
    fn after_losses(name: &str, script: &str, check: impl Fn(&Path, &Loss)) {
        let shim = conformance::process::build(&crate::root(), "powerloss", &[]).expect("the shim");
        for seed in 0..24 {
            let folder =
                std::env::temp_dir().join(format!("powerloss-{name}-{}", std::process::id()));
            let (data, side) = (folder.join("data"), folder.join("side"));
            fs::create_dir_all(&data).expect("a folder");
            fs::create_dir_all(&side).expect("a folder");
            let disk = Disk::new(&data, &side).expect("a disk");
            let done = Command::new("sh")
                .args(["-euc", script])
                .current_dir(&data)
                .envs(disk.environment(&shim))
                .status()
                .expect("a shell");
            assert!(done.success(), "{script}");
            disk.survive().expect("a whole journal");
            let loss = disk.lose(&mut Random::new(seed)).expect("a loss");
            check(&data, &loss);
            fs::remove_dir_all(&folder).expect("to clean up");
        }
    }

    fn text(path: PathBuf) -> Option<String> {
        fs::read_to_string(path).ok()
    }

    #[test]
    fn what_was_synced_stays_and_what_was_not_goes_in_some_loss() {
        let went = std::cell::Cell::new((0, 0));
        let script = "echo one > kept; sync kept .; echo two >> kept; echo three > unsynced";
        after_losses("sync", script, |data, _| {
            let kept = text(data.join("kept")).expect("the synced file");
            assert!(kept.starts_with("one\n"), "{kept:?}");
            let (tails, files) = went.get();
            let file = text(data.join("unsynced")).is_none_or(|t| t.is_empty());
            went.set((tails + usize::from(kept == "one\n"), files + usize::from(file)));
        });
        let (tails, files) = went.get();
        assert!((1..24).contains(&tails), "{tails} of 24 losses took the tail");
        assert!((1..24).contains(&files), "{files} of 24 losses took the file");
    }

    #[test]
    fn a_synced_overwrite_stays_and_an_unsynced_one_is_old_new_or_mixed_by_sector() {
        let states = std::cell::RefCell::new(std::collections::BTreeSet::new());
        let script = "head -c 2048 /dev/zero | tr '\\0' a > f; sync f .; \
                      head -c 2048 /dev/zero | tr '\\0' b | dd of=f bs=2048 conv=notrunc status=none iflag=fullblock";
        after_losses("sector", script, |data, loss| {
            let bytes = fs::read(data.join("f")).expect("the file");
            assert_eq!(bytes.len(), 2048);
            assert!(
                bytes.chunks(512).all(|s| s.iter().all(|b| b == &s[0]) && b"ab".contains(&s[0]))
            );
            let old = bytes.chunks(512).filter(|s| s[0] == b'a').count();
            assert_eq!(old, loss.sectors);
            states.borrow_mut().insert(old);
        });
        assert!(states.borrow().len() > 2, "all, none and a part: {states:?}");
    }

    #[test]
    fn names_come_back_unless_their_folder_was_synced() {
        let seen = std::cell::RefCell::new(std::collections::BTreeSet::new());
        let script = "echo a > a; echo b > b; sync a b .; mv a b; rm -f c; echo c > c; rm b";
        after_losses("names", script, |data, _| {
            let have = (text(data.join("a")), text(data.join("b")), data.join("c").exists());
            let (a, b) = (have.0.as_deref(), have.1.as_deref());
            let right = matches!(
                (a, b, have.2),
                (Some("a\n"), Some("b\n"), false) | (None, Some("a\n"), _) | (None, None, true)
            );
            assert!(right, "{have:?}");
            seen.borrow_mut().insert((a.is_some(), b.is_some()));
        });
        assert!(seen.borrow().len() > 1, "{seen:?}");
        after_losses("folder", "echo a > a; sync a; mv a b; sync .", |data, loss| {
            assert_eq!(text(data.join("b")).as_deref(), Some("a\n"));
            assert_eq!((loss.names.len(), loss.sectors), (0, 0));
        });
    }

    #[test]
    fn a_cut_that_was_not_synced_comes_back() {
        let seen = std::cell::RefCell::new(std::collections::BTreeSet::new());
        after_losses("cut", "echo long > f; sync f .; : > f; printf x >> f", |data, _| {
            let f = text(data.join("f")).expect("the file");
            assert!(["long\n", "", "x"].contains(&f.as_str()), "{f:?}");
            seen.borrow_mut().insert(f);
        });
        assert_eq!(seen.borrow().len(), 3);
    }
}
