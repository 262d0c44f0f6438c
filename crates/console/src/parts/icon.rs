//! The icons: strokes on a grid of twenty by twenty, drawn for this console. They say nothing alone, so
//! a reader of the screen is not told of them (WCAG 2.2, 1.1.1 and 1.4.1): a word stands beside each.

use maud::{Markup, html};

macro_rules! icons {
    ($($name:ident = $path:literal;)*) => {
        /// An icon.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Icon { $($name,)* }

        impl Icon {
            /// All of them, for the gallery.
            pub(crate) const ALL: &[(&str, Self)] = &[$((stringify!($name), Self::$name)),*];

            const fn path(self) -> &'static str {
                match self { $(Self::$name => $path,)* }
            }
        }
    };
}

icons! {
    Today = "M3.5 5.5h13v11h-13zM3.5 8.5h13M7 3v3.5M13 3v3.5";
    Schedule = "M3.500 4.500h13v12h-13zM8 4.500v12M12.500 4.500v12M5 8h1.500M9.500 7h1.500M9.500 9.500h1.500M14 11h1";
    Find = "M8.75 3.5a5.25 5.25 0 1 0 0 10.5a5.25 5.25 0 1 0 0-10.5M12.7 12.7l4 4";
    Person = "M10 3.5a3 3 0 1 0 0 6a3 3 0 1 0 0-6M4 16.5c.4-3 2.8-4.6 6-4.6s5.600 1.600 6 4.600";
    Eye = "M2.500 10c2-3.500 4.500-5 7.500-5s5.500 1.500 7.500 5c-2 3.500-4.500 5-7.500 5s-5.500-1.500-7.500-5M10 7.700a2.300 2.300 0 1 0 0 4.600a2.300 2.300 0 1 0 0-4.600";
    Withheld = "M3 3l14 14M6 6.200C4.600 7.100 3.400 8.400 2.500 10c2 3.500 4.500 5 7.500 5c1.400 0 2.700-.3 3.900-1M9 5.100c.3-.1.700-.1 1-.1c3 0 5.500 1.500 7.500 5c-.5.9-1.100 1.700-1.700 2.400";
    Settings = "M3 6h6M13 6h4M3 14h3M10 14h7M11 4a2 2 0 1 0 0 4a2 2 0 1 0 0-4M8 12a2 2 0 1 0 0 4a2 2 0 1 0 0-4";
    Gallery = "M3.500 3.500h5.500v5.500h-5.500zM11 3.500h5.500v5.500h-5.500zM3.500 11h5.500v5.500h-5.500zM11 11h5.500v5.500h-5.500z";
    Apps = "M10 2.800l6.200 3.600v7.200L10 17.200l-6.200-3.600V6.400zM3.800 6.400L10 10l6.200-3.600M10 10v7.200";
    Key = "M7 8.500a3.500 3.500 0 1 0 0 7a3.500 3.500 0 1 0 0-7M9.600 9.500L16.500 3M13.200 6.100l2.300 2.300";
    Leave = "M11.500 3.500h-7v13h7M8.500 10h8.500M14 7l3 3l-3 3";
    Ok = "M10 3a7 7 0 1 0 0 14a7 7 0 1 0 0-14M6.800 10.300l2.200 2.200l4.300-4.700";
    Info = "M10 3a7 7 0 1 0 0 14a7 7 0 1 0 0-14M10 9v4.500M10 6.400v.2";
    Warning = "M10 3.300l7.200 13H2.800zM10 8.200v4M10 14.200v.2";
    Critical = "M7 3h6l4 4v6l-4 4H7l-4-4V7zM10 6.500v4.300M10 13.300v.2";
    Clock = "M10 3a7 7 0 1 0 0 14a7 7 0 1 0 0-14M10 6v4.200l2.800 1.700";
    Phone = "M5 3.500h2.500l1.300 3.300l-1.800 1.400c.8 1.800 2.200 3.200 4 4l1.400-1.800l3.300 1.300v2.500c0 .9-.7 1.500-1.600 1.400C8.500 15 5 11.500 3.600 5.200C3.400 4.300 4.100 3.500 5 3.500";
    Mail = "M3 5h14v10.500H3zM3 5.500l7 5.500l7-5.500";
    Home = "M3 9.500L10 3.500l7 6M5 8v8.500h10V8M8.500 16.500v-4.500h3v4.500";
    Allergy = "M10 3v14M4 6.500l12 7M16 6.500l-12 7M8 4.200l2 1.600l2-1.600M8 15.800l2-1.600l2 1.600";
    Alert = "M5 17V3.500M5 4h10l-2.500 3.500L15 11H5";
    Shield = "M10 2.800l6 2.200v4.500c0 3.700-2.400 6.300-6 7.700c-3.600-1.400-6-4-6-7.700V5z";
    Health = "M2.500 10.500h3.500l2-5.500l3.500 10l2-4.500h4";
    Keyboard = "M2.500 5.500h15v9.500h-15zM5.500 8.300h.2M8.500 8.300h.2M11.500 8.300h.2M14.500 8.300h.2M6.500 12h7";
    Copy = "M7 7h9.500v9.500H7zM4.500 13h-1V3.500H13v1";
    Close = "M5 5l10 10M15 5L5 15";
    Back = "M12.500 4.500L7 10l5.500 5.500";
    Onward = "M7.500 4.500L13 10l-5.500 5.500";
    Down = "M5 7.500l5 5l5-5";
    Plus = "M10 4v12M4 10h12";
    Undo = "M4 8h8.500a4 4 0 0 1 0 8H8M7 4.800L3.800 8L7 11.200";
}

/// An icon; whatever it means has to be said beside it.
pub(crate) fn icon(which: Icon) -> Markup {
    html! {
        svg.icon viewBox="0 0 20 20" aria-hidden="true" focusable="false" { path d=(which.path()) {} }
    }
}
