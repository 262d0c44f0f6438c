//! Where documents come from: files, folders, standard input; plain, gzip, zstd; tar in any of them.
//! Everything is streamed: nothing is unpacked to disk, and no more than one document is in memory.

use anyhow::{Context as _, anyhow, bail};
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::UNIX_EPOCH;

const BUFFER_BYTES: usize = 1 << 18;
/// Folders within folders; a deeper one is taken to be a loop of links.
const DEPTH_MAX: usize = 32;

/// One document, as text.
#[derive(Debug)]
pub(crate) struct Item {
    /// The file it came from.
    pub(crate) file: Arc<FileKey>,
    /// Its place among the documents of that file, from 0.
    pub(crate) ordinal: u64,
    /// How a person finds it: path, entry of an archive, line.
    pub(crate) place: String,
    /// The text.
    pub(crate) text: Vec<u8>,
}

/// What tells a file from others, and from itself after a change.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct FileKey {
    /// Its absolute path; empty for standard input.
    pub(crate) path: String,
    /// Its size.
    pub(crate) bytes: u64,
    /// When it was changed, in milliseconds.
    pub(crate) changed_ms: u128,
}

/// The files to read, found before any is read.
#[derive(Debug)]
pub(crate) struct Sources {
    files: Vec<PathBuf>,
    stdin: bool,
    /// Bytes of all files, as they lie on the disk.
    pub(crate) bytes: u64,
    /// Files in folders that are of no kind that is read.
    pub(crate) passed_over: u64,
}

/// What a file is, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Json,
    Lines,
    Tar,
}

/// How a file is packed, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Packing {
    Plain,
    Gzip,
    Zstd,
}

/// Takes documents; `false` ends the reading.
pub(crate) type Sink<'s> = &'s mut dyn FnMut(Item) -> bool;

impl Sources {
    /// Finds the files below the paths, in order of their names.
    pub(crate) fn find(paths: &[PathBuf]) -> anyhow::Result<Self> {
        let mut sources = Self { files: Vec::new(), stdin: false, bytes: 0, passed_over: 0 };
        for path in paths {
            if path == Path::new("-") {
                sources.stdin = true;
            } else {
                let told = || format!("cannot read {}", path.display());
                let meta = fs::metadata(path).with_context(told)?;
                if meta.is_dir() {
                    sources.folder(path, 0)?;
                } else if kind(path).is_some() {
                    sources.bytes += meta.len();
                    sources.files.push(path.clone());
                } else {
                    bail!("{}: not .json, .ndjson or .tar, plain, .gz or .zst", path.display());
                }
            }
        }
        Ok(sources)
    }

    fn folder(&mut self, folder: &Path, depth: usize) -> anyhow::Result<()> {
        if depth > DEPTH_MAX {
            bail!("{}: folders lie more than {DEPTH_MAX} deep", folder.display());
        }
        let told = || format!("cannot read {}", folder.display());
        let mut entries =
            fs::read_dir(folder).with_context(told)?.collect::<io::Result<Vec<_>>>()?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let path = entry.path();
            let meta =
                fs::metadata(&path).with_context(|| format!("cannot read {}", path.display()))?;
            if meta.is_dir() {
                self.folder(&path, depth + 1)?;
            } else if kind(&path).is_some() {
                self.bytes += meta.len();
                self.files.push(path);
            } else {
                self.passed_over += 1;
            }
        }
        Ok(())
    }

    /// Reads all documents. `seen` counts the bytes read from the disk.
    pub(crate) fn read(
        &self,
        limit: usize,
        seen: &AtomicU64,
        sink: Sink<'_>,
    ) -> anyhow::Result<()> {
        let mut go_on = true;
        for path in &self.files {
            let Some((format, packing)) = kind(path) else { continue };
            let file =
                File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
            let key = Arc::new(FileKey::of(path, &file)?);
            let counted = Counted { inner: file, seen };
            let plain = unpacked(BufReader::with_capacity(BUFFER_BYTES, counted), packing)?;
            let mut reading =
                Reading { key, ordinal: 0, limit, sink: &mut *sink, go_on: &mut go_on };
            let place = path.display().to_string();
            reading.stream(plain, format, &place).with_context(|| place.clone())?;
            if !go_on {
                return Ok(());
            }
        }
        if self.stdin {
            let mut reader = BufReader::with_capacity(BUFFER_BYTES, io::stdin());
            let packing = match reader.fill_buf()? {
                [0x1F, 0x8B, ..] => Packing::Gzip,
                [0x28, 0xB5, 0x2F, 0xFD, ..] => Packing::Zstd,
                _ => Packing::Plain,
            };
            let key = FileKey { path: String::new(), bytes: 0, changed_ms: 0 };
            let mut reading = Reading {
                key: Arc::new(key),
                ordinal: 0,
                limit,
                sink: &mut *sink,
                go_on: &mut go_on,
            };
            reading.lines_or_whole(unpacked(reader, packing)?, "standard input")?;
        }
        Ok(())
    }
}

impl FileKey {
    fn of(path: &Path, file: &File) -> io::Result<Self> {
        let meta = file.metadata()?;
        let changed = meta.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
        let path = std::path::absolute(path)?.to_string_lossy().into_owned();
        Ok(Self { path, bytes: meta.len(), changed_ms: changed.as_millis() })
    }
}

struct Reading<'r> {
    key: Arc<FileKey>,
    ordinal: u64,
    limit: usize,
    sink: &'r mut dyn FnMut(Item) -> bool,
    go_on: &'r mut bool,
}

impl Reading<'_> {
    fn stream(
        &mut self,
        plain: Box<dyn BufRead + '_>,
        format: Format,
        place: &str,
    ) -> anyhow::Result<()> {
        match format {
            Format::Json => self.whole(plain, place),
            Format::Lines => self.lines(plain, place),
            Format::Tar => self.archive(plain, place),
        }
    }

    fn archive(&mut self, plain: Box<dyn BufRead + '_>, place: &str) -> anyhow::Result<()> {
        let mut archive = tar::Archive::new(plain);
        for entry in archive.entries()? {
            let entry = entry?;
            if !entry.header().entry_type().is_file() {
                continue;
            }
            let path = entry.path()?.into_owned();
            let Some((format, packing)) = kind(&path).filter(|(f, _)| *f != Format::Tar) else {
                continue;
            };
            let place = format!("{place}!{}", path.display());
            let reader = BufReader::with_capacity(BUFFER_BYTES, entry);
            let plain = unpacked(reader, packing)?;
            self.stream(plain, format, &place).with_context(|| place.clone())?;
            if !*self.go_on {
                return Ok(());
            }
        }
        Ok(())
    }

    fn whole(&mut self, plain: impl Read, place: &str) -> anyhow::Result<()> {
        let mut text = Vec::new();
        plain.take(self.limit as u64 + 1).read_to_end(&mut text)?;
        if text.len() > self.limit {
            bail!("the document has more than {} bytes; see body_bytes_max", self.limit);
        }
        self.give(text, place.to_owned());
        Ok(())
    }

    fn lines(&mut self, mut plain: impl BufRead, place: &str) -> anyhow::Result<()> {
        let mut number = 0u64;
        while *self.go_on {
            let mut text = Vec::new();
            if !line(&mut plain, self.limit, &mut text)
                .with_context(|| format!("line {}", number + 1))?
            {
                return Ok(());
            }
            number += 1;
            self.give(text, format!("{place}:{number}"));
        }
        Ok(())
    }

    /// Standard input has no name to tell what it is: a first line that is a document says NDJSON.
    fn lines_or_whole(&mut self, mut plain: impl BufRead, place: &str) -> anyhow::Result<()> {
        let mut first = Vec::new();
        line(&mut plain, self.limit, &mut first)?;
        let limits = base::Limits { json_bytes: self.limit, ..base::Limits::default() };
        if fhir::Document::parse(first.clone(), &limits).is_ok() {
            self.give(first, format!("{place}:1"));
            let mut number = 1u64;
            while *self.go_on {
                let mut text = Vec::new();
                if !line(&mut plain, self.limit, &mut text)? {
                    break;
                }
                number += 1;
                self.give(text, format!("{place}:{number}"));
            }
            return Ok(());
        }
        self.whole(io::Cursor::new(first).chain(plain), place)
    }

    fn give(&mut self, text: Vec<u8>, place: String) {
        if text.iter().all(u8::is_ascii_whitespace) {
            return;
        }
        let (file, ordinal) = (Arc::clone(&self.key), self.ordinal);
        self.ordinal += 1;
        *self.go_on = (self.sink)(Item { file, ordinal, place, text });
    }
}

/// Reads a line without its end; `false` at the end of the stream.
fn line(plain: &mut impl BufRead, limit: usize, text: &mut Vec<u8>) -> anyhow::Result<bool> {
    let read = plain.by_ref().take(limit as u64 + 1).read_until(b'\n', text)?;
    if text.last() == Some(&b'\n') {
        text.pop();
    } else if text.len() > limit {
        return Err(anyhow!("the line has more than {limit} bytes; see body_bytes_max"));
    }
    Ok(read > 0)
}

fn unpacked<'r>(
    reader: impl BufRead + 'r,
    packing: Packing,
) -> anyhow::Result<Box<dyn BufRead + 'r>> {
    Ok(match packing {
        Packing::Plain => Box::new(reader),
        Packing::Gzip => {
            let decoder = flate2::bufread::MultiGzDecoder::new(reader);
            Box::new(BufReader::with_capacity(BUFFER_BYTES, decoder))
        }
        Packing::Zstd => {
            let decoder = zstd::stream::read::Decoder::with_buffer(reader)?;
            Box::new(BufReader::with_capacity(BUFFER_BYTES, decoder))
        }
    })
}

/// What a file is, by its name; `None` for what is not read.
fn kind(path: &Path) -> Option<(Format, Packing)> {
    let name = path.file_name()?.to_str()?.to_ascii_lowercase();
    // Some systems leave such files beside every file of an archive.
    if name.starts_with("._") {
        return None;
    }
    let (stem, packing) = if let Some(stem) = name.strip_suffix(".gz") {
        (stem.to_owned(), Packing::Gzip)
    } else if let Some(stem) = name.strip_suffix(".tgz") {
        (format!("{stem}.tar"), Packing::Gzip)
    } else if let Some(stem) = name.strip_suffix(".zst") {
        (stem.to_owned(), Packing::Zstd)
    } else {
        (name, Packing::Plain)
    };
    let format = match stem.rsplit_once('.')?.1 {
        "json" => Format::Json,
        "ndjson" | "jsonl" => Format::Lines,
        "tar" => Format::Tar,
        _ => return None,
    };
    Some((format, packing))
}

struct Counted<'c, R> {
    inner: R,
    seen: &'c AtomicU64,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.seen.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_what_a_file_is() {
        let told = |name: &str| kind(Path::new(name));
        assert_eq!(told("a/b.json"), Some((Format::Json, Packing::Plain)));
        assert_eq!(told("B.NDJSON.GZ"), Some((Format::Lines, Packing::Gzip)));
        assert_eq!(told("c.tar.zst"), Some((Format::Tar, Packing::Zstd)));
        assert_eq!(told("c.tgz"), Some((Format::Tar, Packing::Gzip)));
        assert_eq!(told("._c.json"), None);
        assert_eq!(told("readme.md"), None);
        assert_eq!(told("json"), None);
    }

    #[test]
    fn lines_are_bounded() {
        let mut text = Vec::new();
        assert!(line(&mut &b"abc\ndef"[..], 3, &mut text).unwrap());
        assert_eq!(text, b"abc");
        assert!(line(&mut &b"abcd"[..], 3, &mut Vec::new()).is_err());
        assert!(!line(&mut &b""[..], 3, &mut Vec::new()).unwrap());
    }
}
