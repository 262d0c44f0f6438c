//! A QR code (ISO/IEC 18004) as a picture in the page: drawn on the server, so that it needs no script and no
//! image of its own. It is dark on light in every theme, with the four modules of quiet around it.

use base::Fault;
use base::error::code;
use maud::{Markup, html};
use qrcodegen::{QrCode, QrCodeEcc};
use std::fmt::Write as _;

/// Modules of quiet around it.
const QUIET: i32 = 4;

/// The picture of an address, called `title`.
///
/// # Errors
/// For a text that is longer than a code holds.
pub(crate) fn qr(text: &str, title: &str) -> Result<Markup, Fault> {
    let long = |_| Fault::new(&code::INTERNAL, "the text is longer than a code holds");
    let drawn = QrCode::encode_text(text, QrCodeEcc::Medium).map_err(long)?;
    let size = drawn.size();
    let mut path = String::new();
    for y in 0..size {
        for x in (0..size).filter(|x| drawn.get_module(*x, y)) {
            // To a string nothing fails.
            let _ = write!(path, "M{} {}h1v1h-1z", x + QUIET, y + QUIET);
        }
    }
    let side = size + 2 * QUIET;
    Ok(html! {
        svg.qr viewBox={ "0 0 " (side) " " (side) } role="img" aria-label=(title) focusable="false" shape-rendering="crispEdges" {
            rect width=(side) height=(side) fill="#fff" {}
            path d=(path) fill="#000" {}
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_its_corners_and_its_quiet() {
        let html =
            qr("https://clinic.example/v/0123456789abcdef0123456789abcdef/in", "Link").unwrap();
        let html = html.into_string();
        assert!(html.contains("viewBox=\"0 0 41 41\""), "{html}");
        assert!(html.contains("d=\"M4 4h1v1h-1z"), "the first finder begins after the quiet");
        assert!(qr(&"x".repeat(9000), "Link").is_err());
    }
}
