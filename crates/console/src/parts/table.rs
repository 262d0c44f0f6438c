//! A table of records. On a narrow page, or at great magnification, each row becomes a block in which
//! every value says what it is, so that nothing is read by scrolling two ways (WCAG 2.2, 1.4.10).

use maud::{Markup, html};

/// A column.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Column<'t> {
    pub(crate) label: &'t str,
    /// Figures stand under each other.
    pub(crate) is_figure: bool,
}

/// A table.
#[derive(Debug)]
pub(crate) struct Table<'t> {
    /// What it is a table of; read, not seen, since a heading says it.
    pub(crate) caption: &'t str,
    pub(crate) columns: &'t [Column<'t>],
    /// The rows; the first cell of each is its name.
    pub(crate) rows: &'t [Vec<Markup>],
}

/// A table. Who has none to show says so by [`super::empty`].
pub(crate) fn table(table: &Table<'_>) -> Markup {
    html! {
        table.table {
            caption.unseen { (table.caption) }
            thead { tr {
                @for column in table.columns { th scope="col" class=[column.is_figure.then_some("figure")] { (column.label) } }
            } }
            tbody { @for row in table.rows { tr {
                @for (at, cell) in row.iter().enumerate() {
                    @let column = table.columns.get(at).copied().unwrap_or_default();
                    @let class = column.is_figure.then_some("figure");
                    @if at == 0 { th scope="row" { (cell) } }
                    @else { td class=[class] data-label=(column.label) { div { (cell) } } }
                }
            } } }
        }
    }
}
