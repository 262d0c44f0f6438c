//! A signature drawn on a screen (15 USC 7006(5), an electronic signature; 42 CFR 2.31(a)(8)): the strokes of
//! a pen, bounded, from which the picture is made here. No picture is taken from a browser, so none
//! can hold anything but lines.

use std::fmt::Write as _;

/// The width of the pad, in its own units.
pub const WIDTH: u16 = 600;
/// The height of the pad.
pub const HEIGHT: u16 = 180;
/// Strokes of a signature.
pub const STROKES_MAX: usize = 100;
/// Points of a signature, in all strokes: the script keeps no more.
pub const POINTS_MAX: usize = 2_000;
/// How long the lines of a signature are together, at least: a touch by accident is none.
const LENGTH_MIN: u32 = 60;

/// The strokes of a pen, each the points it went through.
#[derive(Clone, PartialEq, Eq)]
pub struct Signature(Vec<Vec<(u16, u16)>>);

/// It is somebody's hand.
impl std::fmt::Debug for Signature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signature(‹phi›)")
    }
}

impl Signature {
    /// Reads what the pad sends: `x,y x,y;x,y x,y`, strokes by semicolons. None for anything else, for
    /// points outside the pad, for too many, and for too little to be a signature.
    pub fn read(text: &str) -> Option<Self> {
        // What is far too long is not looked at; `599,179 ` is the longest point.
        if text.len() > POINTS_MAX * 8 {
            return None;
        }
        let strokes: Vec<Vec<(u16, u16)>> = text.split(';').map(stroke).collect::<Option<_>>()?;
        Self::bounded(strokes)
    }

    /// As a picture (<https://www.w3.org/TR/SVG2/>), of lines alone.
    pub fn svg(&self) -> String {
        let mut out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" fill=\"none\" stroke=\"#000\" stroke-width=\"3\">"
        );
        for path in self.paths() {
            let _ = write!(out, "<path d=\"{path}\"/>");
        }
        out.push_str("</svg>");
        out
    }

    /// Reads a picture that [`Signature::svg`] made, and no other: what stands in a record may have come
    /// from elsewhere.
    pub fn of_svg(svg: &str) -> Option<Self> {
        let strokes: Vec<Vec<(u16, u16)>> = svg
            .split("<path d=\"M")
            .skip(1)
            .map(|part| stroke_by(part.split('"').next()?, 'L', ' '))
            .collect::<Option<_>>()?;
        Self::bounded(strokes).filter(|one| one.svg() == svg)
    }

    /// The lines, each as the data of a path.
    pub fn paths(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|stroke| {
            let mut out = String::new();
            for (at, (x, y)) in stroke.iter().enumerate() {
                let _ = write!(out, "{}{x} {y}", if at == 0 { 'M' } else { 'L' });
            }
            out
        })
    }

    fn bounded(strokes: Vec<Vec<(u16, u16)>>) -> Option<Self> {
        let points: usize = strokes.iter().map(Vec::len).sum();
        let fits = strokes.len() <= STROKES_MAX
            && points <= POINTS_MAX
            && strokes.iter().flatten().all(|(x, y)| *x < WIDTH && *y < HEIGHT);
        let length: u32 = strokes.iter().flat_map(|stroke| stroke.windows(2)).map(length).sum();
        (fits && length >= LENGTH_MIN).then_some(Self(strokes))
    }
}

fn stroke(text: &str) -> Option<Vec<(u16, u16)>> {
    stroke_by(text, ' ', ',')
}

fn stroke_by(text: &str, between: char, within: char) -> Option<Vec<(u16, u16)>> {
    let number = |text: &str| {
        let plain = (1..=3).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        plain.then(|| text.parse::<u16>().ok()).flatten()
    };
    let point = |part: &str| {
        let (x, y) = part.split_once(within)?;
        Some((number(x)?, number(y)?))
    };
    text.split(between).map(point).collect()
}

fn length(two: &[(u16, u16)]) -> u32 {
    match two {
        [(x0, y0), (x1, y1)] => u32::from(x0.abs_diff(*x1)) + u32::from(y0.abs_diff(*y1)),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_signature_is_lines_within_the_pad() {
        let signed = Signature::read("10,20 40,60 90,20;100,100 140,120").expect("a signature");
        assert!(signed.svg().contains("<path d=\"M10 20L40 60L90 20\"/>"), "{}", signed.svg());
        assert_eq!(Signature::of_svg(&signed.svg()), Some(signed));
        for none in [
            "",
            "10,20",
            "10,20 12,20",
            "10,20 600,20",
            "10,20 90,180",
            "-1,0 90,90",
            "10.5,2 90,90",
            "1,1 99,99\"/><script>",
            "0001,1 90,90",
        ] {
            assert_eq!(Signature::read(none), None, "{none}");
        }
        let long = ["10,20"; POINTS_MAX + 1].join(" ");
        assert_eq!(Signature::read(&long), None);
        assert_eq!(Signature::read(&["1,1 9,9"; STROKES_MAX + 1].join(";")), None);
    }

    #[test]
    fn a_picture_from_elsewhere_is_none() {
        let own = Signature::read("10,20 90,60").expect("a signature").svg();
        assert_eq!(Signature::of_svg(&own.replace("<svg", "<svg onload=\"x()\"")), None);
        assert_eq!(Signature::of_svg(&own.replace("</svg>", "<script/></svg>")), None);
    }

    proptest! {
        #[test]
        fn any_text_is_a_signature_or_none(text in "[0-9,; MLx\"<>]{0,80}", any in "\\PC{0,80}") {
            for text in [&text, &any] {
                if let Some(signed) = Signature::read(text) {
                    prop_assert_eq!(Signature::of_svg(&signed.svg()), Some(signed));
                }
                let _ = Signature::of_svg(text);
            }
        }

        #[test]
        fn what_is_drawn_is_kept(strokes in proptest::collection::vec(proptest::collection::vec((0..WIDTH, 0..HEIGHT), 1..30), 1..20)) {
            let text = strokes.iter().map(|one| one.iter().map(|(x, y)| format!("{x},{y}")).collect::<Vec<_>>().join(" ")).collect::<Vec<_>>().join(";");
            let long = strokes.iter().flat_map(|one| one.windows(2)).map(length).sum::<u32>() >= LENGTH_MIN;
            let read = Signature::read(&text);
            prop_assert_eq!(read.is_some(), long);
            if let Some(signed) = read {
                prop_assert_eq!(signed.paths().count(), strokes.len());
            }
        }
    }
}
