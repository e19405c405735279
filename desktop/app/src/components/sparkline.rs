//! A line of recent values, as small as a word (Tufte, Beautiful Evidence, 2006).

use dioxus::prelude::*;
use std::fmt::Write;

/// Draws values from left to right, the last one at the right edge. The label says what they are; the newest value
/// should stand beside it as text.
#[component]
pub fn Sparkline(
    values: Vec<f64>,
    label: String,
    #[props(default = 96)] width: u32,
    #[props(default = 24)] height: u32,
) -> Element {
    let path = path(&values, f64::from(width), f64::from(height));
    let area = path.as_ref().map(|path| format!("{path} L{width} {height} L0 {height} Z"));
    rsx! {
        svg {
            class: "sparkline",
            width: "{width}",
            height: "{height}",
            view_box: "0 0 {width} {height}",
            role: "img",
            "aria-label": "{label}",
            if let Some((path, area)) = path.zip(area) {
                path { class: "sparkline-area", d: area }
                path { class: "sparkline-line", d: path, fill: "none" }
            }
        }
    }
}

/// The line through the values, scaled so that zero is at the bottom; `None` for less than two.
fn path(values: &[f64], width: f64, height: f64) -> Option<String> {
    if values.len() < 2 {
        return None;
    }
    let top = values.iter().copied().filter(|value| value.is_finite()).fold(0.0, f64::max).max(f64::MIN_POSITIVE);
    let step = width / (values.len() - 1) as f64;
    let mut path = String::new();
    for (at, value) in values.iter().enumerate() {
        let value = if value.is_finite() { value.max(0.0) } else { 0.0 };
        let (x, y) = (step * at as f64, 1.0 + (height - 2.0) * (1.0 - value / top));
        let command = if at == 0 { 'M' } else { 'L' };
        // Writing to a string does not fail.
        let _ = write!(path, "{command}{x:.1} {y:.1}");
    }
    Some(path)
}

#[cfg(test)]
mod tests {
    use super::path;

    #[test]
    fn the_highest_value_touches_the_top_and_zero_the_bottom() {
        assert_eq!(path(&[0.0, 4.0, 2.0], 10.0, 12.0).unwrap(), "M0.0 11.0L5.0 1.0L10.0 6.0");
    }

    #[test]
    fn what_is_no_line_is_not_drawn_and_what_is_no_number_is_zero() {
        assert_eq!(path(&[], 10.0, 12.0), None);
        assert_eq!(path(&[1.0], 10.0, 12.0), None);
        assert_eq!(path(&[f64::NAN, 0.0], 10.0, 12.0).unwrap(), "M0.0 11.0L10.0 11.0");
    }
}
