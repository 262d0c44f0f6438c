//! Pictures of a page. PNG ([RFC 2083](https://www.rfc-editor.org/rfc/rfc2083))
//! is read as far as a browser writes it: eight bits, colour with or without alpha, not interlaced.

use crate::page::Page;
use anyhow::{Context, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::read::ZlibDecoder;
use serde_json::{Value, json};
use std::io::Read;

const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";
/// Width and height of what is read: a page of many screens, not a bomb.
const EDGE_MAX: usize = 30_000;
const PIXELS_MAX: usize = 100_000_000;

/// Of a WebP, out of 100: letters stay sharp.
const WEBP_QUALITY: u32 = 80;
/// Draws a WebP and gives it back as a PNG.
const READ: &str = "(async () => {
  const picture = new Image();
  picture.src = 'data:image/webp;base64,DATA';
  await picture.decode();
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [picture.naturalWidth, picture.naturalHeight];
  canvas.getContext('2d').drawImage(picture, 0, 0);
  return canvas.toDataURL('image/png');
})()";

/// A picture, as red, green and blue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// In pixels.
    pub width: usize,
    /// In pixels.
    pub height: usize,
    pixels: Vec<[u8; 3]>,
}

impl Picture {
    /// Reads a PNG.
    ///
    /// # Errors
    /// What is no PNG, breaks off, or is of a kind that browsers do not write.
    pub fn read(png: &[u8]) -> anyhow::Result<Self> {
        let mut rest = png.strip_prefix(SIGNATURE).context("no PNG")?;
        let (mut head, mut data) = (None, Vec::new());
        while let Some((length, after)) = rest.split_first_chunk::<4>() {
            let length = usize::try_from(u32::from_be_bytes(*length))?;
            let (kind, after) = after.split_first_chunk::<4>().context("a chunk breaks off")?;
            let (body, after) = after.split_at_checked(length).context("a chunk breaks off")?;
            match kind {
                b"IHDR" => head = Some(Head::read(body)?),
                b"IDAT" => data.extend_from_slice(body),
                b"IEND" => break,
                _ => {}
            }
            rest = after.get(4..).context("a chunk without its sum")?;
        }
        let head = head.context("no head")?;
        let size = (head.width * head.depth + 1) * head.height;
        let mut raw = Vec::new();
        ZlibDecoder::new(data.as_slice()).take(size as u64 + 1).read_to_end(&mut raw)?;
        if raw.len() != size {
            bail!("{} bytes of pixels, where {size} belong", raw.len());
        }
        let mut pixels = Vec::with_capacity(head.width * head.height);
        let mut above = vec![0; head.width * head.depth];
        for row in raw.chunks_exact(head.width * head.depth + 1) {
            let (filter, bytes) = row.split_first().context("an empty row")?;
            let mut line = bytes.to_vec();
            unfilter(*filter, &mut line, &above, head.depth)?;
            pixels.extend(
                line.chunks_exact(head.depth).filter_map(|pixel| pixel.first_chunk::<3>().copied()),
            );
            above = line;
        }
        Ok(Self { width: head.width, height: head.height, pixels })
    }

    /// The colour at a place.
    pub fn at(&self, x: usize, y: usize) -> Option<[u8; 3]> {
        let there = x < self.width;
        self.pixels.get(y * self.width + x).filter(|_| there).copied()
    }
}

#[cfg(test)]
impl Picture {
    /// A picture that is made up.
    pub(crate) fn of(width: usize, height: usize, pixels: Vec<[u8; 3]>) -> Self {
        Self { width, height, pixels }
    }

    pub(crate) fn set(&mut self, x: usize, y: usize, colour: [u8; 3]) {
        self.pixels[y * self.width + x] = colour;
    }
}

struct Head {
    width: usize,
    height: usize,
    /// Bytes of a pixel.
    depth: usize,
}

impl Head {
    fn read(body: &[u8]) -> anyhow::Result<Self> {
        let [w0, w1, w2, w3, h0, h1, h2, h3, bits, colour, _, _, interlaced] = *body else {
            bail!("a head of {} bytes", body.len());
        };
        let width = usize::try_from(u32::from_be_bytes([w0, w1, w2, w3]))?;
        let height = usize::try_from(u32::from_be_bytes([h0, h1, h2, h3]))?;
        let depth = match (bits, colour, interlaced) {
            (8, 2, 0) => 3,
            (8, 6, 0) => 4,
            other => bail!("bits, colour and interlacing are {other:?}"),
        };
        let fits = (1..=EDGE_MAX).contains(&width) && (1..=EDGE_MAX).contains(&height);
        if !fits || width * height > PIXELS_MAX {
            bail!("{width} by {height} pixels");
        }
        Ok(Self { width, height, depth })
    }
}

/// Takes a row's filter away (RFC 2083, section 6).
fn unfilter(filter: u8, line: &mut [u8], above: &[u8], depth: usize) -> anyhow::Result<()> {
    let mut left: Vec<u8> = vec![0; depth];
    let mut corner: Vec<u8> = vec![0; depth];
    for (pixel, above) in line.chunks_exact_mut(depth).zip(above.chunks_exact(depth)) {
        for (((byte, a), b), c) in pixel.iter_mut().zip(&left).zip(above).zip(&corner) {
            let guess = match filter {
                0 => 0,
                1 => *a,
                2 => *b,
                3 => a.midpoint(*b),
                4 => paeth(*a, *b, *c),
                other => bail!("a filter {other}"),
            };
            *byte = byte.wrapping_add(guess);
        }
        left.copy_from_slice(pixel);
        corner.copy_from_slice(above);
    }
    Ok(())
}

fn paeth(a: u8, b: u8, c: u8) -> u8 {
    let (wide_a, wide_b, wide_c) = (i16::from(a), i16::from(b), i16::from(c));
    let guess = wide_a + wide_b - wide_c;
    let far = |from: i16| (guess - from).abs();
    if far(wide_a) <= far(wide_b) && far(wide_a) <= far(wide_c) {
        a
    } else if far(wide_b) <= far(wide_c) {
        b
    } else {
        c
    }
}

/// Pixels of a side of a picture of a page.
const SIDE_MAX: f64 = 8_000.0;

impl Page {
    /// A picture of the whole page, as long as it is.
    pub fn png(&self) -> anyhow::Result<Vec<u8>> {
        self.taken(&json!({ "format": "png" }), SIDE_MAX)
    }

    /// A picture of the page down to `height_max` pixels, as small as it can be kept
    /// ([WebP](https://www.rfc-editor.org/rfc/rfc9649)).
    pub fn webp(&self, height_max: u32) -> anyhow::Result<Vec<u8>> {
        self.taken(&json!({ "format": "webp", "quality": WEBP_QUALITY }), f64::from(height_max))
    }

    fn taken(&self, how: &Value, height_max: f64) -> anyhow::Result<Vec<u8>> {
        // What is longer is more than a browser paints at once.
        let size = self.call("Page.getLayoutMetrics", json!({}))?;
        let of = |name: &str| size.pointer(name).and_then(Value::as_f64).unwrap_or(1.0);
        let (width, height) = (of("/cssContentSize/width"), of("/cssContentSize/height"));
        let clip = json!({
            "x": 0, "y": 0, "width": width.min(SIDE_MAX), "height": height.min(height_max), "scale": 1,
        });
        let mut ask = how.clone();
        if let Some(ask) = ask.as_object_mut() {
            ask.insert("captureBeyondViewport".to_owned(), true.into());
            ask.insert("clip".to_owned(), clip);
        }
        bytes(&self.call("Page.captureScreenshot", ask)?)
    }

    /// Reads a WebP as this browser reads it, on a page that shows nothing else.
    pub fn read_webp(&self, webp: &[u8]) -> anyhow::Result<Picture> {
        let told = self.js(&READ.replace("DATA", &STANDARD.encode(webp)))?;
        let data = told.as_str().and_then(|url| url.split_once(',')).context("no picture")?.1;
        Picture::read(&STANDARD.decode(data)?)
    }

    /// The page on paper (letter, as the page's own rules say): a PDF.
    pub fn pdf(&self) -> anyhow::Result<Vec<u8>> {
        let ask = json!({ "preferCSSPageSize": true, "printBackground": true });
        bytes(&self.call("Page.printToPDF", ask)?)
    }
}

fn bytes(answer: &Value) -> anyhow::Result<Vec<u8>> {
    let data = answer.get("data").and_then(Value::as_str).context("no picture")?;
    Ok(STANDARD.decode(data)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::ZlibEncoder;
    use proptest::prelude::*;
    use std::io::Write;

    /// A PNG of these rows, each with its filter in front.
    fn png(width: u32, height: u32, colour: u8, rows: &[u8]) -> Vec<u8> {
        let mut out = SIGNATURE.to_vec();
        let mut chunk = |kind: &[u8], body: &[u8]| {
            out.extend(u32::try_from(body.len()).expect("short").to_be_bytes());
            out.extend(kind);
            out.extend(body);
            out.extend([0; 4]);
        };
        let mut head = [width.to_be_bytes(), height.to_be_bytes()].concat();
        head.extend([8, colour, 0, 0, 0]);
        chunk(b"IHDR", &head);
        let mut packed = ZlibEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(rows).expect("memory");
        chunk(b"IDAT", &packed.finish().expect("memory"));
        chunk(b"IEND", &[]);
        out
    }

    #[test]
    fn every_filter_gives_the_same_picture() {
        // Two pixels by two: 10 20 30, 40 50 60 over 70 80 90, 15 25 35.
        let first = [0, 10, 20, 30, 40, 50, 60];
        let seconds: [[u8; 7]; 4] = [
            [0, 70, 80, 90, 15, 25, 35],
            [1, 70, 80, 90, 201, 201, 201],
            [2, 60, 60, 60, 231, 231, 231],
            [3, 65, 70, 75, 216, 216, 216],
        ];
        let plain = Picture::read(&png(2, 2, 2, &[first, seconds[0]].concat())).expect("a picture");
        assert_eq!(plain.at(1, 1), Some([15, 25, 35]));
        assert_eq!(plain.at(2, 0), None, "a row does not run into the next");
        for second in seconds {
            let again = Picture::read(&png(2, 2, 2, &[first, second].concat()));
            assert_eq!(again.expect("a picture"), plain, "filter {}", second[0]);
        }
        // The fourth: left 70, above 40, corner 10 leads to 70 by a guess of 100.
        let fourth = [4, 60, 60, 60, 201, 201, 201];
        let again = Picture::read(&png(2, 2, 2, &[first, fourth].concat()));
        assert_eq!(again.expect("a picture"), plain);
    }

    proptest! {
        #[test]
        fn nothing_that_is_called_a_picture_breaks_it(
            bytes in prop::collection::vec(any::<u8>(), 0..200),
            cut in 0_usize..120,
        ) {
            let mut all = SIGNATURE.to_vec();
            all.extend(&bytes);
            let _ = Picture::read(&all);
            let whole = png(2, 1, 6, &[0, 1, 2, 3, 4, 5, 6, 7, 8]);
            prop_assert!(Picture::read(&whole).is_ok());
            // The sums and the end are no part of what is needed.
            if let Some(part) = whole.get(..whole.len().saturating_sub(20 + cut)) {
                prop_assert!(Picture::read(part).is_err());
            }
        }
    }
}
