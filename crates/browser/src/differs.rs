//! How two pictures of one page differ, as somebody who looks at them would say. The edges of letters come
//! out otherwise on another machine and in another release of a browser; what is compared is therefore the
//! mean colour of small cells, in which such an edge is lost and a button that moved is not.

use crate::picture::Picture;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use std::io::Write;

/// Pixels of a side of a cell: the thickness of a stroke and its soft edges.
const CELL: usize = 4;
/// By how much the mean of a channel may differ within a cell, out of 255.
const CHANNEL_MAX: u32 = 20;
/// A cell that differs, in the picture that shows where.
const MARK: [u8; 3] = [214, 0, 110];

/// How two pictures of one page differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Difference {
    /// Cells of four by four pixels that one has and the other has not, or that are of another colour.
    pub cells: usize,
    /// The rectangle around them in pixels: left, top, right, bottom.
    pub around: [usize; 4],
}

impl Picture {
    /// How it differs from another; none where nobody would see a difference.
    pub fn against(&self, other: &Self) -> Option<Difference> {
        let mut found: Option<Difference> = None;
        for (x, y) in self.cells_unlike(other) {
            let (right, bottom) = (x + CELL - 1, y + CELL - 1);
            let known = found.get_or_insert(Difference { cells: 0, around: [x, y, right, bottom] });
            let [left, top, far, low] = known.around;
            known.around = [left.min(x), top.min(y), far.max(right), low.max(bottom)];
            known.cells += 1;
        }
        found
    }

    /// This picture, faint, with what differs from another marked: a PNG.
    pub fn marked(&self, other: &Self) -> anyhow::Result<Vec<u8>> {
        let width = self.width.max(other.width);
        let height = self.height.max(other.height);
        let mut out = vec![[255; 3]; width * height];
        for (y, row) in out.chunks_exact_mut(width).enumerate() {
            for (x, pixel) in row.iter_mut().enumerate() {
                *pixel = self.at(x, y).unwrap_or([255; 3]).map(|channel| 170 + channel / 3);
            }
        }
        for (left, top) in self.cells_unlike(other) {
            for y in top..(top + CELL).min(height) {
                for x in left..(left + CELL).min(width) {
                    if let Some(pixel) = out.get_mut(y * width + x) {
                        *pixel = MARK;
                    }
                }
            }
        }
        png(width, height, &out)
    }

    /// The left upper corners of the cells that differ.
    fn cells_unlike<'p>(&'p self, other: &'p Self) -> impl Iterator<Item = (usize, usize)> + 'p {
        let (width, height) = (self.width.max(other.width), self.height.max(other.height));
        let corners = (0..height)
            .step_by(CELL)
            .flat_map(move |y| (0..width).step_by(CELL).map(move |x| (x, y)));
        corners.filter(move |&(x, y)| match (self.mean(x, y), other.mean(x, y)) {
            (Some(a), Some(b)) => a.iter().zip(b).any(|(a, b)| a.abs_diff(b) > CHANNEL_MAX),
            _ => true,
        })
    }

    /// The mean colour of a cell; none where the picture has none.
    fn mean(&self, left: usize, top: usize) -> Option<[u32; 3]> {
        let (mut sum, mut count) = ([0_u32; 3], 0_u32);
        for y in top..top + CELL {
            for pixel in (left..left + CELL).filter_map(|x| self.at(x, y)) {
                for (sum, channel) in sum.iter_mut().zip(pixel) {
                    *sum += u32::from(channel);
                }
                count += 1;
            }
        }
        (count > 0).then(|| sum.map(|sum| sum / count))
    }
}

/// A PNG of these colours, row after row.
fn png(width: usize, height: usize, pixels: &[[u8; 3]]) -> anyhow::Result<Vec<u8>> {
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::default());
    for row in pixels.chunks_exact(width.max(1)) {
        packed.write_all(&[0])?;
        packed.write_all(row.as_flattened())?;
    }
    let mut head =
        [u32::try_from(width)?.to_be_bytes(), u32::try_from(height)?.to_be_bytes()].concat();
    head.extend([8, 2, 0, 0, 0]);
    let mut out = b"\x89PNG\r\n\x1a\n".to_vec();
    for (kind, body) in [(b"IHDR", head), (b"IDAT", packed.finish()?), (b"IEND", Vec::new())] {
        let mut sum = flate2::Crc::new();
        sum.update(kind);
        sum.update(&body);
        out.extend(u32::try_from(body.len())?.to_be_bytes());
        out.extend(kind);
        out.extend(&body);
        out.extend(sum.sum().to_be_bytes());
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A white page with a black bar, which begins at `left`.
    fn page(left: usize) -> Picture {
        let mut pixels = vec![[255; 3]; 64 * 32];
        for y in 8..16 {
            for x in left..left + 20 {
                pixels[y * 64 + x] = [0; 3];
            }
        }
        Picture::of(64, 32, pixels)
    }

    #[test]
    fn what_moved_is_seen_and_said_where() {
        assert_eq!(page(8).against(&page(8)), None);
        let found = page(8).against(&page(16)).expect("it moved");
        assert_eq!((found.cells, found.around), (8, [8, 8, 35, 15]));
    }

    #[test]
    fn a_softer_edge_is_not_seen() {
        let mut soft = page(8);
        for y in 8..16 {
            soft.set(7, y, [190; 3]);
        }
        assert_eq!(page(8).against(&soft), None, "an edge of a letter");
    }

    #[test]
    fn a_page_that_grew_differs_where_it_grew() {
        let longer = Picture::of(64, 36, vec![[255; 3]; 64 * 36]);
        let found = Picture::of(64, 32, vec![[255; 3]; 64 * 32]).against(&longer).expect("a row");
        assert_eq!((found.cells, found.around), (16, [0, 32, 63, 35]));
    }

    #[test]
    fn the_marked_picture_can_be_read_and_shows_the_mark_alone() {
        let marked = Picture::read(&page(8).marked(&page(16)).expect("a PNG")).expect("read");
        assert_eq!(marked.at(9, 9), Some(MARK));
        assert_eq!(marked.at(40, 20), Some([255; 3]));
        assert_eq!(marked.at(20, 9), Some([170; 3]), "what is in both is faint");
    }

    proptest! {
        #[test]
        fn any_two_pictures_are_compared(
            (aw, ah, bw, bh) in (1_usize..20, 1_usize..20, 1_usize..20, 1_usize..20),
            (a, b) in (any::<[u8; 3]>(), any::<[u8; 3]>()),
        ) {
            let a = Picture::of(aw, ah, vec![a; aw * ah]);
            let b = Picture::of(bw, bh, vec![b; bw * bh]);
            prop_assert_eq!(a.against(&b).is_some(), b.against(&a).is_some());
            let marked = Picture::read(&a.marked(&b).expect("a PNG")).expect("read");
            prop_assert_eq!((marked.width, marked.height), (aw.max(bw), ah.max(bh)));
        }
    }
}
