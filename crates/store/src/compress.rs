//! Bodies, compressed with zstd and dictionaries trained on the site's own records, one line of
//! dictionaries per type. A dictionary is never changed, only followed by a better one; every body
//! names the one it was written with.

use base::Fault;
use base::error::code;
use parking_lot::RwLock;
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;
use zstd::bulk::{Compressor, Decompressor};
use zstd::dict::{DecoderDictionary, EncoderDictionary};

/// Bodies below this many bytes are stored as they are.
const RAW_BELOW: usize = 64;
const LEVEL: i32 = 3;
/// The dictionary number of a body stored without compression.
pub const RAW: u32 = 0;
/// The dictionary number of a body compressed without a dictionary.
pub const PLAIN: u32 = 1;
/// Dictionaries trained here are numbered from this on.
pub const FIRST: u32 = 2;

/// Dictionaries live as long as the program: every thread's context may refer to any of them, and
/// there are a few dozen at most.
struct Dictionary {
    number: u32,
    encoder: &'static EncoderDictionary<'static>,
    decoder: &'static DecoderDictionary<'static>,
}

/// The dictionaries in use.
#[derive(Default)]
pub struct Dictionaries {
    inner: RwLock<Inner>,
}

#[derive(Default)]
struct Inner {
    by_number: HashMap<u32, Arc<Dictionary>>,
    /// The newest of each type, by the store's type number.
    newest: HashMap<u16, Arc<Dictionary>>,
}

impl std::fmt::Debug for Dictionaries {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Dictionaries({})", self.inner.read().by_number.len())
    }
}

// Making a context costs more than compressing a resource, so each thread keeps four.
thread_local! {
    static PLAIN_COMPRESSOR: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
    static PLAIN_DECOMPRESSOR: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
    static COMPRESSOR: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
    static DECOMPRESSOR: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

fn compress_plain(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    PLAIN_COMPRESSOR.with_borrow_mut(|slot| match slot {
        Some(context) => context.compress(bytes),
        None => slot.insert(Compressor::new(LEVEL)?).compress(bytes),
    })
}

fn compress_with(
    encoder: &'static EncoderDictionary<'static>,
    bytes: &[u8],
) -> std::io::Result<Vec<u8>> {
    COMPRESSOR.with_borrow_mut(|slot| match slot {
        Some(context) => {
            context.set_prepared_dictionary(encoder)?;
            context.compress(bytes)
        }
        None => slot.insert(Compressor::with_prepared_dictionary(encoder)?).compress(bytes),
    })
}

fn decompress_plain(bytes: &[u8], size: usize) -> std::io::Result<Vec<u8>> {
    PLAIN_DECOMPRESSOR.with_borrow_mut(|slot| match slot {
        Some(context) => context.decompress(bytes, size),
        None => slot.insert(Decompressor::new()?).decompress(bytes, size),
    })
}

fn decompress_with(
    decoder: &'static DecoderDictionary<'static>,
    bytes: &[u8],
    size: usize,
) -> std::io::Result<Vec<u8>> {
    DECOMPRESSOR.with_borrow_mut(|slot| match slot {
        Some(context) => {
            context.set_prepared_dictionary(decoder)?;
            context.decompress(bytes, size)
        }
        None => {
            slot.insert(Decompressor::with_prepared_dictionary(decoder)?).decompress(bytes, size)
        }
    })
}

impl Dictionaries {
    /// Adds a dictionary and makes it the newest of its type.
    pub fn add(&self, number: u32, resource_type: u16, bytes: &[u8]) {
        let dictionary = Arc::new(Dictionary {
            number,
            encoder: Box::leak(Box::new(EncoderDictionary::copy(bytes, LEVEL))),
            decoder: Box::leak(Box::new(DecoderDictionary::copy(bytes))),
        });
        let mut inner = self.inner.write();
        inner.by_number.insert(number, Arc::clone(&dictionary));
        let newest = inner.newest.entry(resource_type).or_insert_with(|| Arc::clone(&dictionary));
        if newest.number < number {
            *newest = dictionary;
        }
    }

    /// Whether the type has a dictionary.
    pub fn has(&self, resource_type: u16) -> bool {
        self.inner.read().newest.contains_key(&resource_type)
    }

    /// Compresses with the newest dictionary of the type. Answers the dictionary's number.
    pub fn compress(&self, resource_type: u16, bytes: &[u8]) -> Result<(u32, Vec<u8>), Fault> {
        if bytes.len() < RAW_BELOW {
            return Ok((RAW, bytes.to_vec()));
        }
        let dictionary = self.inner.read().newest.get(&resource_type).cloned();
        let out = match &dictionary {
            Some(d) => compress_with(d.encoder, bytes),
            None => compress_plain(bytes),
        }
        .map_err(|e| Fault::new(&code::STORE_UNAVAILABLE, format!("compressing a body: {e}")))?;
        if out.len() >= bytes.len() {
            return Ok((RAW, bytes.to_vec()));
        }
        Ok((dictionary.map_or(PLAIN, |d| d.number), out))
    }

    /// Undoes [`Dictionaries::compress`]. `size` is the size before compression.
    pub fn decompress(&self, number: u32, bytes: &[u8], size: usize) -> Result<Vec<u8>, Fault> {
        let corrupt = |e: std::io::Error| {
            Fault::new(&code::STORE_CORRUPT, format!("a stored body does not decompress: {e}"))
        };
        match number {
            RAW => Ok(bytes.to_vec()),
            PLAIN => decompress_plain(bytes, size).map_err(corrupt),
            number => {
                let Some(dictionary) = self.inner.read().by_number.get(&number).cloned() else {
                    return Err(Fault::new(
                        &code::STORE_CORRUPT,
                        format!("a stored body names dictionary {number}, which is missing"),
                    ));
                };
                decompress_with(dictionary.decoder, bytes, size).map_err(corrupt)
            }
        }
    }
}

/// Trains a dictionary on samples; `None` when they are too few or too alike to be worth one.
pub fn train(samples: &[Vec<u8>], size_max: usize) -> Option<Vec<u8>> {
    zstd::dict::from_samples(samples, size_max).ok().filter(|d| d.len() >= 256)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_comes_back_whatever_it_was_written_with() {
        let dictionaries = Dictionaries::default();
        let body = |n: usize| {
            format!("\"status\":\"final\",\"code\":{{\"text\":\"Body height\"}},\"value\":{n},\"x\":\"{}\"", n * 7919)
                .into_bytes()
        };
        let plain = dictionaries.compress(3, &body(1)).unwrap();
        let samples: Vec<_> = (0..2000).map(body).collect();
        dictionaries.add(FIRST, 3, &train(&samples, 8192).unwrap());
        let with = dictionaries.compress(3, &body(99_999)).unwrap();
        assert_eq!(with.0, FIRST);
        assert!(with.1.len() < plain.1.len());
        assert_eq!(dictionaries.decompress(plain.0, &plain.1, body(1).len()).unwrap(), body(1));
        let back = dictionaries.decompress(with.0, &with.1, body(99_999).len()).unwrap();
        assert_eq!(back, body(99_999));
        assert!(dictionaries.decompress(77, &with.1, 10).is_err());
    }
}
