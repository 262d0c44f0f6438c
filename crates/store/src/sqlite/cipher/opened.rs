//! Pages of a sealed database that were opened, kept for whoever asks for them next: what the operating
//! system does with the pages of a plain one. All connections to a database share them.
//!
//! A page has one place, by its number, so that finding it is no search, and a database that is smaller
//! than the cache is in it whole. Memory is taken as pages come. Whoever reads a page from the disk, or
//! writes it there, holds its place meanwhile: what is kept is what the disk has.

use super::PAGE;
use parking_lot::RwLock;
use std::sync::OnceLock;

/// Places made together: few enough that a small store does not pay for a large cache.
const ROW: usize = 256;

/// A page, with the number it has.
type Page = (u64, Box<[u8; PAGE]>);
type Row = Box<[RwLock<Option<Page>>]>;

/// The pages that are kept.
pub(super) struct Opened {
    rows: Box<[OnceLock<Row>]>,
}

impl Opened {
    /// Keeps so many bytes of pages, at most; none when they would not make a row.
    pub(super) fn new(bytes: u64) -> Self {
        let rows = usize::try_from(bytes).unwrap_or(usize::MAX) / (PAGE * ROW);
        Self { rows: std::iter::repeat_with(OnceLock::new).take(rows).collect() }
    }

    /// Puts a page into `out`: from memory, or by `load`, which says whether there was a whole page.
    pub(super) fn read<E>(
        &self,
        number: u64,
        out: &mut [u8],
        load: impl FnOnce(&mut [u8]) -> Result<bool, E>,
    ) -> Result<bool, E> {
        let Some(place) = self.place(number) else { return load(out) };
        if copied(place.read().as_ref(), number, out) {
            return Ok(true);
        }
        let mut held = place.write();
        // Another may have brought it while this one waited.
        if copied(held.as_ref(), number, out) {
            return Ok(true);
        }
        if !load(out)? {
            return Ok(false);
        }
        if let Ok(page) = <&[u8; PAGE]>::try_from(&*out) {
            match held.as_mut() {
                Some((of, kept)) => {
                    *of = number;
                    kept.copy_from_slice(page);
                }
                None => *held = Some((number, Box::new(*page))),
            }
        }
        Ok(true)
    }

    /// Has a page written by `save`, and remembers it so if it was remembered.
    pub(super) fn write<E>(
        &self,
        number: u64,
        bytes: &[u8],
        save: impl FnOnce() -> Result<(), E>,
    ) -> Result<(), E> {
        let Some(place) = self.place(number) else { return save() };
        let mut held = place.write();
        let kept = held.take_if(|(of, _)| *of == number);
        // What a write that failed left on the disk is read from there.
        save()?;
        if let (Some((_, mut page)), Ok(bytes)) = (kept, <&[u8; PAGE]>::try_from(bytes)) {
            page.copy_from_slice(bytes);
            *held = Some((number, page));
        }
        Ok(())
    }

    /// Has the file cut or lengthened to so many whole pages by `cut`, and forgets those that are behind its
    /// end. SQLite says how long the file is after each checkpoint, when it mostly is so already.
    pub(super) fn cut<E>(&self, pages: u64, cut: impl FnOnce() -> Result<(), E>) -> Result<(), E> {
        let done = cut();
        self.forget(|number| number >= pages);
        done
    }

    /// Forgets the pages of these numbers; what they held goes back.
    pub(super) fn forget(&self, which: impl Fn(u64) -> bool) {
        for place in self.rows.iter().filter_map(OnceLock::get).flatten() {
            let is_one = |held: &Option<Page>| held.as_ref().is_some_and(|(of, _)| which(*of));
            // Whoever reads is not held up for a page that stays.
            if is_one(&place.read()) {
                place.write().take_if(|(of, _)| which(*of));
            }
        }
    }

    fn place(&self, number: u64) -> Option<&RwLock<Option<Page>>> {
        let places = (self.rows.len() * ROW) as u64;
        let at = usize::try_from(number.checked_rem(places)?).ok()?;
        let row = self.rows.get(at / ROW)?;
        row.get_or_init(|| std::iter::repeat_with(RwLock::default).take(ROW).collect())
            .get(at % ROW)
    }
}

/// Whether this is the page of that number, which is then in `out`.
fn copied(held: Option<&Page>, number: u64, out: &mut [u8]) -> bool {
    match held {
        Some((of, page)) if *of == number && out.len() == PAGE => {
            out.copy_from_slice(&**page);
            true
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::cell::RefCell;

    fn read(opened: &Opened, disk: &RefCell<Vec<Option<u8>>>, number: u64) -> (Option<u8>, bool) {
        let (mut out, mut asked) = (vec![0; PAGE], false);
        let whole = opened.read(number, &mut out, |out| {
            asked = true;
            let byte = disk.borrow()[usize::try_from(number).unwrap()];
            out.fill(byte.unwrap_or_default());
            Ok::<_, ()>(byte.is_some())
        });
        (whole.unwrap().then(|| out[0]), asked)
    }

    #[test]
    fn a_page_is_read_from_the_disk_once() {
        let opened = Opened::new((PAGE * ROW) as u64);
        let disk = RefCell::new(vec![Some(7); 3]);
        assert_eq!(read(&opened, &disk, 2), (Some(7), true));
        assert_eq!(read(&opened, &disk, 2), (Some(7), false));
    }

    #[test]
    fn a_cut_forgets_what_is_behind_it_and_nothing_else() {
        let opened = Opened::new((PAGE * ROW) as u64);
        let disk = RefCell::new(vec![Some(7); 3]);
        for number in 0..3 {
            assert_eq!(read(&opened, &disk, number), (Some(7), true));
        }
        opened.cut(2, || Ok::<_, ()>(())).unwrap();
        assert_eq!(read(&opened, &disk, 1), (Some(7), false));
        assert_eq!(read(&opened, &disk, 2), (Some(7), true));
        opened.forget(|_| true);
        assert_eq!(read(&opened, &disk, 1), (Some(7), true));
    }

    #[test]
    fn a_cache_of_no_bytes_keeps_nothing() {
        let opened = Opened::new(0);
        let disk = RefCell::new(vec![Some(7)]);
        assert_eq!(read(&opened, &disk, 0), (Some(7), true));
        assert_eq!(read(&opened, &disk, 0), (Some(7), true));
    }

    proptest! {
        /// Whatever is read, written, failed to be written or cut, a read tells what the disk has.
        #[test]
        fn what_is_read_is_what_the_disk_has(
            steps in proptest::collection::vec((0u8..7, 0u64..(3 * ROW as u64), any::<u8>()), 1..200),
        ) {
            let opened = Opened::new((PAGE * ROW) as u64);
            let disk = RefCell::new(vec![None; 3 * ROW]);
            for (what, near, byte) in steps {
                // Few pages, some of which share a place.
                let number = near % 4 + ROW as u64 * (near % 3);
                match what {
                    0 | 1 => {
                        let bytes = vec![byte; PAGE];
                        let saved = opened.write(number, &bytes, || {
                            disk.borrow_mut()[usize::try_from(number).unwrap()] = Some(byte);
                            if what == 0 { Ok(()) } else { Err(()) }
                        });
                        prop_assert_eq!(saved.is_ok(), what == 0);
                    }
                    2 => opened.cut(number, || {
                        let kept = usize::try_from(number).unwrap();
                        disk.borrow_mut().iter_mut().skip(kept).for_each(|page| *page = None);
                        Ok::<_, ()>(())
                    }).unwrap(),
                    3 => opened.forget(|of| of % 2 == number % 2),
                    _ => {
                        let was = disk.borrow()[usize::try_from(number).unwrap()];
                        prop_assert_eq!(read(&opened, &disk, number).0, was);
                    }
                }
            }
        }
    }
}
