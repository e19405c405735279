//! How the memory worker's program is linked.
//!
//! LanceDB brings 840,000 addresses that the loader fills in when the program starts. As a table of 24 bytes each they are
//! 20 MB, all of which stay resident; packed (RELR: a bitmap of which words to move) they are 0.3 MB. glibc knows that
//! form since 2.36, GNU ld since 2.38; mold 1 writes it without the note that glibc demands.

use std::process::Command;

/// The first glibc whose loader reads packed addresses.
const GLIBC: (u32, u32) = (2, 36);

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let of_target = |name: &str| std::env::var(format!("CARGO_CFG_TARGET_{name}")).unwrap_or_default();
    // Where another machine will run the program nobody knows its loader.
    let at_home = std::env::var("TARGET") == std::env::var("HOST");
    if of_target("OS") == "linux" && of_target("ENV") == "gnu" && at_home && glibc().is_some_and(|found| found >= GLIBC)
    {
        println!("cargo:rustc-link-arg-bins=-fuse-ld=bfd");
        println!("cargo:rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}

/// This machine's, as `getconf GNU_LIBC_VERSION` tells it: `glibc 2.36`.
fn glibc() -> Option<(u32, u32)> {
    let told = Command::new("getconf").arg("GNU_LIBC_VERSION").output().ok()?.stdout;
    let told = String::from_utf8(told).ok()?;
    let (major, minor) = told.trim().strip_prefix("glibc ")?.split_once('.')?;
    Some((major.parse().ok()?, minor.split('.').next()?.parse().ok()?))
}
