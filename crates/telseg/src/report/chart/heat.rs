//! A table whose cells are coloured by their value: it can be read aloud and copied.

use maud::{Markup, html};

use crate::report::format;

/// One row of a heat table.
pub(crate) struct HeatRow<'a> {
    /// What it is about.
    pub(crate) name: &'a str,
    /// One value a column.
    pub(crate) values: &'a [f64],
}

/// Values around zero, by rows and columns.
pub(crate) fn heat_table(caption: &str, head: &[Markup], rows: &[HeatRow<'_>]) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label=(caption) {
            table.heat {
                caption { (caption) }
                thead { tr { th scope="col" { "Column" } @for cell in head { th scope="col" { (cell) } } } }
                tbody {
                    @for row in rows {
                        tr {
                            th scope="row" { (row.name) }
                            @for at in 0..head.len() {
                                @let value = row.values.get(at).copied().unwrap_or(f64::NAN);
                                td class=(shade(value)) { (format::signed(value, 1)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The class of a difference in standard deviations: `p1` to `p5` above zero, `n1` to `n5` below.
fn shade(value: f64) -> String {
    let level = [0.15, 0.3, 0.6, 1.0, 1.5]
        .iter()
        .filter(|bound| value.abs() >= **bound)
        .count();
    match level {
        0 => "h0".into(),
        _ if value < 0.0 => format!("n{level}"),
        _ => format!("p{level}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shades_follow_sign_and_size() {
        assert_eq!(shade(0.0), "h0");
        assert_eq!(shade(f64::NAN), "h0");
        assert_eq!(shade(0.2), "p1");
        assert_eq!(shade(-0.7), "n3");
        assert_eq!(shade(9.0), "p5");
    }

    #[test]
    fn short_rows_are_filled_with_dashes() {
        let row = HeatRow {
            name: "tenure <months>",
            values: &[1.0],
        };
        let head = [html! { "1" }, html! { "2" }];
        let table = heat_table("c", &head, &[row]).0;
        assert!(table.contains("tenure &lt;months&gt;"));
        assert!(table.contains(r#"<td class="p4">+1.0</td><td class="h0">–</td>"#));
    }
}
