//! The memory worker's program: everything is in the library.

fn main() {}
