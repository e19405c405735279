//! `butterfly-screenshots`.
fn main() {}
